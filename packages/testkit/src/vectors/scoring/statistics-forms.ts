import { minerStatistics, readChallengeFile, scoreRound, SCORING_GENERATIONS } from '@ptn-api/scoring';
import type { MinerRecord, MinerStatisticsFile } from '@ptn-api/scoring';
import type { Difference } from '../compare-texts.ts';
import { compareValues } from '../compare-values.ts';
import { jsonForm, minerOf } from './scoring-file.ts';
import type { LedgerRows, Positions } from './scoring-file.ts';

interface StatisticsFile {
  readonly input: {
    readonly time_now: number;
    readonly testing: Readonly<Record<string, number>>;
    readonly success: Readonly<Record<string, number>>;
    readonly selected_miner_hotkeys: readonly string[];
    readonly plagiarism_scores: Readonly<Record<string, number>>;
    readonly perf_ledgers: Readonly<Record<string, LedgerRows>>;
    readonly positions: Readonly<Record<string, Positions>>;
  };
  readonly expect: { readonly version: string };
  readonly expect_bypass_confidence_scores: unknown;
}

function statisticsOf(
  { input, expect }: StatisticsFile,
  miners: readonly MinerRecord[],
  bypassConfidence: boolean,
): MinerStatisticsFile {
  const generation = SCORING_GENERATIONS['2025-05'];
  const state = readChallengeFile(input);
  const { time_now: nowMs } = input;
  const { weights } = scoreRound({ nowMs, generation, miners, state, eliminations: [] });
  return minerStatistics({
    nowMs,
    generation,
    version: expect.version,
    state,
    miners,
    weights,
    plagiarism: new Map(Object.entries(input.plagiarism_scores)),
    withCheckpoints: true,
    withRiskReport: true,
    bypassConfidence,
  });
}

function runStatistics(file: StatisticsFile, difference: Difference): number {
  const { selected_miner_hotkeys: hotkeys, perf_ledgers: ledgers, positions } = file.input;
  const miners = hotkeys.map((hotkey) => minerOf(hotkey, ledgers[hotkey], positions[hotkey]));
  compareValues(statisticsOf(file, miners, false), file.expect, difference, 'file');
  // Python cannot show backtests of a miner without a ledger.
  const withLedger = miners.filter((miner) => miner.ledgers !== undefined);
  const bypassed = statisticsOf(file, withLedger, true).data.map(({ hotkey, scores, augmented_scores }) => [
    hotkey,
    { scores, augmented_scores },
  ]);
  compareValues(Object.fromEntries(bypassed), file.expect_bypass_confidence_scores, difference, 'bypass');
  return miners.length;
}

export const STATISTICS_FORMS = [
  jsonForm<StatisticsFile>('statistics.json', 'minerstatistics as a whole', runStatistics),
];
