import type { Logger } from 'pino';
import { connectionKey, RetainedState, TOPICS } from '@ptn-api/runtime';
import type {
  AnyTransaction,
  FeedHealth,
  KeyGrant,
  ListeningPorts,
  ServingRole,
  Topic,
  TopicRow,
} from '@ptn-api/runtime';
import type { WorkerSpec } from './worker-spec.ts';

export interface BrokerOptions {
  readonly log: Logger;
  /** Sends what changed to every worker of a role. */
  readonly forward: (role: ServingRole, transactions: readonly AnyTransaction[]) => void;
}

/** A process that publishes. */
export interface Publisher {
  readonly spec: WorkerSpec;
  readonly pid: number | undefined;
}

export type RetainedReader = Pick<RetainedState, 'get'>;

/** What workers of a role are handed: nothing that they have no use for. */
function heardBy(role: ServingRole, transactions: readonly AnyTransaction[]): AnyTransaction[] {
  return transactions.filter(({ topic }) => rowOf(topic).heardBy.includes(role));
}

function rowOf(topic: Topic): TopicRow {
  return TOPICS[topic];
}

/** Keeps the retained state for the workers: what the feed published, the keys, and whether the feed is there. */
export class Broker {
  readonly #options: BrokerOptions;
  readonly #retained = new RetainedState();

  constructor(options: BrokerOptions) {
    this.#options = options;
  }

  /** All that a worker of this role has to know that comes online now. */
  snapshot(role: ServingRole): AnyTransaction[] {
    return heardBy(role, this.#retained.snapshot());
  }

  /** What is retained at the moment, for monitoring; treat it as read-only. */
  get retained(): RetainedReader {
    return this.#retained;
  }

  /** The last generation that a feed published, or 0: the next one continues from there. */
  lastGeneration(): number {
    const positions = this.#retained.get('positions', 'head');
    const statistics = this.#retained.get('statistics', 'head');
    return Math.max(
      positions?.kind === 'positions-head' ? positions.generation : 0,
      statistics?.kind === 'statistics-head' ? statistics.generation : 0,
    );
  }

  setKeys(entries: readonly KeyGrant[]): void {
    this.#publish([{ topic: 'keys', reset: false, put: [['ring', { kind: 'keys', entries }]], remove: [] }]);
  }

  setFeedHealth(up: boolean): void {
    const health: FeedHealth = { kind: 'feed-health', up, sinceMs: Date.now() };
    this.#publish([{ topic: 'health', reset: false, put: [['feed', health]], remove: [] }]);
  }

  setWsPort(ws: number): void {
    const ports: ListeningPorts = { kind: 'listening-ports', ws };
    this.#publish([{ topic: 'listeners', reset: false, put: [['ports', ports]], remove: [] }]);
  }

  /** Takes over what a worker published: all of it, or, where it has no right to a part of it, nothing. */
  publishFor(publisher: Publisher, transactions: readonly AnyTransaction[]): void {
    const foreign = transactions.find((transaction) => !mayPublish(publisher, transaction));
    if (foreign === undefined) {
      this.#publish(transactions);
      return;
    }
    const { id } = publisher.spec;
    this.#options.log.error(
      { event: 'publish-refused', worker: id, topic: foreign.topic },
      `worker ${id} may not publish this of ${foreign.topic}: nothing of its message is kept`,
    );
  }

  /** The connections of this process do not count any more. */
  forgetConnections(pid: number | undefined): void {
    this.#forget('connections', pid);
  }

  /** What this process has counted is of no use any more; its user's minute goes on without it. */
  forgetRequests(pid: number | undefined): void {
    this.#forget('requests', pid);
  }

  #forget(topic: 'connections' | 'requests', pid: number | undefined): void {
    const remove = this.#retained.keys(topic).filter((key) => isKeyOf(pid, key));
    if (remove.length > 0) this.#publish([{ topic, reset: false, put: [], remove }]);
  }

  /** Kept first, then sent: a worker that comes online next finds it in the snapshot. */
  #publish(transactions: readonly AnyTransaction[]): void {
    this.#retained.applyAll(transactions);
    for (const role of ['rest', 'ws'] as const) {
      const heard = heardBy(role, transactions);
      if (heard.length > 0) this.#options.forward(role, heard);
    }
  }
}

function mayPublish({ spec, pid }: Publisher, { topic, reset, put, remove }: AnyTransaction): boolean {
  const { publishedBy, isPerProcess } = rowOf(topic);
  if (publishedBy !== spec.role) return false;
  if (isPerProcess !== true) return true;
  return !reset && [...put.map(([key]) => key), ...remove].every((key) => isKeyOf(pid, key));
}

function isKeyOf(pid: number | undefined, key: string): boolean {
  return pid !== undefined && key.startsWith(connectionKey(pid, ''));
}
