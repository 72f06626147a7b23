import {
  challengeMaps,
  closeByElimination,
  firstOrderMs,
  hotkeysIn,
  readChallengeFile,
  scoreMiners,
  scoreRound,
  SCORING_GENERATIONS,
  scoringPositions,
  Trial,
} from '@ptn-api/scoring';
import type { ChallengeState, Elimination, Generation, MinerRecord, ScoredMiners } from '@ptn-api/scoring';
import type { Difference } from '../compare-texts.ts';
import { compareValues } from '../compare-values.ts';
import { readBeside } from '../beside.ts';
import type { VectorForm } from '../vector-form.ts';
import { compareGenerationMetrics } from './metric-forms.ts';
import { jsonForm, minerOf } from './scoring-file.ts';
import type { LedgerRows, Positions } from './scoring-file.ts';

type ByHotkey<T> = Readonly<Record<string, T>>;

interface ScoringFile {
  readonly evaluation_time_ms: number;
  readonly ledgers: ByHotkey<LedgerRows>;
  readonly positions: ByHotkey<Positions>;
  readonly expect: Readonly<Record<'plain' | 'weighting', unknown>> & {
    readonly challenge_weights_if_all_in_testing: unknown;
  };
}

function minersOf({ ledgers, positions }: Pick<ScoringFile, 'ledgers' | 'positions'>): MinerRecord[] {
  return Object.keys({ ...ledgers, ...positions }).map((hotkey) =>
    minerOf(hotkey, ledgers[hotkey], positions[hotkey]),
  );
}

/** The scoring itself was asked, with positions that a validator leaves out before. */
function countAll(miners: readonly MinerRecord[]): MinerRecord[] {
  return miners.map((miner) => ({ ...miner, scoringPositions: miner.positions }));
}

const KINDS = ['plain', 'weighting'] as const;

function totalsOf({ penalties }: ScoredMiners): Record<string, number> {
  return Object.fromEntries([...penalties].map(([hotkey, { total }]) => [hotkey, total]));
}

function scoreAnswers(scored: ScoredMiners): Record<string, unknown> {
  return { combined: Object.fromEntries(scored.segments[0]?.combined ?? []), final: scored.final };
}

function metricAnswers(scored: ScoredMiners): Record<string, unknown> {
  const rows = scored.segments[0]?.metrics ?? [];
  const metrics = Object.fromEntries(rows.map(({ name, scores }) => [name, Object.fromEntries(scores)]));
  return { metrics, penalties: totalsOf(scored) };
}

/** The weights that the miners would get if all were in the challenge period. */
function testingWeights(miners: readonly MinerRecord[], nowMs: number, generation: Generation): unknown {
  const state: ChallengeState = new Map(
    miners.map(({ hotkey }) => [hotkey, { bucket: 'CHALLENGE', startMs: nowMs }]),
  );
  const byHotkey = new Map(miners.map((miner) => [miner.hotkey, miner]));
  // Weights are set only beside a main competition; who is in it does not matter here.
  const main: ScoredMiners = { penalties: new Map(), segments: [], final: [['main', 1]] };
  return generation.weigh({ nowMs, generation, state, miners: byHotkey, main }).slice(1);
}

function scoringForm(count: number): VectorForm {
  return jsonForm<ScoringFile>(
    `scoring_${count}.json`,
    'scores of miners beside one another',
    (file, difference) => {
      const generation = SCORING_GENERATIONS['2025-05'];
      const miners = countAll(minersOf(file));
      const { evaluation_time_ms: nowMs, expect } = file;
      for (const kind of KINDS) {
        const scored = scoreMiners(miners, generation, { nowMs, isWeighted: kind === 'weighting' });
        const got = { score_miners: metricAnswers(scored), ...scoreAnswers(scored) };
        compareValues(got, expect[kind], difference, kind);
      }
      const weights = testingWeights(miners, nowMs, generation);
      compareValues(weights, expect.challenge_weights_if_all_in_testing, difference, 'testing');
      return miners.length;
    },
  );
}

