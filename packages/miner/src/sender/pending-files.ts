import { readFile, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isJsonObject, parseJson } from '@ptn-api/positions';
import type { JsonObject } from '@ptn-api/positions';
import type { FileIdentity } from '../folder/durable.ts';
import { signalFiles } from '../folder/mining-folder.ts';
import type { MiningFolder } from '../folder/mining-folder.ts';
import { isSignalName } from '../folder/signal-name.ts';
import { MAX_SIGNAL_BYTES, readSignalFile } from './signal-file.ts';

/** A failed signal that is to be sent again, to those who have not taken it. */
export const RESEND_ENDING = '.resend';

/** A file that is not finished yet is written on within this time. */
const UNFINISHED_MS = 2_000;

export interface PendingFile {
  readonly name: string;
  readonly path: string;
  readonly identity: FileIdentity;
}

export type PendingRead =
  | {
      readonly kind: 'signal';
      readonly signal: JsonObject;
      readonly pairId: string;
      readonly orders: JsonObject | undefined;
    }
  | { readonly kind: 'unreadable'; readonly text: string; readonly reason: string }
  /** Missing, or still being written: to be read again. */
  | { readonly kind: 'not yet' };

export async function identify(path: string): Promise<FileIdentity> {
  const { ino, mtimeNs } = await stat(path, { bigint: true });
  return { ino, mtimeNs };
}

/** All signals that wait, in the order in which they came; of equal times the name decides. */
export async function pendingFiles(folder: MiningFolder): Promise<PendingFile[]> {
  const resent = (await readdir(folder.attempts)).filter((name) => name.endsWith(RESEND_ENDING));
  const paths = [
    ...(await signalFiles(folder.received)),
    ...resent.map((name) => join(folder.attempts, name)),
  ];
  const found = await Promise.all(
    paths.map(async (path) => {
      const identity = await identify(path).catch(() => undefined);
      return identity === undefined ? [] : [{ name: basename(path, RESEND_ENDING), path, identity }];
    }),
  );
  return found
    .flat()
    .sort((a, b) => Number(a.identity.mtimeNs - b.identity.mtimeNs) || (a.name < b.name ? -1 : 1));
}

async function readBounded(path: string): Promise<string> {
  const { size } = await stat(path);
  if (size > MAX_SIGNAL_BYTES)
    throw new RangeError(`it has ${size} bytes, and signals at most ${MAX_SIGNAL_BYTES}`);
  return readFile(path, 'utf8');
}

/** The signal in a failed signal's file, and the orders that were made of it. */
function readFailed(text: string): PendingRead {
  const inner = parseJson(text);
  const record = typeof inner === 'string' ? parseJson(inner) : inner;
  const signal = isJsonObject(record) ? record.get('original_signal') : undefined;
  const orders = isJsonObject(record) ? record.get('created_orders') : undefined;
  const pair = isJsonObject(signal) ? signal.get('trade_pair') : undefined;
  const pairId = isJsonObject(pair) ? pair.get('trade_pair_id') : undefined;
  if (!isJsonObject(signal) || typeof pairId !== 'string') {
    return { kind: 'unreadable', text, reason: 'it holds no signal that could be sent again' };
  }
  return { kind: 'signal', signal, pairId, orders: isJsonObject(orders) ? orders : undefined };
}

/** Reads a file that waits. */
export async function readPending(
  { name, path, identity }: PendingFile,
  nowMs: number,
): Promise<PendingRead> {
  let text: string;
  try {
    text = await readBounded(path);
  } catch (error) {
    if (error instanceof RangeError) return { kind: 'unreadable', text: '', reason: error.message };
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'not yet' };
    throw error;
  }
  if (path.endsWith(RESEND_ENDING)) return readFailed(text);
  const read = readSignalFile(text);
  const reason = read.ok
    ? isSignalName(name)
      ? undefined
      : 'its name may hold letters, digits and dashes, at most 64: it is the uuid of the order'
    : read.reason;
  if (read.ok && reason === undefined) {
    return { kind: 'signal', signal: read.signal, pairId: read.pairId, orders: undefined };
  }
  if (nowMs - Number(identity.mtimeNs / 1_000_000n) < UNFINISHED_MS) return { kind: 'not yet' };
  return { kind: 'unreadable', text, reason: reason ?? '' };
}
