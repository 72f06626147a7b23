import assert from 'node:assert/strict';
import { formatFloat, replaceNonFinite } from '../dist/index.js';
import fc from 'fast-check';
import t from 'tap';
import { readGzip } from './vectors.ts';

void t.test('floats are written as Python writes them', (t) => {
  // Pairs of the eight bytes of a double, in hex, and what Python's json.dumps made of it.
  const table = JSON.parse(readGzip('python-floats.json.gz')) as [string, string][];
  t.ok(table.length > 2500);
  t.strictSame(
    table.map(([hex]) => formatFloat(Buffer.from(hex, 'hex').readDoubleBE())),
    table.map(([, text]) => text),
  );
  t.end();
});

void t.test('a float reads back as the same number, and as a float', (t) => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const text = formatFloat(value);
      return Object.is(JSON.parse(text), value) && /[.e]/.test(text);
    }),
  );
  t.end();
});

void t.test('NaN and Infinity become null, but not in strings', (t) => {
  t.strictSame(replaceNonFinite('{"NaN": [NaN, -Infinity,Infinity], "a\\"NaN": "\\\\", "b": NaN}'), {
    text: '{"NaN": [null, null,null], "a\\"NaN": "\\\\", "b": null}',
    count: 4,
  });
  t.end();
});

void t.test('a text that ends within a string is passed on', (t) => {
  t.strictSame(replaceNonFinite('[NaN, "NaN'), { text: '[null, "NaN', count: 1 });
  t.end();
});

const textual = fc
  .array(fc.constantFrom('NaN', 'Infinity', '-Infinity', '"', '\\', ' ', 'a'), { maxLength: 6 })
  .map((l) => l.join(''));
const value = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    textual,
    fc.constantFrom(1, NaN, Infinity, -Infinity, null),
    fc.array(tie('node'), { maxLength: 4 }),
    fc.dictionary(textual, tie('node'), { maxKeys: 4 }),
  ),
})).node;

/** As Python's json.dumps does it. */
function pythonJson(node: unknown): string {
  if (Array.isArray(node)) return `[${node.map(pythonJson).join(', ')}]`;
  if (typeof node === 'object' && node !== null) {
    return `{${Object.entries(node)
      .map(([key, item]) => `${JSON.stringify(key)}: ${pythonJson(item)}`)
      .join(', ')}}`;
  }
  return typeof node === 'number' ? String(node) : JSON.stringify(node);
}

void t.test('any text of Python becomes JSON of the same value, with null for what is not finite', (t) => {
  fc.assert(
    fc.property(value, (node) => {
      const text = pythonJson(node);
      const replaced = replaceNonFinite(text);
      assert.deepEqual(JSON.parse(replaced.text), JSON.parse(JSON.stringify(node)));
      if (replaced.count === 0) assert.equal(replaced.text, text);
    }),
    { numRuns: 1000 },
  );
  t.end();
});
