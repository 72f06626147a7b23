import { JsonTextError, parseJson, pythonRepr, pythonStr } from '@ptn-api/positions';
import fc from 'fast-check';
import t from 'tap';

function repr(text: string): string {
  try {
    return pythonRepr(parseJson(text));
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    return `error: ${error.message}`;
  }
}

void t.test('numbers keep whether they are ints', (t) => {
  for (const [text, python] of [
    ['1', '1'],
    ['-0', '0'],
    ['1.0', '1.0'],
    ['-0.0', '-0.0'],
    ['1e5', '100000.0'],
    ['1e16', '1e+16'],
    ['0.00001', '1e-05'],
    ['123456789012345678901', '123456789012345678901'],
    ['NaN', 'nan'],
    ['-Infinity', '-inf'],
    ['1e999', 'inf'],
  ] as const) {
    t.equal(repr(text), python, text);
  }
  t.end();
});

void t.test('texts are quoted and escaped', (t) => {
  for (const [value, python] of [
    ['a', "'a'"],
    ["it's", `"it's"`],
    [`it's "x"`, String.raw`'it\'s "x"'`],
    ['\\\n\r\t', String.raw`'\\\n\r\t'`],
    ['\u0000\u007f\u00a0\u00ad', String.raw`'\x00\x7f\xa0\xad'`],
    ['\u200b\u2028\ud800', String.raw`'\u200b\u2028\ud800'`],
    ['é😀', "'é😀'"],
    ['\u{e0001}', String.raw`'\U000e0001'`],
    ['NaN 1.0 {', "'NaN 1.0 {'"],
  ] as const) {
    t.equal(repr(JSON.stringify(value)), python);
  }
  t.equal(pythonStr('a'), 'a');
  t.end();
});

void t.test('lists and objects, of equal keys the last one', (t) => {
  t.equal(
    repr('{"b": [1, 2.0, {}], "1": null, "a": true, "b": false, "__proto__": []}'),
    "{'b': False, '1': None, 'a': True, '__proto__': []}",
  );
  t.end();
});

void t.test('what Python does not read either', (t) => {
  for (const text of [
    '',
    '{',
    '01',
    '1.',
    '-',
    '.5',
    "{'a': 1}",
    '[1,]',
    '"\n"',
    'nan',
    '+1',
    '{"a" 1}',
    '1 2',
    '--1',
    String.raw`"\1`,
  ]) {
    t.match(repr(text), /^error: ./, text);
  }
  t.match(repr('['.repeat(501) + ']'.repeat(501)), /^error: Nested too deeply/);
  t.end();
});

void t.test('reads all that JSON.parse reads, and nothing else', (t) => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      if (repr(text).startsWith('error')) throw new Error(text);
    }),
  );
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.constantFrom('"', '\\', '{', '}', '[', ',', ':', '1', '.', 'e', '-', 'n', 's', ' '),
      }),
      (text) => {
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        if (repr(text).startsWith('error') === isJson) throw new Error(text);
      },
    ),
    { numRuns: 5000 },
  );
  t.end();
});
