/**
 * All messages between the supervisor and its workers, on one page. Bytes travel as `Uint8Array`, never as parsed
 * objects; every channel uses `serialization: 'advanced'`.
 */
import type { KeyGrant } from '@ptn-api/access';
import type { Segment } from '@ptn-api/positions';
import type { Tier } from '@ptn-api/protocol';
import type { ServerConfig } from '../config.ts';
import type { MinersFileName } from '../served-files.ts';
import type { MinerView } from '../served-file.ts';
import type { MetricFamily } from '../metrics/process-metrics.ts';
import type { LoggedError } from '../metrics/recent-errors.ts';

export type { KeyGrant };

export type WorkerRole = 'feed' | 'rest' | 'ws';
/** The roles that serve connections, each those of its own port. */
export type ServingRole = Exclude<WorkerRole, 'feed'>;

// --- retained topics ------------------------------------------------------------------------------------------------

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

/**
 * A change of one topic that is applied as a whole or not at all: first `reset`, then `remove`, then `put`. The
 * supervisor folds transactions into the retained state of the topic and hands a worker that (re)starts one transaction
 * with `reset` that holds all of it. Several transactions may reach a slow worker merged into one.
 */
export interface Transaction<T extends Topic = Topic> {
  readonly topic: T;
  /** Everything kept under this topic so far is forgotten first. */
  readonly reset: boolean;
  readonly put: readonly (readonly [key: string, value: TopicValues[T]])[];
  readonly remove: readonly string[];
}

export type AnyTransaction = { [T in Topic]: Transaction<T> }[Topic];

/**
 * What one message holds of a change. A large change travels as several (see `sendInParts`), and is applied when the
 * last one is there.
 */
export interface Part {
  readonly transactions: readonly AnyTransaction[];
  /** The last transaction goes on with the first one of the next part. */
  readonly continues?: true;
}

// --- supervisor -> worker -------------------------------------------------------------------------------------------

/** The first message to a worker. */
interface StartMessage {
  readonly type: 'start';
  readonly config: ServerConfig;
  /** `feed` alone: the last generation that was published before this start, or 0. */
  readonly lastGeneration: number;
}

interface RetainMessage extends Part {
  readonly type: 'retain';
}

/** Sent with a socket handle that the supervisor accepted: serve it. One at a time: the next follows `accepted`. */
interface ConnectionMessage {
  readonly type: 'connection';
}

/** Finish what is in hand, take nothing new, answer `drained`, exit 0. */
interface DrainMessage {
  readonly type: 'drain';
  readonly withinMs: number;
}

interface PingMessage {
  readonly type: 'ping';
  readonly id: number;
}

/** Answer with `metrics`. */
interface MetricsRequestMessage {
  readonly type: 'metrics-request';
  readonly id: number;
}

export type ToWorker =
  StartMessage | RetainMessage | ConnectionMessage | DrainMessage | PingMessage | MetricsRequestMessage;

// --- worker -> supervisor -------------------------------------------------------------------------------------------

/** The process runs and listens on its channel: send `start`. */
interface OnlineMessage {
  readonly type: 'online';
}

/** The worker does its work: the feed has published its first snapshots, the others hold what was retained. */
interface ReadyMessage {
  readonly type: 'ready';
}

/**
 * Refused as a whole unless `TOPICS` names the sender as who publishes every topic in it. Of a topic whose keys are those of
 * processes, it may put and remove its own, and not `reset`.
 */
interface PublishMessage extends Part {
  readonly type: 'publish';
}

interface PongMessage {
  readonly type: 'pong';
  readonly id: number;
  /** Of the whole process. */
  readonly rssBytes: number;
}

/** The worker cannot do its work and says why; it exits next. At start-up this ends the whole server. */
interface FatalMessage {
  readonly type: 'fatal';
  readonly detail: string;
}

/**
 * The worker has taken the connection over. Until then the supervisor keeps it, and gives it to another worker if this
 * one ends.
 */
interface AcceptedMessage {
  readonly type: 'accepted';
}

/** Something for the operator's alerts: `raise` begins an error of the topic, `clear` ends it, `happened` has no end. */
export interface AlertMessage {
  readonly type: 'alert';
  readonly topic: string;
  readonly change: 'raise' | 'clear' | 'happened';
  /** Without anything secret: it leaves the machine. */
  readonly text: string;
}

interface DrainedMessage {
  readonly type: 'drained';
}

/** The answer to `metrics-request`: how it is right now. */
export interface MetricsMessage {
  readonly type: 'metrics';
  readonly id: number;
  readonly families: readonly MetricFamily[];
  /** What the process logged last at level `error` or above, oldest first. */
  readonly errors: readonly LoggedError[];
}

export type FromWorker =
  | OnlineMessage
  | ReadyMessage
  | PublishMessage
  | PongMessage
  | FatalMessage
  | AcceptedMessage
  | AlertMessage
  | DrainedMessage
  | MetricsMessage;
