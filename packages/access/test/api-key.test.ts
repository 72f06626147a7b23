import fc from 'fast-check';
import t from 'tap';
import { apiKeyForm, createApiKey } from '../dist/index.js';
import { findMember, putMember, removeMember } from '@ptn-api/positions';

void t.test('generated keys are whole, and any one letter changed is found out', (t) => {
  const key = createApiKey();
  t.match(key, /^ptn_[0-9A-Za-z]{38}$/);
  t.not(createApiKey(), key);
  t.equal(apiKeyForm(key), 'good');
  for (let at = 4; at < key.length; at++) {
    const other = key[at] === 'a' ? 'b' : 'a';
    t.equal(apiKeyForm(key.slice(0, at) + other + key.slice(at + 1)), 'damaged');
  }
  t.equal(apiKeyForm(key.slice(0, -1)), 'damaged');
  t.equal(apiKeyForm('made-up'), 'foreign');
  t.end();
});

void t.test('the checksum is the CRC-32 of the digits in base 62, and the key ends with it', (t) => {
  const key = 'ptn_ExampleOfASecretOf32Base62Digits1XCXtA';
  t.equal(apiKeyForm(key), 'good');
  t.equal(apiKeyForm(`${key}0`), 'damaged');
  t.equal(apiKeyForm(`x${key}`), 'foreign');
  t.end();
});

void t.test('a member put and removed again leaves the text as it was', (t) => {
  const text = fc
    .tuple(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), fc.constantFrom(undefined, 1, 2, '\t'))
    .map(([value, space]) => JSON.stringify(value, null, space));
  fc.assert(
    fc.property(text, fc.string(), fc.jsonValue(), (before, name, value) => {
      fc.pre(findMember(before, 0, name) === undefined);
      const put = putMember(before, 0, name, JSON.stringify(value));
      t.same(
        Object.entries(JSON.parse(put) as object).length,
        Object.keys(JSON.parse(before) as object).length + 1,
      );
      t.equal(removeMember(put, 0, name), before);
    }),
    { numRuns: 200 },
  );
  t.end();
});

void t.test('of a name that stands several times, none is left', (t) => {
  t.equal(removeMember('{ "a": 1, "b": 2, "a": 3 }', 0, 'a'), '{ "b": 2 }');
  t.equal(removeMember('{"a": 1}', 0, 'a'), '{}');
  t.equal(putMember('{}', 0, 'a', '1', '\n  '), '{\n  "a": 1\n}');
  t.end();
});
