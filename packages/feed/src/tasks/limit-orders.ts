import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import { join } from 'node:path';
import { deflateSegment, lastMembers, sliceObject } from '@ptn-api/positions';
import type { MinersFileMember, OrderStatus } from '@ptn-api/runtime';
import { codeOf, isAbsence, stampOf, UNSETTLED } from '@ptn-api/watch/file-stamp';
import { ORDER_STATUSES } from '@ptn-api/runtime/served-file';
import { finiteText, readText } from './read-text.ts';

/** Of a miner's folder, then of a pair's. */
const FOLDER = 'limit_orders';
const STATES = ['unfilled', 'closed'];
/** A file of an order has some 600 bytes. */
const MAX_ORDER_BYTES = 1024 * 1024;

/** What the numbers in `src` say of an order that waited for its price. */
const STATUS_OF_SOURCE: Readonly<Record<string, OrderStatus>> = {
  5: 'unfilled',
  8: 'unfilled',
  6: 'filled',
  9: 'filled',
  7: 'cancelled',
  10: 'cancelled',
};
const NOWHERE = 'nowhere';
/** What is shown of one, in the order in which the validator shows it. */
const SHOWN = [
  'order_type',
  'processed_ms',
  'limit_price',
  'price',
  'leverage',
  'value',
  'quantity',
  'src',
  'execution_type',
  'order_uuid',
  'stop_loss',
  'take_profit',
];

/** An order as it was read from its file; `text` as it is shown. */
export interface LimitOrderFile {
  readonly stamp: string;
  readonly status: OrderStatus;
  readonly processedMs: number;
  readonly text: string;
}

export interface ListLimitOrdersInput {
  /** `validation/miners`. */
  readonly root: string;
}

/** By hotkey, for every miner with a folder of limit orders: what changes when anything in it does. */
export type ListedLimitOrders =
  | { readonly kind: 'gone' }
  | { readonly kind: 'bad'; readonly stamp: string; readonly reason: string }
  | {
      readonly kind: 'listed';
      readonly stamps: ReadonlyMap<string, string>;
      /** Why the folders of a miner cannot be listed. */
      readonly unreadable: ReadonlyMap<string, string>;
      /** What looking took of the thread. */
      readonly tookMs: number;
    };

/** The entries of a folder that need not be there. */
function entriesOf(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
}

/** The folders of a miner's orders: those that wait, and those that do not any more. */
function* foldersOf(root: string, hotkey: string): Generator<string> {
  const folder = join(root, hotkey, FOLDER);
  for (const pair of entriesOf(folder)) {
    if (pair.isDirectory()) for (const state of STATES) yield join(folder, pair.name, state);
  }
}

/** The stamp of a folder and, as files may be written in place, of the files in it. */
function stampOfFolder(folder: string, nowMs: number): string[] {
  const stats = statSync(folder, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined) return [];
  return [
    stampOf(stats, nowMs),
    ...entriesOf(folder).map(({ name }) => stampOfFile(join(folder, name), nowMs)),
  ];
}

function stampOfFile(path: string, nowMs: number): string {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? NOWHERE : `${path} ${stampOf(stats, nowMs)}`;
}

/** Lists the miners that have limit orders, without reading any. */
export function listLimitOrders({ root }: ListLimitOrdersInput): ListedLimitOrders {
  const nowMs = Date.now();
  const startedMs = performance.now();
  const stamps = new Map<string, string>();
  const unreadable = new Map<string, string>();
  let miners: Dirent[];
  try {
    miners = readdirSync(root, { withFileTypes: true });
  } catch (error) {
    if (isAbsence(error)) return { kind: 'gone' };
    return { kind: 'bad', stamp: '', reason: `cannot be listed (${codeOf(error) ?? String(error)})` };
  }
  for (const { name: hotkey } of miners) {
    try {
      const stamp = stampOfMiner(root, hotkey, nowMs);
      if (stamp !== undefined) stamps.set(hotkey, stamp);
    } catch (error) {
      unreadable.set(hotkey, `${join(root, hotkey)} cannot be listed (${codeOf(error) ?? String(error)})`);
    }
  }
  return { kind: 'listed', stamps, unreadable, tookMs: performance.now() - startedMs };
}

