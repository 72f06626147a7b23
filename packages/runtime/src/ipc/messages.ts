/**
 * All messages between the supervisor and its workers, on one page; what they carry of the retained topics is in
 * `topic-values.ts`. Bytes travel as `Uint8Array`, never as parsed objects; every channel uses `serialization: 'advanced'`.
 */
import type { KeyGrant } from '@ptn-api/access';
import type { ServerConfig } from '../config.ts';
import type { MetricFamily } from '../metrics/process-metrics.ts';
import type { LoggedError } from '../metrics/recent-errors.ts';
import type { Topic, TopicValues } from './topic-values.ts';

export type { KeyGrant };
export * from './topic-values.ts';

export type WorkerRole = 'feed' | 'rest' | 'ws';
/** The roles that serve connections, each those of its own port. */
export type ServingRole = Exclude<WorkerRole, 'feed'>;

// --- transactions of retained topics --------------------------------------------------------------------------------

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
  | StartMessage
  | RetainMessage
  | ConnectionMessage
  | DrainMessage
  | PingMessage
  | MetricsRequestMessage;

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
