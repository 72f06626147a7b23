/** What the supervisor keeps and hands to every worker that (re)starts: the values of the retained topics, and their keys. */
import type { KeyGrant } from '@ptn-api/access';
import type { Segment } from '@ptn-api/positions';
import type { Tier } from '@ptn-api/protocol';
import type { MinersFileName } from '../served-files.ts';
import type { MinerView } from '../served-file.ts';

/** The state of the positions as a whole; its own key in the topic, always in the transaction that changes it. */
export interface PositionsHead {
  readonly kind: 'positions-head';
  /** Rises with every change, also over restarts of the feed. */
  readonly generation: number;
  /** Where the positions come from; `none` while there is neither a tree nor an outputs file. */
  readonly source: 'tree' | 'outputs' | 'none';
  /** Every miner, in the order of the dashboard map: `thirty_day_returns` descending. */
  readonly hotkeys: readonly string[];
  /** Unix ms of the newest source change that is in this generation. */
  readonly modifiedMs: number;
  /** Complete up to this order of the order log; absent while no order log is kept. */
  readonly sequence?: number;
  /** Identity of the order log that `sequence` belongs to. */
  readonly epoch?: string;
  /** The last generation in which a miner went away, or the first of the feed: since then every miner is still there. */
  readonly goneAt?: number;
}

/** A segment, or the digest of one whose own key is `segment:<hotkey>/<digest>` (see `segmentKey`). */
export type SegmentReference = Segment | string;

/**
 * One miner's value of the dashboard map, by tier, as segments:
 * `{"positions": [` + settled… + live[tier]…, where live ends with `], …summary fields…, "tier": N}`.
 */
export interface MinerValue {
  readonly kind: 'miner';
  /** The opening of the value and the positions that are the same in every tier. */
  readonly settled: readonly SegmentReference[];
  /** The rest of the value. */
  readonly live: Readonly<Record<Tier, readonly SegmentReference[]>>;
  /** The generation in which what each tier shows of the miner last changed. */
  readonly changedAt: Readonly<Record<Tier, number>>;
}

/** A large segment of a miner's value: sent once, however often other parts of the value change. */
export interface SegmentValue {
  readonly kind: 'segment';
  readonly segment: Segment;
}

/** The key of a segment in the topic `positions`; there while the miner's value refers to it. */
export function segmentKey(hotkey: string, digest: string): string {
  return `segment:${hotkey}/${digest}`;
}

/** The statistics file around its miners: head + miners joined by `, ` + tail. */
export interface StatisticsHead {
  readonly kind: 'statistics-head';
  readonly generation: number;
  readonly hotkeys: readonly string[];
  readonly head: Segment;
  readonly tail: Segment;
  readonly modifiedMs: number;
}

/** One element of the statistics' `data`: base + (checkpoints or nothing) + `}`. */
export interface StatisticsMiner {
  readonly kind: 'statistics-miner';
  /** The element without its checkpoints and without its closing brace. */
  readonly base: Segment;
  /** `, "checkpoints": […]`, or absent where the element has none. */
  readonly checkpoints?: Segment;
}

/** A file that is kept by miner. */
export interface MinersFileHead {
  readonly kind: 'miners-file-head';
  /** In the order of the file. */
  readonly hotkeys: readonly string[];
  /** Unix ms. */
  readonly modifiedMs: number;
}

/** One miner of such a file. */
export interface MinersFileMember {
  readonly kind: 'miners-file-member';
  /** A view that does not show the miner is absent. `items` is how many elements its list has, 1 where it is none. */
  readonly views: Readonly<Partial<Record<MinerView, { readonly text: Segment; readonly items: number }>>>;
}

/** A whole file, as one complete gzip member. */
export interface DocumentValue {
  readonly kind: 'document';
  /** The member. Absent where it is large: then it is `file`, which who serves it reads. */
  readonly gzip?: Uint8Array;
  readonly file?: { readonly path: string; readonly sizeBytes: number };
  /** Length of the uncompressed text in bytes. */
  readonly sizeBytes: number;
  readonly digest: string;
  readonly modifiedMs: number;
}

