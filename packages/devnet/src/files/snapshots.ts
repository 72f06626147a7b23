import { joinMembers } from '@ptn-api/positions';
import type { Miner } from '../records/miners.ts';
import { positionsOf } from '../records/miners.ts';
import { checkpointParts } from '../scoring/checkpoint-text.ts';
import { outputFiles } from '../scoring/outputs.ts';
import { SCORING_PATHS } from '../scoring/scoring-paths.ts';
import { eliminationsText, statisticsFile } from '../scoring/scoring-texts.ts';
import { scoreHistory } from '../statistics/scored-history.ts';
import type { ValidatorFolder } from './validator-folder.ts';

export interface SnapshotOptions {
  readonly folder: ValidatorFolder;
  readonly miners: readonly Miner[];
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
  const { folder, miners, nowMs, version } = options;
  writeEliminationsFile(folder, miners);
  const { challenge, ledgers, statistics } = scoreHistory(miners, nowMs, version);
  const shown = miners.map((miner) => ({ hotkey: miner.hotkey, positions: positionsOf(miner) }));
  const checkpoint = checkpointParts({
    nowMs,
    version,
    state: challenge,
    eliminations: eliminationsOf(miners),
    miners: shown,
    ledgers,
  });
  // Compressed, as validators have it since autumn 2025.
  await folder.writeGzipInPlace(`${SCORING_PATHS.checkpoint}.gz`, checkpoint);
  for (const { path, parts, isGzip } of outputFiles(shown, nowMs)) {
    await folder.writeChunks(path, parts, { gzip: isGzip });
  }
  await folder.writeChunks(SCORING_PATHS.statistics, statisticsFile(statistics));
}
