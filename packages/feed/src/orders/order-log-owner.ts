import { join } from 'node:path';
import type { Logger } from 'pino';
import type { AlertMessage, AnyTransaction, OrdersHead, ServerConfig } from '@ptn-api/runtime';
import {
  openOrderLogReader,
  openOrderLogWriter,
  OrderLogInUseError,
  pythonSequence,
} from '@ptn-api/order-log';
import type { OrderLogState } from '@ptn-api/order-log';
import type { MinerStore } from '../positions/miner-store.ts';
import type { TaskPool } from '../task-pool.ts';
import { OrderSequencer } from './order-sequencer.ts';

/** How often a server that takes over checks whether the order log is free, and what is new in it. */
const FOLLOW_MS = 100;
/** A takeover that failed is tried again after so long. */
const RETRY_MS = 5000;

const NOT_STORED = {
  change: 'raise',
  text: 'orders cannot be stored, and are not sent until they are: is there room on the disk of the state directory?',
} as const;
const STORED = { change: 'clear', text: 'orders are stored and sent again' } as const;

export interface OrderLogOwnerOptions {
  readonly config: ServerConfig;
  readonly log: Logger;
  readonly pool: TaskPool;
  readonly publish: (transactions: readonly AnyTransaction[]) => Promise<void>;
  readonly alert: (alert: Omit<AlertMessage, 'type'>) => void;
  /** What is known of the miners; `null` while there is no source of positions. */
  readonly store: () => MinerStore | null;
}

/**
 * Writes the order log of the state directory, or follows it until the server that this one takes over from lets go of
 * it.
 */
export class OrderLogOwner {
  readonly #options: OrderLogOwnerOptions;
  #orders: OrderSequencer | null = null;
  #nextAttempt: NodeJS.Timeout | null = null;
  #attempt: Promise<void> | null = null;
  #isClosed = false;
  /** Whether the last attempt to store orders succeeded; `undefined` before the first. */
  #wasStored: boolean | undefined;

  constructor(options: OrderLogOwnerOptions) {
    this.#options = options;
  }

  /** Where new orders go; `null` while another server numbers them. */
  get orders(): OrderSequencer | null {
    return this.#orders;
  }

  /**
   * Opens the order log, before anything is read, so that no order passes it by.
   *
   * @throws OrderLogInUseError when a server writes it that this one does not take over from.
   */
  async open(): Promise<void> {
    const { config, log, pool, alert } = this.#options;
    try {
      const startAfter = pythonSequence(config.ptnRoot, log);
      const writer = await openOrderLogWriter({
        path: this.#path,
        startAfter,
        log,
        onDamaged: (reason) => {
          const text = `the order log was damaged (${reason}): a new one was begun, clients cannot resume from before it`;
          alert({ topic: 'order log damaged', change: 'happened', text });
        },
      });
      this.#orders = new OrderSequencer({
        writer,
        log,
        onWrite: (isStored) => {
          if (isStored === this.#wasStored) return;
          this.#wasStored = isStored;
          alert({ topic: 'order log writes', ...(isStored ? STORED : NOT_STORED) });
        },
        retention: {
          maxAgeMs: config.orderRetentionMs,
          maxCount: config.orderRetentionCount,
          maxBytes: config.orderRetentionBytes,
        },
        split: (input) => pool.run('splitPositions', input),
        onState: (state) => this.#publish(state),
      });
    } catch (error) {
      if (!(error instanceof OrderLogInUseError && config.isTakeover)) throw error;
    }
  }

  /** Everything that is there has been read: what comes from now on is new. */
  async begin(): Promise<void> {
    if (this.#orders === null) await this.#follow();
    else await this.#orders.begin();
  }

  async #publish({ epoch, oldest, last }: OrderLogState): Promise<void> {
    const head: OrdersHead = { kind: 'orders-head', epoch, oldest, last, path: this.#path };
    await this.#options.publish([{ topic: 'orders', reset: false, put: [['head', head]], remove: [] }]);
  }

  /**
   * While the server that this one takes over from still numbers the orders, publishes them as a reader does. It stops
   * when this one is ready; then the log is taken over, and what it had not stored any more is found.
   */
  async #follow(): Promise<void> {
    let published = await this.#readState();
    await this.#publish(published);
    const attempt = async (): Promise<number | null> => {
      // Not again after an attempt that failed with the log open: this process writes it already.
      if (this.#orders === null) await this.open();
      if (this.#orders !== null) {
        await this.#takeOver(this.#orders);
        return null;
      }
      const state = await this.#readState();
      if (state.last !== published.last) await this.#publish(state);
      published = state;
      return FOLLOW_MS;
    };
    const attemptAgain = (): void => {
      this.#attempt = attempt()
        .catch((error: unknown) => {
          this.#options.log.error(
            { event: 'order-log-takeover-failed', err: error },
            'the order log could not be taken over',
          );
          return RETRY_MS;
        })
        .then((delayMs) => {
          if (delayMs !== null && !this.#isClosed) this.#nextAttempt = setTimeout(attemptAgain, delayMs);
        });
    };
    attemptAgain();
  }

  async #takeOver(orders: OrderSequencer): Promise<void> {
    this.#options.store()?.observeAll();
    await orders.begin();
    this.#options.log.info(
      { event: 'order-log-taken-over' },
      'the order log is written by this server from now on',
    );
  }

  /** Opened for this look only: the engine does not let one process read and then write the same log. */
  async #readState(): Promise<OrderLogState> {
    const reader = openOrderLogReader({ path: this.#path });
    try {
      return reader.state();
    } finally {
      await reader.close();
    }
  }

  get #path(): string {
    return join(this.#options.config.stateDir, 'orders');
  }

  /** Stores what was seen last, and lets go of the log. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#nextAttempt !== null) clearTimeout(this.#nextAttempt);
    await this.#attempt;
    await this.#orders?.finish();
    try {
      await this.#orders?.close();
    } catch (error) {
      // All that was to be stored is. The next start finds what is left behind.
      this.#options.log.error(
        { event: 'order-log-close-failed', err: error },
        'the order log could not be closed',
      );
    }
  }
}