interface GenerationFile {
  readonly metrics: Parameters<typeof compareGenerationMetrics>[0]['metrics'];
  readonly scoring: Readonly<Record<(typeof KINDS)[number], Readonly<Record<string, unknown>>>>;
  readonly params: { readonly DAYS_IN_YEAR: number; readonly penalties: readonly string[] };
}

function generationForm(file: string, generation: Generation): VectorForm {
  return jsonForm<GenerationFile>(
    file,
    `metrics and scores of ${generation.name}`,
    (content, difference, path) => {
      const cases = compareGenerationMetrics(content, generation, difference, path);
      const input = readBeside(path, 'scoring_40.json') as ScoringFile;
      const miners = countAll(minersOf(input));
      for (const kind of KINDS) {
        const options = { nowMs: input.evaluation_time_ms, isWeighted: kind === 'weighting' };
        const scored = scoreMiners(miners, generation, options);
        const got = { penalties: totalsOf(scored), ...scoreAnswers(scored) };
        compareValues(got, content.scoring[kind], difference, kind);
      }
      return cases + miners.length;
    },
  );
}

interface ChallengeFile {
  readonly input: {
    readonly now_ms: number;
    readonly testing: ByHotkey<number | null>;
    readonly success: ByHotkey<number>;
    readonly ledgers: ByHotkey<LedgerRows>;
    readonly positions: ByHotkey<Positions>;
  };
  readonly expect: {
    readonly trial: ByHotkey<unknown>;
    readonly flattened_positions: readonly { readonly miner_hotkey: string }[];
  };
}

function closedPositions(miners: ReadonlyMap<string, MinerRecord>, rows: readonly Elimination[]): unknown[] {
  return rows.flatMap(({ hotkey, elimination_initiated_time_ms: timeMs }) =>
    (miners.get(hotkey)?.positions ?? [])
      .filter(({ is_closed_position: isClosed }) => !isClosed)
      .map((position) => closeByElimination(position, timeMs)),
  );
}

function runChallenge({ input, expect }: ChallengeFile, difference: Difference): number {
  const generation = SCORING_GENERATIONS['2025-05'];
  const { now_ms: nowMs } = input;
  const miners = new Map(minersOf(input).map((miner) => [miner.hotkey, miner]));
  const state = readChallengeFile(input);
  const records = [...miners.values()];
  const round = scoreRound({ nowMs, generation, miners: records, state, eliminations: [] });
  const trial = new Trial(round.main, generation, nowMs);
  const tried = Object.keys(expect.trial).map((hotkey): [string, unknown] => {
    const { combined, percentile, tradingDays } = trial.of(miners.get(hotkey) ?? minerOf(hotkey, undefined));
    return [hotkey, { combined, percentile, enough_days: tradingDays >= 60 }];
  });
  const placed = records.filter(({ positions }) => firstOrderMs(positions) !== undefined);
  const failed = [...round.inspection.failed].map(([hotkey, { reason, dd }]): [string, unknown] => [
    hotkey,
    [reason, dd],
  ]);
  const got = {
    first_order_ms: Object.fromEntries(
      placed.map(({ hotkey, positions }) => [hotkey, firstOrderMs(positions)]),
    ),
    filtered_position_uuids: Object.fromEntries(
      placed.map(({ hotkey, positions }) => [
        hotkey,
        scoringPositions(positions).map(({ position_uuid: uuid }) => uuid),
      ]),
    ),
    trial: Object.fromEntries(tried),
    passing: round.inspection.promoted,
    failing: Object.fromEntries(failed),
    state_after: challengeMaps(round.stateAfter),
    eliminations: round.eliminations,
    flattened_positions: closedPositions(miners, round.eliminations),
  };
  compareValues(got, expect, difference, 'challenge');
  return hotkeysIn(state, 'CHALLENGE', 'MAINCOMP').length;
}

export const ROUND_FORMS = [
  ...[1, 5, 40, 200].map(scoringForm),
  generationForm('generation_2025_02.json', SCORING_GENERATIONS['2025-02']),
  generationForm('generation_2025_06.json', SCORING_GENERATIONS['2025-06']),
  jsonForm<ChallengeFile>('challenge_period.json', 'challenge period and eliminations', runChallenge),
];
