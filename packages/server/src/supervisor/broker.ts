import type { Logger } from 'pino';
import type { AnyTransaction, FeedHealth, KeyGrant } from '../ipc/messages.ts';
import { ownBytes } from '../ipc/own-bytes.ts';
import { RetainedState } from '../ipc/retained.ts';
import type { WorkerSpec } from './worker-spec.ts';

export interface BrokerOptions {
  readonly log: Logger;
  /** Sends what changed to every worker that serves the retained state. */
  readonly forward: (transactions: readonly AnyTransaction[]) => void;
}

/** Topics that are the supervisor's own. */
const OWN_TOPICS: readonly AnyTransaction['topic'][] = ['keys', 'health'];

/** Keeps the retained state for the workers: what the feed published, the keys, and whether the feed is there. */
export class Broker {
  readonly #options: BrokerOptions;
  readonly #retained = new RetainedState();

  constructor(options: BrokerOptions) {
    this.#options = options;
  }

  /** All that a worker has to know that comes online now. */
  snapshot(): AnyTransaction[] {
    return this.#retained.snapshot();
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

  /** Takes over what a worker published: all of it, or, where it has no right to a part of it, nothing. */
  publishFor(spec: WorkerSpec, transactions: readonly AnyTransaction[]): void {
    const foreign = transactions.find(({ topic }) => spec.role !== 'feed' || OWN_TOPICS.includes(topic));
    if (foreign === undefined) {
      this.#publish(ownBytes(transactions));
      return;
    }
    this.#options.log.error(
      { event: 'publish-refused', worker: spec.id, topic: foreign.topic },
      `worker ${spec.id} may not publish ${foreign.topic}: nothing of its message is kept`,
    );
  }

  /** Kept first, then sent: a worker that comes online next finds it in the snapshot. */
  #publish(transactions: readonly AnyTransaction[]): void {
    this.#retained.applyAll(transactions);
    this.#options.forward(transactions);
  }
}