/** What the workers need to know of the keys: digests only, never a key. */
interface KeysValue {
  readonly kind: 'keys';
  readonly entries: readonly KeyGrant[];
}

/** Whether the feed is there; the others go on with the last state while it is not. */
export interface FeedHealth {
  readonly kind: 'feed-health';
  readonly up: boolean;
  /** Unix ms since when. */
  readonly sinceMs: number;
}

/** That the feed lives and reads, published again every few seconds. */
export interface SourcesHealth {
  readonly kind: 'sources-health';
  /**
   * When all that the positions are made of had last been checked, and everything found until then was read and
   * published; by the clock of the machine (`monotonicMs`). It moves on in a quiet market too.
   */
  readonly checkedMs: number;
  /** Of other files that are served: which have not read for a while, and why. */
  readonly problems?: readonly string[];
}

/** Where the server listens; 0 in the configuration lets the system choose. */
export interface ListeningPorts {
  readonly kind: 'listening-ports';
  readonly ws: number;
}

/** What the order log holds. Published after every append, so that its readers know that there is something to read. */
export interface OrdersHead {
  readonly kind: 'orders-head';
  /** Identity of the log: a new one starts its sequences anew. */
  readonly epoch: string;
  /** Sequence of the oldest order that is still there; `last + 1` when there is none. */
  readonly oldest: number;
  /** Sequence of the newest order that was appended; 0 when there was none. */
  readonly last: number;
  /** Folder of the order log. */
  readonly path: string;
}

/** One authenticated WebSocket connection, so that the limit per key holds over all WebSocket workers. */
export interface WsConnection {
  readonly kind: 'ws-connection';
  /** SHA-256 of the key it came with, never the key. */
  readonly userDigest: string;
  /** Unix ms since when it counts. */
  readonly sinceMs: number;
}

/** Requests of one user that one REST worker has let in, so that the limit per user holds over all of them. */
export interface RequestCount {
  readonly kind: 'request-count';
  /** Unix ms at which the minute began that is counted. */
  readonly windowMs: number;
  readonly count: number;
}

/** The topic of a file that is kept by miner: each has its own, so that each begins anew by itself. */
export type MinersFileTopic<N extends MinersFileName = MinersFileName> = `file:${N}`;

export function minersFileTopic<N extends MinersFileName>(name: N): MinersFileTopic<N> {
  return `file:${name}`;
}

/** Keys: `head`, and the hotkey after `miner:`. No key at all: there is no such file. */
type MinersFileValues = Readonly<Record<MinersFileTopic, MinersFileHead | MinersFileMember>>;

/** What is kept under the keys of each topic. */
export interface TopicValues extends MinersFileValues {
  /** Keys: `head`, the hotkey after `miner:`, and those of segments. */
  positions: PositionsHead | MinerValue | SegmentValue;
  /** Keys: `head`, and the hotkey after `miner:`. No key at all: there is no statistics file. */
  statistics: StatisticsHead | StatisticsMiner;
  /** Keys: names of `SERVED_FILES`; absent while there is no such file. */
  documents: DocumentValue;
  /** Key: `ring`. */
  keys: KeysValue;
  /** Key: `feed`. */
  health: FeedHealth;
  /** Key: `feed`. */
  sources: SourcesHealth;
  /** Key: `ports`; absent until the ports are open. */
  listeners: ListeningPorts;
  /** Key: `head`; absent while no order log is kept. */
  orders: OrdersHead;
  /**
   * Keys: the id of the process that serves the connection, a colon, and what distinguishes its connections
   * (see `connectionKey`). Sent to `ws` workers alone, to the one that published it too. The supervisor removes the
   * keys of a process that is asked to drain, and once more when it has ended.
   */
  connections: WsConnection;
  /** The same for `rest` workers; behind the colon stands the user. */
  requests: RequestCount;
}

export type Topic = keyof TopicValues;

/**
 * The key of a connection in the topic `connections`. It begins with the process and not with the name of the worker:
 * in a rolling restart two processes serve under one name.
 */
export function connectionKey(pid: number, connectionId: string | number): string {
  return `${pid}:${connectionId}`;
}
