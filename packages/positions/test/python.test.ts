import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import {
  JsonTextError,
  floatText,
  parseJson,
  pythonFloat,
  pythonInt,
  pythonStr,
  writeCompactJson,
  writeJson,
} from '@ptn-api/positions';
import t from 'tap';

interface PythonFile {
  readonly json: readonly { json: string; str?: string; dumps?: string; error?: string }[];
  readonly numbers: readonly { text: string; float: string | null; int: string | null }[];
}

const path = new URL('../fixtures/python.json.gz', import.meta.url);
const file = JSON.parse(gunzipSync(readFileSync(path)).toString()) as PythonFile;

function readAs(text: string): { str?: string; dumps?: string; error?: string } {
  try {
    const value = parseJson(text);
    return { str: pythonStr(value), dumps: writeJson(value) };
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    return { error: error.message };
  }
}

void t.test('JSON is read, refused, said as text and written as Python does it', (t) => {
  const read = file.json.map(({ json }) => ({ json, ...readAs(json) }));
  t.same(read, file.json);
  t.ok(file.json.filter(({ error }) => error !== undefined).length > 100, 'many of them are no JSON');
  t.end();
});

void t.test('numbers in texts are read as float() and int() read them', (t) => {
  for (const { text, float, int } of file.numbers) {
    const read = pythonFloat(text);
    t.equal(read === undefined ? null : floatText(read), float, `float of ${JSON.stringify(text)}`);
    t.equal(pythonInt(text)?.toString() ?? null, int, `int of ${JSON.stringify(text)}`);
  }
  t.end();
});

void t.test('compact JSON is strict: numbers that it has no way to write are null', (t) => {
  const text = '{"a": [NaN, Infinity, -Infinity, 1e999, 1.0, 7e-05], "b": "\u00e9"}';
  t.equal(writeCompactJson(parseJson(text)), '{"a":[null,null,null,null,1.0,7e-05],"b":"é"}');
  t.end();
});

void t.test('what would exhaust a parser is refused', (t) => {
  t.match(readAs('['.repeat(100_000)), { error: /^Nested too deeply/ });
  t.match(readAs('1'.repeat(4301)), { error: /^Exceeds the limit/ });
  t.equal(readAs('1'.repeat(4300)).str, '1'.repeat(4300));
  t.end();
});
