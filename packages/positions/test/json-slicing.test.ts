import assert from 'node:assert/strict';
import { JsonSyntaxError, skipValue, sliceArray, sliceObject } from '../dist/index.js';
import fc from 'fast-check';
import t from 'tap';

/** True if the text is one JSON value and nothing else, by `skipValue`. */
function isOneValue(text: string): boolean {
  try {
    return text.slice(skipValue(text, 0)).trim() === '';
  } catch (error) {
    if (error instanceof JsonSyntaxError) return false;
    throw error;
  }
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const space = fc.constantFrom(undefined, 1, '\t');

void t.test('an object put together from its slices is the same object', (t) => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), space, (object, indent) => {
      const text = JSON.stringify(object, null, indent);
      const members = sliceObject(text);
      const joined = members.map((m) => text.slice(m.keyStart, m.valueEnd)).join();
      assert.deepEqual(JSON.parse(`{${joined}}`), JSON.parse(text));
      assert.deepEqual(
        members.map((m) => m.key),
        Object.keys(object),
      );
    }),
  );
  t.end();
});

void t.test('a list put together from its slices is the same list', (t) => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), space, (list, indent) => {
      const text = JSON.stringify(list, null, indent);
      const items = sliceArray(text).map(({ start, end }) => JSON.parse(text.slice(start, end)) as unknown);
      assert.deepEqual(items, JSON.parse(text));
    }),
  );
  t.end();
});

void t.test('what is JSON is decided as JSON.parse does', (t) => {
  const token = fc.constantFrom(
    ...Array.from('{}[],:"\\ \n-+.eE019'),
    '"a"',
    '"\\u00e9"',
    'true',
    'null',
    '1.5',
    '\u0001',
    'é',
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 8 }), (tokens) => {
      const text = tokens.join('');
      assert.equal(isOneValue(text), parses(text), JSON.stringify(text));
    }),
    { numRuns: 10_000 },
  );
  t.end();
});

void t.test('damage to a valid text is found where JSON.parse finds it', (t) => {
  fc.assert(
    fc.property(
      fc.json(),
      fc.nat(),
      fc.constantFrom('', '"', ',', '}', ']', '\\', '0', 'x'),
      (json, at, put) => {
        const index = at % json.length;
        const text = json.slice(0, index) + put + json.slice(index + 1);
        assert.equal(isOneValue(text), parses(text), JSON.stringify(text));
      },
    ),
    { numRuns: 2000 },
  );
  t.end();
});

void t.test('numbers that are not finite count as values', (t) => {
  const text = '{"a": NaN, "b": [Infinity, -Infinity]}';
  t.equal(skipValue(text, 0), text.length);
  t.end();
});

void t.test('an error says where and what', (t) => {
  t.throws(() => skipValue('{"a": 1, "b" 2}', 0), {
    name: 'JsonSyntaxError',
    position: 13,
    message: 'unexpected "2" instead of ":" at position 13',
  });
  t.throws(() => skipValue('[1, 2', 0), { position: 5, message: /unexpected end of text/ });
  t.throws(() => skipValue('["\n"]', 0), { position: 2, message: /control character/ });
  t.throws(() => skipValue('["\\x"]', 0), { position: 2, message: /bad escape/ });
  t.throws(() => sliceObject('[1]'), { position: 0, message: /instead of "\{"/ });
  t.throws(() => sliceArray(''), { position: 0, message: /end of text/ });
  t.end();
});

void t.test('without a start nothing may follow, with one anything may', (t) => {
  t.throws(() => sliceObject('{"a": 1} x'), { position: 9, message: /the end of the text/ });
  t.throws(() => sliceArray('[1]]'), { position: 3, message: /the end of the text/ });
  t.equal(sliceObject('{"a": {"b": 2}} x', 6).length, 1);
  t.strictSame(sliceArray('x [ 1 ] y', 1), [{ start: 4, end: 5 }]);
  t.end();
});

void t.test('keys are decoded, and each occurrence of a repeated one is there', (t) => {
  t.strictSame(
    sliceObject('{"a\\u0062": 1, "ab": 2, "__proto__": 3}').map(({ key }) => key),
    ['ab', 'ab', '__proto__'],
  );
  t.end();
});

void t.test('nesting of a million levels is skipped', (t) => {
  const depth = 1_000_000;
  const text = '[{"a":'.repeat(depth) + '1' + '}]'.repeat(depth);
  t.equal(skipValue(text, 0), text.length);
  t.throws(() => skipValue(text.slice(0, -1), 0), { message: /end of text/ });
  t.end();
});
