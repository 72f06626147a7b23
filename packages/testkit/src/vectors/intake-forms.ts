import { isJsonObject, parseJson, pythonStr } from '@ptn-api/positions';
import type { JsonObject, JsonValue } from '@ptn-api/positions';
import { answerPositions, GENERATION_2025_05 } from '@ptn-api/rules';
import type { IntakeResult, PriceSource, PricesAt } from '@ptn-api/rules';
import { addNamed, compareTexts, elementsOf, membersOf, noDifference } from './compare-texts.ts';
import type { Difference } from './compare-texts.ts';
import { compareValues } from './compare-values.ts';
import { IntakeRun, RECORDED_FEATURES } from './intake-run.ts';
import type { IntakeStep } from './intake-run.ts';
import { readText } from './read-text.ts';
import { isNamed } from './vector-form.ts';
import type { VectorForm } from './vector-form.ts';

/** Answers that differ on purpose: what is answered here, what Python answered, and why. Decision 0021 has them at length. */
const ON_PURPOSE: readonly { readonly here: RegExp; readonly python: RegExp; readonly why: string }[] = [
  {
    here: /^Market for trade pair \[(?:SPX|DJI|NDX|VIX|FTSE|GDAXI)\] is likely closed/,
    python: /^Trade pair \[\w+\] has been temporarily halted/,
    why: 'an open equity does not make an index look open',
  },
  {
    here: /^The uuid of an order must have 1 to 64/,
    python: /^/,
    why: 'the uuid becomes the name of a file',
  },
  { here: /\[type=finite_number, /, python: /^/, why: 'a FLAT of no finite leverage is refused' },
];

interface IntakeCase {
  readonly name: string;
  readonly steps: readonly IntakeStep[];
  readonly websocket_queue?: readonly unknown[];
}

interface IntakeFile {
  readonly validator_hotkey: string;
  readonly miners: Readonly<Record<string, string>>;
  readonly slippage_features: string;
  readonly cases: readonly IntakeCase[];
}

function pricesOf(sources: Readonly<Record<string, PriceSource>>): PricesAt {
  // The first vendor is asked first; which of two equally near prices counts follows from it.
  const all = ['polygon', 'tiingo'].flatMap((vendor) =>
    Object.keys(sources)
      .filter((name) => name.startsWith(vendor))
      .map((name) => sources[name] as PriceSource),
  );
  return {
    websocket: all.filter(({ websocket }) => websocket),
    rest: all.filter(({ websocket }) => !websocket),
  };
}

/** What the steps that do not say their prices had: the one that other steps of the pair have. */
function usualPrices(
  cases: readonly IntakeCase[],
): Map<string, { readonly source: PriceSource; readonly atMs: number }> {
  const usual = new Map<string, { source: PriceSource; atMs: number }>();
  for (const { at_ms: atMs, signal, price_sources: sources } of cases.flatMap(({ steps }) => steps)) {
    const id = signal?.trade_pair?.trade_pair_id;
    const source = sources?.['polygon_ws'];
    if (id !== undefined && source !== undefined && !usual.has(id)) usual.set(id, { source, atMs });
  }
  return usual;
}

const UUID4 = /<uuid4 #\d+>|new-uuid-\d+/g;

/** The texts with made-up uuids numbered as they appear. */
function numberUuids(texts: readonly string[]): string[] {
  const numbers = new Map<string, string>();
  return texts.map((text) =>
    text.replace(UUID4, (uuid) => {
      const number = numbers.get(uuid) ?? `<uuid ${numbers.size}>`;
      numbers.set(uuid, number);
      return number;
    }),
  );
}

function dictOf(text: string): JsonObject {
  const value = parseJson(text);
  if (!isJsonObject(value)) throw new Error(`no signal: ${text.slice(0, 100)}`);
  return value;
}

/** Compares an answer and the files with a step's, as far as the step says them. */
function compareStep(result: IntakeResult, step: IntakeStep, stepText: string, found: Difference): void {
  const files = result.ok ? result.files : { write: [], remove: [] };
  const members = membersOf(stepText);
  const wrote = [...files.write].sort((a, b) => (a.path < b.path ? -1 : 1));
  const wantedFiles = [...membersOf(members.get('files_written') ?? '{}')].sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
  const got = numberUuids([
    JSON.stringify(result.answer),
    ...files.remove,
    ...wrote.flatMap(({ path, text }) => [path, text]),
  ]);
  const want = numberUuids([
    JSON.stringify(step.answer),
    ...(step.files_removed ?? []),
    ...wantedFiles.flat(),
  ]);
  const answer = JSON.parse(got[0] ?? '{}') as Record<string, unknown>;
  const wantedAnswer = JSON.parse(want[0] ?? '{}') as Record<string, unknown>;
  const compared = Object.keys(wantedAnswer).map((key) => [key, answer[key]]);
  compareValues(Object.fromEntries(compared), wantedAnswer, found, 'answer');
  if (!members.has('files_written')) return;
  if (got.length !== want.length) {
    const paths = (texts: readonly string[]): string =>
      texts.filter((line) => !line.startsWith('{')).join(' ');
    found.unequal.push(`files: ${paths(got)} for ${paths(want)}`);
    return;
  }
  for (let index = 1; index < want.length; index++) {
    const [a = '', b = ''] = [got[index], want[index]];
    if (b.startsWith('{')) compareTexts(a, b, found);
    else if (a !== b) found.unequal.push(`file ${a} for ${b}`);
  }
}

function comparePositionsAnswer(run: IntakeRun, step: IntakeStep, found: Difference): void {
  const { hotkey, version = 0, at_ms: nowMs } = step;
  const { answer, miner } = answerPositions(run.validator, run.minerOf(hotkey), { hotkey, version }, nowMs);
  run.keep(hotkey, miner);
  const { successfully_processed, error_message, positions } = answer;
  const got = { successfully_processed, error_message, n_positions: positions.length, positions };
  compareValues(got, step.answer, found, 'answer');
}

function runIntake(path: string, difference: Difference): number {
  const text = readText(path);
  const file = JSON.parse(text) as IntakeFile;
  if (file.slippage_features !== RECORDED_FEATURES) {
    throw new Error(`other features than those known: ${file.slippage_features}`);
  }
  const root = membersOf(text);
  const rows = [...elementsOf(root.get('eliminations') ?? '[]').values()].map(dictOf);
  const eliminations = new Map<string, JsonValue>(
    rows.map((row) => [pythonStr(row.get('hotkey') ?? null), row]),
  );
  const usual = usualPrices(file.cases);
  const caseTexts = [...elementsOf(root.get('cases') ?? '[]').values()];
  let count = 0;
  for (const [caseIndex, { name, steps, websocket_queue: queue }] of file.cases.entries()) {
    const run = new IntakeRun({
      hotkey: file.validator_hotkey,
      generation: GENERATION_2025_05,
      // The steps do not say so; the case is the one of a validator that stops.
      isStopping: name.startsWith('shutting-down'),
      registeredHotkeys: new Set(Object.values(file.miners)),
      eliminations,
      haltedPairs: new Set(),
    });
    const stepTexts = [...elementsOf(membersOf(caseTexts[caseIndex] ?? '{}').get('steps') ?? '[]').values()];
    for (const [index, step] of steps.entries()) {
      const found = noDifference();
      const stepText = stepTexts[index] ?? '{}';
      const stepName = `${name}/${index}`;
      count += 1;
      if (step.method === 'GetPositions') {
        comparePositionsAnswer(run, step, found);
      } else {
        const signal = dictOf(membersOf(stepText).get('signal') ?? '');
        const known = usual.get(step.signal?.trade_pair?.trade_pair_id ?? '');
        const prices =
          step.price_sources !== undefined || known === undefined
            ? pricesOf(step.price_sources ?? {})
            : pricesOf({
                polygon_ws: { ...known.source, start_ms: known.source.start_ms - known.atMs + step.at_ms },
              });
        const result = run.take(step, signal, prices);
        const onPurpose = ON_PURPOSE.find(
          ({ here, python }) =>
            here.test(result.answer.error_message) && python.test(String(step.answer['error_message'])),
        );
        if (onPurpose === undefined) compareStep(result, step, stepText, found);
        else difference.expected.push(`${stepName}: ${onPurpose.why}`);
      }
      addNamed(difference, stepName, found);
    }
    if (queue !== undefined) {
      const found = noDifference();
      compareValues(
        run.accepted.map((position) => ({ position })),
        queue,
        found,
        'queue',
      );
      addNamed(difference, name, found);
    }
  }
  return count;
}

export const INTAKE_FORMS: readonly VectorForm[] = [
  {
    name: 'orders as a validator takes them',
    recognises: (path) => isNamed(path, 'intake', 'cases.json'),
    run: runIntake,
  },
];
