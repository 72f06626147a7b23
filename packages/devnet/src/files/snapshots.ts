import { joinMembers, quote } from '@ptn-api/positions';
import { TIERS } from '@ptn-api/protocol';
import type { Miner } from '../records/miners.ts';
import { positionsOf } from '../records/miners.ts';
import { challengePeriodOf, minerStatistics } from '../statistics/miner-statistics.ts';
import { performanceOf } from '../statistics/portfolio.ts';
import { dashboardMember, takeDashboard } from './dashboard.ts';
import type { MinerPositions } from './dashboard.ts';
import {
  writeCheckpoints,
  writeEliminations,
  writeMinerStatistics,
  writePlainMap,
  writePlainMaps,
} from './shapes.ts';
import { each, enclosed, mapOf, members } from './text-parts.ts';
import type { Parts } from './text-parts.ts';
import type { ValidatorFolder } from './validator-folder.ts';

/** What the statistics tell of the rules they were made by. */
const CONSTANTS = {
  CHALLENGE_PERIOD_DAYS: 60,
  MAX_TOTAL_DRAWDOWN: 0.1,
  TARGET_CHECKPOINT_DURATION_MS: 43_200_000,
};

export interface SnapshotOptions {
  readonly folder: ValidatorFolder;
  readonly miners: readonly Miner[];
  /** The validator's version. */
  readonly version: string;
  /** As of when, Unix ms. */
  readonly nowMs: number;
}

function shown(miner: Miner): MinerPositions {
  return { hotkey: miner.hotkey, positions: positionsOf(miner) };
}

function eliminationsText(miners: readonly Miner[]): string {
  return writeEliminations(miners.flatMap(({ elimination }) => elimination ?? []));
}

/** Version and time of writing, with which statistics and checkpoint begin. */
function heading({ version, nowMs }: SnapshotOptions): [string, Parts][] {
  const date = new Date(nowMs).toISOString().slice(0, 19).replace('T', ' ');
  return [
    ['version', [quote(version)]],
    ['created_timestamp_ms', [String(nowMs)]],
    ['created_date', [quote(date)]],
  ];
}

function checkpointText(options: SnapshotOptions): Parts {
  const { miners, nowMs } = options;
  const periods: Record<'testing' | 'success', Record<string, number>> = { testing: {}, success: {} };
  let [youngestMs, oldestMs] = [0, nowMs];
  for (const miner of miners) {
    const { status, start_time_ms: startMs } = challengePeriodOf(miner, nowMs);
    if (miner.elimination === undefined) periods[status][miner.hotkey] = startMs;
    for (const { orders } of positionsOf(miner)) {
      for (const { processed_ms: timeMs } of orders) {
        youngestMs = Math.max(youngestMs, timeMs);
        oldestMs = Math.min(oldestMs, timeMs);
      }
    }
  }
  const dashboard = takeDashboard(miners.map(shown), nowMs);
  return members([
    ...heading(options),
    ['challengeperiod', [writePlainMaps(periods)]],
    ['eliminations', [eliminationsText(miners)]],
    ['youngest_order_processed_ms', [String(youngestMs)]],
    ['oldest_order_processed_ms', [String(oldestMs)]],
    ['positions', mapOf(dashboard, (miner) => dashboardMember(miner))],
    ['perf_ledgers', mapOf(miners, (miner) => [miner.hotkey, ledgerText(miner, nowMs)])],
  ]);
}

function ledgerText(miner: Miner, nowMs: number): string {
  const checkpoints = performanceOf(
    positionsOf(miner),
    miner.elimination?.elimination_initiated_time_ms ?? nowMs,
  );
  return joinMembers([
    ['initialization_time_ms', String(miner.joinedMs)],
    ['cps', writeCheckpoints(checkpoints)],
  ]);
}

function statisticsText(options: SnapshotOptions): Parts {
  const statistics = minerStatistics(options.miners, options.nowMs);
  return members([
    ...heading(options),
    ['data', enclosed('[', each(statistics, writeMinerStatistics), ']')],
    ['constants', [writePlainMap(CONSTANTS)]],
  ]);
}

/** `validation/eliminations.json`. */
export function writeEliminationsFile(folder: ValidatorFolder, miners: readonly Miner[]): void {
  folder.write('validation/eliminations.json', joinMembers([['eliminations', eliminationsText(miners)]]));
}

/** Everything that the validator writes about every 15 s. */
export async function writeSnapshots(options: SnapshotOptions): Promise<void> {
  const { folder, miners, nowMs } = options;
  writeEliminationsFile(folder, miners);
  await folder.writeGzipInPlace('runnable/validator_checkpoint.json.gz', checkpointText(options));
  const dashboard = takeDashboard(miners.map(shown), nowMs);
  const output = mapOf(dashboard, (miner) => dashboardMember(miner));
  await folder.writeChunks('validation/outputs/output.json', output);
  for (const tier of TIERS) {
    const path = `validation/outputs/tiered_positions/${tier}/output.json.gz`;
    const filtered = mapOf(dashboard, (miner) => dashboardMember(miner, { tier, nowMs }));
    await folder.writeChunks(path, filtered, { gzip: true });
  }
  await folder.writeChunks('runnable/minerstatistics.json', statisticsText(options));
}
