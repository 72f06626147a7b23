import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { findMember, parseJson, sliceArray } from '@ptn-api/positions';
import type { JsonObject } from '@ptn-api/positions';
import type { PriceSource } from '@ptn-api/rules';
import t from 'tap';
import { contentsOf, makeValidator } from './validator-fixture.ts';

const FILE = fileURLToPath(new URL('../../rules/fixtures/orders/intake/cases.json.gz', import.meta.url));
const VALIDATOR = '5F1SbSUphHPPVt5yZuqPqWxSmFg4uBRQNCFEFzMwphEeQ5Bg';

interface Step {
  readonly at_ms: number;
  readonly hotkey: string;
  readonly method?: string;
  readonly signal?: { readonly trade_pair?: { readonly trade_pair_id?: string } };
  readonly miner_order_uuid?: string;
  readonly price_sources?: Readonly<Record<string, PriceSource>>;
  /** Empty where the order was accepted and nothing else is listed. */
  readonly answer: { readonly error_message?: string };
  readonly files_written?: Readonly<Record<string, unknown>>;
  readonly files_removed?: readonly string[];
}

interface Recording {
  readonly miners: Readonly<Record<string, string>>;
  readonly cases: readonly { readonly name: string; readonly steps: readonly Step[] }[];
}

const text = gunzipSync(readFileSync(FILE)).toString();
const recording = JSON.parse(text) as Recording;

/** The values of a list that is a member, as text: what JSON.parse makes of a signal is not what was sent. */
function textsOf(of: string, name: string): string[] {
  const list = findMember(of, 0, name);
  return list === undefined
    ? []
    : sliceArray(of, list.valueStart).map(({ start, end }) => of.slice(start, end));
}

function signalOf(step: string): JsonObject {
  const member = findMember(step, 0, 'signal');
  return parseJson(step.slice(member?.valueStart, member?.valueEnd)) as JsonObject;
}

/** The price of a pair in steps that do not say theirs: as in others. */
const usual = new Map<string, { readonly source: PriceSource; readonly agoMs: number }>();
for (const { at_ms: atMs, signal, price_sources: sources } of recording.cases.flatMap(({ steps }) => steps)) {
  const id = signal?.trade_pair?.trade_pair_id;
  const source = sources?.['polygon_ws'];
  if (id === undefined || source === undefined || usual.has(id)) continue;
  usual.set(id, { source, agoMs: atMs - source.start_ms });
}

function sourcesOf({ price_sources: sources, signal, at_ms: atMs }: Step): readonly PriceSource[] {
  if (sources !== undefined) {
    // Of two that are equally near the first vendor's counts.
    return Object.entries(sources)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([, source]) => source);
  }
  const known = usual.get(signal?.trade_pair?.trade_pair_id ?? '');
  return known === undefined ? [] : [{ ...known.source, start_ms: atMs - known.agoMs }];
}

/** What is answered otherwise on purpose (decision 0021), or by eliminations that the folder does not have. */
const OTHERWISE =
  /^(?:Market for trade pair \[SPX\]|The uuid of an order must have)|finite_number|eliminated/;

void t.test('recorded orders are answered, and leave the files, that Python answered and left', (t) => {
  const texts = textsOf(text, 'cases');
  let [answers, files] = [0, 0];
  for (const [caseIndex, { name, steps }] of recording.cases.entries()) {
    if (name.startsWith('shutting-down')) continue;
    const { validator, prices, root } = makeValidator(t, { isDurable: false, hotkey: VALIDATOR });
    validator.setRegistered(Object.values(recording.miners));
    const known = new Set<string>();
    for (const [index, stepText] of textsOf(texts[caseIndex] ?? '', 'steps').entries()) {
      const step = steps[index] as Step;
      const { hotkey, miner_order_uuid: uuid = '', at_ms: nowMs, method, answer } = step;
      if (method === 'GetPositions') continue;
      const sources = sourcesOf(step);
      prices.at = () => ({
        websocket: sources.filter(({ websocket }) => websocket),
        rest: sources.filter(({ websocket }) => !websocket),
      });
      const { error_message: error } = validator.submit({ hotkey, signal: signalOf(stepText), uuid }, nowMs);
      // What follows would differ as well.
      if (OTHERWISE.test(error) || OTHERWISE.test(answer.error_message ?? '')) break;
      answers += 1;
      t.equal(error, answer.error_message ?? '', `${name}/${index}`);
      for (const path of Object.keys(step.files_written ?? {})) known.add(path);
      for (const path of step.files_removed ?? []) known.delete(path);
      // Only its last steps list files.
      if (name === 'open-order-limit-200') continue;
      const positions = [...known].filter((path) => path.startsWith('validation/miners/'));
      // A uuid that Python made up is another one here.
      if (positions.some((path) => path.includes('<uuid4'))) continue;
      files += 1;
      const found = Object.keys(contentsOf(root)).map((path) => join('validation/miners', path));
      t.strictSame(found, positions.sort(), `${name}/${index}: files`);
    }
  }
  t.ok(answers > 400 && files > 180, `${answers} answers, ${files} times the files`);
  t.end();
});
