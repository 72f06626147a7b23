import { writePosition } from '@ptn-api/positions';
import type { OrderType, Position } from '@ptn-api/protocol';
import {
  answerPositions,
  correctPrices,
  GENERATION_2025_05,
  isMarketOpen,
  NEW_MINER,
  PAIRS,
  readPython,
  rememberUuid,
  strOf,
  takeSignal,
} from '@ptn-api/rules';
import type {
  IntakeContext,
  IntakeResult,
  MinerState,
  PriceSource,
  PricesAt,
  PythonDict,
  PythonValue,
  SlippageFeatures,
  ValidatorState,
} from '@ptn-api/rules';
import { compareTexts, elementsOf, membersOf, noDifference } from './compare-texts.ts';
import type { Difference } from './compare-texts.ts';
import { compareValues } from './compare-values.ts';
import { readText } from './read-text.ts';
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

/** As the file describes them in words. */
const BASE_TO_USD: Readonly<Record<string, number>> = {
  ...{ EUR: 1.1, GBP: 1.3, AUD: 0.65, CAD: 0.72, CHF: 1.2, NZD: 0.6, XAU: 3200, USD: 1 },
};

function featuresOf(pairId: string): SlippageFeatures {
  return PAIRS.get(pairId)?.assetClass === 'equities'
    ? { annualizedVolatility: 0.4, averageDailyVolume: 40_000_000 }
    : { annualizedVolatility: 0.08, averageDailyVolume: 100_000, baseToUsd: BASE_TO_USD[pairId.slice(0, 3)] };
}

interface IntakeStep {
  readonly at_ms: number;
  readonly hotkey: string;
  readonly method?: 'GetPositions';
  readonly version?: number;
  readonly signal?: { readonly trade_pair?: { readonly trade_pair_id?: string } };
  readonly miner_order_uuid?: string;
  readonly price_sources?: Readonly<Record<string, PriceSource>>;
  readonly answer: Readonly<Record<string, unknown>>;
  readonly files_removed?: readonly string[];
}

interface IntakeCase {
  readonly name: string;
  readonly steps: readonly IntakeStep[];
  readonly websocket_queue?: readonly unknown[];
}

interface IntakeFile {
  readonly validator_hotkey: string;
  readonly miners: Readonly<Record<string, string>>;
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

function dictOf(text: string): PythonDict {
  const read = readPython(text);
  if (!read.ok || !(read.value instanceof Map)) throw new Error(`no signal: ${text.slice(0, 100)}`);
  return read.value as PythonDict;
}

/** Adds what one case found, each with the case's name. */
function addNamed(difference: Difference, name: string, found: Difference): void {
  difference.unequal.push(...found.unequal.map((line) => `${name}: ${line}`));
  difference.numbers += found.numbers;
  difference.worst = Math.max(difference.worst, found.worst);
}

/** One validator from its start on. */
class IntakeRun {
  readonly #state: ValidatorState;
  readonly #uuids = new Set<string>();
  readonly #miners = new Map<string, MinerState>();
  readonly accepted: Position[] = [];
  #timestamp: ValidatorState['timestamp'] = { lastOrderMs: 0 };
  #made = 0;

  constructor(state: Omit<ValidatorState, 'processedUuids' | 'timestamp'>) {
    this.#state = { ...state, processedUuids: this.#uuids, timestamp: this.#timestamp };
  }

  minerOf(hotkey: string): MinerState {
    return this.#miners.get(hotkey) ?? NEW_MINER;
  }

  get validator(): ValidatorState {
    return { ...this.#state, timestamp: this.#timestamp };
  }

  keep(hotkey: string, miner: MinerState): void {
    this.#miners.set(hotkey, miner);
  }

  take(
    { at_ms: nowMs, hotkey, miner_order_uuid: uuid = '' }: IntakeStep,
    signal: PythonDict,
    prices: PricesAt,
  ): IntakeResult {
    const context: IntakeContext = {
      nowMs,
      pricesOf: () => prices,
      slippageFeaturesOf: featuresOf,
      newUuid: () => `new-uuid-${this.#made++}`,
    };
    const result = takeSignal(this.validator, this.minerOf(hotkey), { hotkey, signal, uuid }, context);
    this.keep(hotkey, result.miner);
    if (!result.ok) return result;
    this.#timestamp = result.timestamp;
    if (result.accepted !== undefined) {
      rememberUuid(this.#uuids, result.accepted.order.order_uuid, this.#state.generation);
      this.accepted.push(result.accepted.position);
    }
    return result;
  }
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
    found.unequal.push(`files: ${got.slice(1).join(' ')} for ${want.slice(1).join(' ')}`);
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
  const root = membersOf(text);
  const rows = [...elementsOf(root.get('eliminations') ?? '[]').values()].map(dictOf);
  const eliminations = new Map<string, PythonValue>(
    rows.map((row) => [strOf(row.get('hotkey') ?? null), row]),
  );
  const usual = usualPrices(file.cases);
  const caseTexts = [...elementsOf(root.get('cases') ?? '[]').values()];
  let count = 0;
  for (const [caseIndex, { name, steps, websocket_queue: queue }] of file.cases.entries()) {
    const run = new IntakeRun({
      hotkey: file.validator_hotkey,
      generation: GENERATION_2025_05,
      // The steps do not say so; the case is the one of a validator that stops.
      isStopping: name === 'shutting-down',
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

interface CorrectionCase {
  readonly name: string;
  readonly trade_pair: string;
  readonly order_type: OrderType;
  readonly order_at_ms: number;
  readonly check_at_ms: number;
  readonly price_sources_at_check: readonly PriceSource[];
  readonly quote_lookup: readonly [bid: number, ask: number, ageMs: number] | null;
  readonly position_before: Position;
  readonly changed: boolean;
}

function runPriceCorrection(path: string, difference: Difference): number {
  const text = readText(path);
  const { cases } = JSON.parse(text) as { cases: readonly CorrectionCase[] };
  const texts = [...elementsOf(membersOf(text).get('cases') ?? '[]').values()].map(membersOf);
  for (const [index, row] of cases.entries()) {
    const [bid, ask] = row.quote_lookup ?? [];
    const pair = PAIRS.get(row.trade_pair);
    const isOpen = pair !== undefined && isMarketOpen(pair, row.check_at_ms);
    const { position, isChanged } = correctPrices(row.position_before, GENERATION_2025_05, {
      nowMs: row.check_at_ms,
      laterPricesOf: () => ({
        sources: row.price_sources_at_check,
        quote: bid === undefined || ask === undefined ? undefined : { bid, ask },
      }),
      currentSources: isOpen ? row.price_sources_at_check : [],
      slippageFeaturesOf: featuresOf,
    });
    const found = noDifference();
    compareTexts(writePosition(position), texts[index]?.get('position_after') ?? '', found);
    compareValues(isChanged, row.changed, found, 'changed');
    addNamed(difference, row.name, found);
  }
  return cases.length;
}

const form = (folder: string, name: string, run: VectorForm['run']): VectorForm => ({
  name,
  recognises: (path) => new RegExp(`(?:^|/)${folder}/cases\\.json(?:\\.gz)?$`).test(path),
  run,
});

/** Orders on their way through a validator. */
export const INTAKE_FORMS: readonly VectorForm[] = [
  form('intake', 'orders as a validator takes them', runIntake),
  form('price_correction', 'prices as a validator corrects them', runPriceCorrection),
];
