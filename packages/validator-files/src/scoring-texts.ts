import { joinMembers, pythonJsonWriter, quote } from '@ptn-api/positions';
import type { PythonShape } from '@ptn-api/positions';
import { challengeMaps } from '@ptn-api/scoring';
import type {
  ChallengeState,
  Elimination,
  MinerStatisticsFile,
  PlagiarismReport,
  Weights,
} from '@ptn-api/scoring';
import { writePlagiarism, writePlainMap, writePlainMaps } from './shapes.ts';
import { eliminationText } from './elimination-text.ts';
import { enclosed, members } from './text-parts.ts';
import { CUMULATIVE_CELL_SHAPE } from './ledger-texts.ts';

const writeFloats = pythonJsonWriter({ values: 'float' });

const METRICS: PythonShape = {
  values: { fields: { value: 'float', rank: 'plain', percentile: 'float', overall_contribution: 'float' } },
};

const writeMiner = pythonJsonWriter({
  fields: {
    hotkey: 'plain',
    challengeperiod: { values: 'plain' },
    scores: METRICS,
    augmented_scores: METRICS,
    daily_returns: { items: { fields: { date: 'plain', value: 'float' } } },
    volatility: { values: 'float' },
    drawdowns: { values: 'float' },
    plagiarism: 'float',
    engagement: {
      fields: {
        n_checkpoints: 'plain',
        n_positions: 'plain',
        position_duration: 'plain',
        checkpoint_durations: 'plain',
        minimum_days_boolean: 'plain',
        percentage_profitable: 'float',
      },
    },
    risk_profile: { values: 'float' },
    penalties: {
      fields: { drawdown_threshold: 'plain', martingale: 'float', risk_profile: 'float', total: 'float' },
    },
    weight: { fields: { value: 'float', rank: 'plain', percentile: 'float' } },
    checkpoints: { items: CUMULATIVE_CELL_SHAPE },
  },
});

/** `challengeperiod.json`. */
export function challengeText(state: ChallengeState): string {
  return writePlainMaps(challengeMaps(state));
}

/** The content of `perf_ledger_eliminations.json`, and of `eliminations` in the checkpoint. */
export function eliminationsText(rows: readonly Elimination[]): string {
  return `[${rows.map(eliminationText).join(', ')}]`;
}

/** `weights.json`: what validators set on the chain, the highest weight first. */
export function weightsText(weights: Weights, nowMs: number, generation: string): string {
  return joinMembers([
    ['set_time_ms', String(nowMs)],
    ['generation', quote(generation)],
    ['weights', writeFloats(Object.fromEntries(weights))],
  ]);
}

/** A miner's file below `validation/plagiarism/miners`. */
export function plagiarismText(report: PlagiarismReport, eventId: string, nowMs: number): string {
  return writePlagiarism({ event_id: eventId, time: nowMs, ...report });
}

/** Version and time of writing, with which statistics and checkpoint begin. */
export function heading(version: string, nowMs: number): [string, string[]][] {
  const date = new Date(nowMs).toISOString().slice(0, 19).replace('T', ' ');
  return [
    ['version', [quote(version)]],
    ['created_timestamp_ms', [String(nowMs)]],
    ['created_date', [quote(date)]],
  ];
}

/** Parts of `minerstatistics.json`. */
export function statisticsFile(statistics: MinerStatisticsFile): Iterable<string> {
  const { version, created_timestamp_ms: createdMs, data, constants } = statistics;
  return members([
    ...heading(version, createdMs),
    ['data', enclosed('[', data.map(writeMiner), ']')],
    ['constants', [writePlainMap(constants)]],
  ]);
}
