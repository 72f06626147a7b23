import { joinMembers } from '@ptn-api/positions';
import {
  checkpointParts,
  eliminationsText,
  outputFiles,
  SCORING_PATHS,
  statisticsFile,
} from '@ptn-api/validator-files';
import type { Generation } from '../generation.ts';
import type { Market } from '../market/market.ts';
import type { Miner } from '../records/miners.ts';
import { positionsOf } from '../records/miners.ts';
import { scoreHistory } from '../statistics/scored-history.ts';
import type { ScoredHistory } from '../statistics/scored-history.ts';
import type { LimitOrderFiles } from '../vanta/limit-order-files.ts';
import { challengePeriodText, checkpointMembers, VANTA_FILES } from '../vanta/vanta-files.ts';
import { vantaHistory } from '../vanta/vanta-history.ts';
import type { WrittenHistory } from '../vanta/vanta-ledgers.ts';
import type { ValidatorFolder } from './validator-folder.ts';

export interface SnapshotOptions {
  readonly folder: ValidatorFolder;
  readonly seed: number;
  readonly generation: Generation;
  readonly market: Market;
  readonly miners: readonly Miner[];
  readonly limitOrders: LimitOrderFiles;
  /** What stays as it was written. */
  readonly written: WrittenHistory;
  /** The validator's version. */
  readonly version: string;
  /** As of when, Unix ms. */
  readonly nowMs: number;
}

function eliminationsOf(miners: readonly Miner[]) {
  return miners.flatMap(({ elimination }) => elimination ?? []);
}

/** `validation/eliminations.json`. */
export function writeEliminationsFile(folder: ValidatorFolder, miners: readonly Miner[]): void {
  const rows = eliminationsText(eliminationsOf(miners));
  folder.write('validation/eliminations.json', joinMembers([['eliminations', rows]]));
}

/** Everything that the validator writes about every 15 s. */
export async function writeSnapshots(options: SnapshotOptions): Promise<void> {
  const { folder, generation, miners, nowMs, version, written } = options;
  writeEliminationsFile(folder, miners);
  const scored = scoreHistory(miners, nowMs, version, written.cells);
  const { challenge, ledgers, statistics } = scored;
  const shown = miners.map((miner) => ({ hotkey: miner.hotkey, positions: positionsOf(miner) }));
  const checkpoint = checkpointParts({
    nowMs,
    version,
    challenge: challengePeriodText(generation, challenge),
    eliminations: eliminationsOf(miners),
    miners: shown,
    ledgers,
    more: checkpointMembers(generation, miners),
  });
  // Compressed, as validators have it since autumn 2025.
  await folder.writeGzipInPlace(`${SCORING_PATHS.checkpoint}.gz`, checkpoint);
  for (const { path, parts, isGzip } of outputFiles(shown, nowMs)) {
    await folder.writeChunks(path, parts, { gzip: isGzip });
  }
  await folder.writeChunks(SCORING_PATHS.statistics, statisticsFile(statistics));
  await writeVantaFiles(options, scored);
}

/** What the generation has besides; nothing before quantities. */
async function writeVantaFiles(options: SnapshotOptions, scored: ScoredHistory): Promise<void> {
  const { folder, generation, limitOrders } = options;
  const files = VANTA_FILES.filter(({ generations }) => generations.includes(generation));
  if (files.length === 0) return;
  const history = vantaHistory({ ...options, scored });
  for (const { path, parts } of files) {
    await folder.writeChunks(path, parts(history), { gzip: path.endsWith('.gz') });
  }
  limitOrders.write(history);
}
