import type { Logger } from 'pino';
import type { OrderLogState, OrderLogWriter, OrderRetention } from '@ptn-api/order-log';

/** How often it is noted that this process runs: after a crash, orders placed since then count as new. */
const ALIVE_EVERY_MS = 1000;
/** How often messages beyond the retention are removed. */
const PRUNE_EVERY_MS = 60_000;

export interface LogUpkeepOptions {
  readonly writer: OrderLogWriter;
  readonly log: Logger;
  readonly retention: OrderRetention;
  /** Called with the state of the log when messages were removed. */
  readonly onState: (state: OrderLogState) => Promise<void>;
  /** Only then it is noted that this process runs. */
  readonly isAllStored: () => boolean;
  readonly now: () => number;
}

/** What has to be done to an order log again and again while it is written. */
export class LogUpkeep {
  readonly #options: LogUpkeepOptions;
  #timers: NodeJS.Timeout[] = [];

  constructor(options: LogUpkeepOptions) {
    this.#options = options;
  }

  /** Once; further calls change nothing. */
  start(): void {
    if (this.#timers.length > 0) return;
    const { writer, isAllStored, now } = this.#options;
    this.#timers = [
      setInterval(() => {
        if (isAllStored()) this.#attempt(writer.markAlive(now()));
      }, ALIVE_EVERY_MS),
      setInterval(() => {
        this.#attempt(this.#prune());
      }, PRUNE_EVERY_MS),
    ];
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
  }

  async #prune(): Promise<void> {
    const { writer, retention, onState, now } = this.#options;
    const before = writer.state();
    const after = await writer.prune(now(), retention);
    if (after.oldest !== before.oldest) await onState(after);
  }

  #attempt(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      this.#options.log.error(
        { event: 'order-log-write-failed', err: error },
        'the order log could not be written',
      );
    });
  }
}
