import type { Position } from '@ptn-api/protocol';
import { GENERATION_2025_05, NEW_MINER, answerDashData } from '@ptn-api/rules';
import type { MinerState, ValidatorState } from '@ptn-api/rules';
import type { Difference } from './compare-texts.ts';
import { readText } from './read-text.ts';
import { expectEqual, isNamed } from './vector-form.ts';
import type { VectorForm } from './vector-form.ts';

interface DashData {
  readonly timestamp: number;
  readonly challengeperiod: unknown;
  readonly positions: Readonly<Record<string, { readonly positions: readonly Position[] }>>;
}

interface DashDataStep {
  readonly at_ms: number;
  readonly hotkey: string;
  readonly answer: {
    readonly successfully_processed: boolean;
    readonly error_message: string;
    readonly data: DashData | Readonly<Record<string, never>>;
  };
}

interface DashDataCase {
  readonly name: string;
  readonly statistics_file?: unknown;
  readonly steps: readonly DashDataStep[];
}

const VALIDATOR = '5F1SbSUphHPPVt5yZuqPqWxSmFg4uBRQNCFEFzMwphEeQ5Bg';
/** The case that was recorded without a file of statistics; others that show none had one without miners. */
const WITHOUT_FILE = 'no-statistics-file';

function isGiven(data: DashDataStep['answer']['data']): data is DashData {
  return 'timestamp' in data;
}

/** What the validator had, as far as the recorded answers show it: the recording does not list its files. */
function stateOf(steps: readonly DashDataStep[]): {
  readonly lastOrderMs: number;
  readonly challengePeriod: string | undefined;
  readonly positions: readonly Position[];
} {
  const [data] = steps.flatMap(({ answer }) => (isGiven(answer.data) ? [answer.data] : []));
  const [own] = Object.values(data?.positions ?? {});
  return {
    lastOrderMs: Math.max(data?.timestamp ?? 0, 0),
    challengePeriod: data === undefined ? undefined : JSON.stringify(data.challengeperiod),
    positions: (own?.positions ?? []).map((position) => ({
      ...position,
      close_ms: position.is_closed_position ? position.close_ms : null,
    })),
  };
}

function runDashData(path: string, difference: Difference): number {
  const cases = JSON.parse(readText(path)) as readonly DashDataCase[];
  for (const { name, statistics_file: file = { data: [] }, steps } of cases) {
    const { lastOrderMs, challengePeriod, positions } = stateOf(steps);
    const validator: ValidatorState = {
      hotkey: VALIDATOR,
      generation: GENERATION_2025_05,
      isStopping: false,
      registeredHotkeys: new Set(steps.map(({ hotkey }) => hotkey)),
      eliminations: new Map(),
      haltedPairs: new Set(),
      processedUuids: new Set(),
      timestamp: { lastOrderMs },
    };
    let miner: MinerState = NEW_MINER;
    for (const { at_ms: nowMs, hotkey, answer: wanted } of steps) {
      const result = answerDashData(validator, miner, hotkey, nowMs, {
        statistics: () => (name === WITHOUT_FILE ? undefined : JSON.stringify(file)),
        challengePeriod: () => challengePeriod,
        positions: () => positions,
      });
      miner = result.miner;
      const { successfully_processed: isOk, error_message: error, data } = result.answer;
      expectEqual(
        difference,
        `${name} at ${nowMs}`,
        { successfully_processed: isOk, error_message: error, data: JSON.parse(data) as unknown },
        // The place of the recording's checkout.
        { ...wanted, error_message: wanted.error_message.replace('<BASE>/', '') },
      );
    }
  }
  return cases.reduce((count, { steps }) => count + steps.length, 0);
}

/** What a validator answers to a miner that asks for its dashboard. */
export const DASH_DATA_FORMS: readonly VectorForm[] = [
  {
    name: 'what a validator says for a miner’s page',
    recognises: (path) => isNamed(path, 'dashboard', 'validator_get_dash_data.json'),
    run: runDashData,
  },
];