/** `undefined` where there are no folders of limit orders. */
function stampOfMiner(root: string, hotkey: string, nowMs: number): string | undefined {
  const parts = [...foldersOf(root, hotkey)].flatMap((folder) => stampOfFolder(folder, nowMs));
  if (parts.length === 0) return undefined;
  if (parts.some((part) => part === UNSETTLED || part.endsWith(' '))) return UNSETTLED;
  return createHash('sha256').update(parts.join('\n')).digest('base64url');
}

export interface LoadLimitOrdersInput {
  readonly root: string;
  readonly hotkey: string;
  /** By path: what was read of it before, which counts as long as the file is the same or does not read. */
  readonly known: ReadonlyMap<string, LimitOrderFile>;
}

export interface LoadedLimitOrders {
  readonly files: ReadonlyMap<string, LimitOrderFile>;
  readonly views: MinersFileMember['views'];
  /** Files that do not read. */
  readonly bad: readonly { readonly path: string; readonly reason: string }[];
}

/** Reads the limit orders of one miner. */
export function loadLimitOrders({ root, hotkey, known }: LoadLimitOrdersInput): LoadedLimitOrders {
  const files = new Map<string, LimitOrderFile>();
  const bad: { path: string; reason: string }[] = [];
  for (const folder of foldersOf(root, hotkey)) {
    for (const { name } of entriesOf(folder)) {
      const path = join(folder, name);
      const before = known.get(path);
      const read = loadOrder(path, before?.stamp);
      if ('text' in read) files.set(path, read);
      else if (read.kind === 'bad') bad.push({ path, reason: read.reason });
      if (!('text' in read) && read.kind !== 'gone' && before !== undefined) files.set(path, before);
    }
  }
  const orders = [...files.values()].sort((a, b) => a.processedMs - b.processedMs);
  const views = ORDER_STATUSES.map((status) => {
    const texts = orders.filter((order) => order.status === status).map(({ text }) => text);
    return [status, { text: deflateSegment(`[${texts.join(', ')}]`), items: texts.length }] as const;
  });
  return { files, views: Object.fromEntries(views), bad };
}

function loadOrder(
  path: string,
  stamp: string | undefined,
): LimitOrderFile | { kind: 'same' | 'gone' } | { kind: 'bad'; reason: string } {
  const file = readText(path, stamp, MAX_ORDER_BYTES);
  if (file.kind !== 'read') return file;
  const { text } = finiteText(file);
  const bad = (reason: string) => ({ kind: 'bad', reason }) as const;
  try {
    const members = textsOf(text);
    const status = STATUS_OF_SOURCE[members.get('src') ?? ''];
    if (status === undefined) return bad('holds no "src" of a limit order');
    const processedMs = Number(members.get('processed_ms'));
    if (!Number.isFinite(processedMs)) return bad('holds no "processed_ms"');
    const pair = pairText(members.get('trade_pair') ?? 'null');
    if (pair === undefined) return bad('holds no "trade_pair"');
    const shown = SHOWN.map((name) => `"${name}": ${members.get(name) ?? 'null'}`);
    return {
      stamp: file.stamp,
      status,
      processedMs,
      text: `{"trade_pair": ${pair}, ${shown.join(', ')}}`,
    };
  } catch (error) {
    return bad(`is not a JSON object: ${(error as Error).message}`);
  }
}

function textsOf(text: string): Map<string, string> {
  return new Map(
    [...lastMembers(sliceObject(text))].map(([key, { valueStart, valueEnd }]) => [
      key,
      text.slice(valueStart, valueEnd),
    ]),
  );
}

/** `["BTCUSD", "BTC/USD"]`, of the object that the file has or of a list; `undefined` where it is neither. */
function pairText(text: string): string | undefined {
  const pair: unknown = JSON.parse(text);
  if (typeof pair !== 'object' || pair === null) return undefined;
  const [id, name] = Array.isArray(pair)
    ? (pair as unknown[])
    : [(pair as Record<string, unknown>)['trade_pair_id'], (pair as Record<string, unknown>)['trade_pair']];
  if (typeof id !== 'string' || typeof name !== 'string') return undefined;
  return `[${JSON.stringify(id)}, ${JSON.stringify(name)}]`;
}
