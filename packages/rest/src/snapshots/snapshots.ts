import { KeyRing } from '@ptn-api/access';
import type {
  AnyTransaction,
  FeedHealth,
  MinersFileName,
  MinersFileTopic,
  ServedFileName,
  SourcesHealth,
  Transaction,
} from '@ptn-api/runtime';
import { minersFileTopic } from '@ptn-api/runtime';
import { OrderLogAccess } from '../order-log-access.ts';
import { foldMinersFile } from './miners-file-state.ts';
import type { MinersFileState } from './miners-file-state.ts';
import { foldPositions } from './positions-state.ts';
import type { PositionsState } from './positions-state.ts';
import { documentSnapshot } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';
import { foldStatistics } from './statistics-state.ts';
import type { StatisticsState } from './statistics-state.ts';

interface Waiter {
  readonly generation: number;
  readonly resolve: () => void;
}

type MinersFileTransaction = Extract<AnyTransaction, { topic: MinersFileTopic }>;

function isOfMinersFile(transaction: AnyTransaction): transaction is MinersFileTransaction {
  return transaction.topic.startsWith('file:');
}

/** What this worker serves from. Every change swaps one immutable state for another, between two requests. */
export class Snapshots {
  /** `undefined` until the first state has arrived. */
  positions: PositionsState | undefined;
  /** `undefined` while there is no such file. */
  statistics: StatisticsState | undefined;
  /** `undefined` until the supervisor has published it. */
  feed: FeedHealth | undefined;
  /** `undefined` until the feed has published it. */
  sources: SourcesHealth | undefined;
  /** Of the WebSocket server; `undefined` until it listens. */
  wsPort: number | undefined;
  /** Empty until the keys have arrived: then nobody is let in. */
  keys = new KeyRing([]);
  readonly orderLog = new OrderLogAccess();
  readonly #documents = new Map<string, Snapshot>();
  readonly #minersFiles = new Map<MinersFileTopic, MinersFileState>();
  readonly #waiters = new Set<Waiter>();

  /** `undefined` while there is no such file. */
  document(name: ServedFileName): Snapshot | undefined {
    return this.#documents.get(name);
  }

  /** `undefined` while there is no such file. */
  minersFile(name: MinersFileName): MinersFileState | undefined {
    return this.#minersFiles.get(minersFileTopic(name));
  }

  /**
   * Takes over what is retained.
   *
   * @throws Error when a transaction breaks the promises of its topic.
   */
  apply(transactions: readonly AnyTransaction[]): void {
    for (const transaction of transactions) {
      if (isOfMinersFile(transaction)) {
        this.#applyMinersFile(transaction);
        continue;
      }
      switch (transaction.topic) {
        case 'positions':
          this.positions = foldPositions(this.positions, transaction);
          this.#wake();
          break;
        case 'statistics':
          this.statistics = foldStatistics(this.statistics, transaction);
          break;
        case 'documents':
          this.#applyDocuments(transaction);
          break;
        case 'health':
          this.feed = transaction.put.at(-1)?.[1] ?? this.feed;
          break;
        case 'sources':
          this.sources = transaction.put.at(-1)?.[1] ?? this.sources;
          break;
        case 'listeners':
          this.wsPort = transaction.put.at(-1)?.[1].ws ?? this.wsPort;
          break;
        case 'orders':
          this.orderLog.apply(transaction);
          break;
        case 'connections':
        case 'requests':
          // Of WebSocket workers; of the rate limit.
          break;
        case 'keys':
          this.keys = new KeyRing(transaction.put.at(-1)?.[1].entries ?? []);
          break;
      }
    }
  }

  /** Requests that wait for a generation. */
  get waitingCount(): number {
    return this.#waiters.size;
  }

  /** Resolves when the positions have reached `generation`, and in any case after `withinMs`. */
  generationReached(generation: number, withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const waiter = {
        generation,
        resolve: () => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve();
        },
      };
      const timer = setTimeout(waiter.resolve, withinMs);
      this.#waiters.add(waiter);
    });
  }

  #applyDocuments({ reset, put, remove }: Transaction<'documents'>): void {
    if (reset) this.#documents.clear();
    for (const name of remove) this.#documents.delete(name);
    for (const [name, value] of put) this.#documents.set(name, documentSnapshot(value));
  }

  #applyMinersFile(transaction: MinersFileTransaction): void {
    const { topic } = transaction;
    const state = foldMinersFile(this.#minersFiles.get(topic), transaction);
    if (state === undefined) this.#minersFiles.delete(topic);
    else this.#minersFiles.set(topic, state);
  }

  #wake(): void {
    const generation = this.positions?.head.generation ?? 0;
    for (const waiter of this.#waiters) {
      if (generation >= waiter.generation) waiter.resolve();
    }
  }
}
