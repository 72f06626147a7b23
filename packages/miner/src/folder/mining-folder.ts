import { readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { makeFolder } from './durable.ts';

/** The folders of a miner, all in one, which is called `mining`. */
export interface MiningFolder {
  readonly path: string;
  /** Signals that wait, or whose outcome is not known yet. */
  readonly received: string;
  readonly processed: string;
  readonly failed: string;
  /** What was sent of a signal that is on its way, and what was answered. */
  readonly attempts: string;
  /** Files that are being written. */
  readonly temporary: string;
  readonly secretsFile: string;
  readonly statusFile: string;
}

export function miningFolder(path: string): MiningFolder {
  return {
    path,
    received: join(path, 'received_signals'),
    processed: join(path, 'processed_signals'),
    failed: join(path, 'failed_signals'),
    attempts: join(path, 'attempts'),
    temporary: join(path, 'tmp'),
    secretsFile: join(path, 'miner_secrets.json'),
    statusFile: join(path, 'miner_status.json'),
  };
}

/** Makes the folders that are missing. */
export async function makeMiningFolder(folder: MiningFolder): Promise<void> {
  for (const path of [folder.received, folder.processed, folder.failed, folder.attempts, folder.temporary]) {
    await makeFolder(path);
  }
}

/** Removes drafts that a process left which was killed. Only while no other part writes: drafts of others are young. */
export async function removeOldDrafts(folder: MiningFolder, nowMs: number): Promise<void> {
  for (const name of await readdir(folder.temporary)) {
    const path = join(folder.temporary, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: nowMs }));
    if (nowMs - mtimeMs > OLD_DRAFT_MS) await rm(path, { force: true });
  }
}

const OLD_DRAFT_MS = 60_000;

/** Of editors and of macOS. */
const NO_SIGNALS = /^\.DS_Store$|\.swp$/;

/** The files of a folder of signals, with those in folders below; those of an open position's folder first. */
export async function signalFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && !NO_SIGNALS.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  const isOpen = (path: string): number => (path.includes('/open/') ? 0 : 1);
  return paths.sort((a, b) => isOpen(a) - isOpen(b) || (basename(a) < basename(b) ? -1 : 1));
}
