import type { Logger } from 'pino';
import type { AnyTransaction } from '@ptn-api/runtime';

const DEFAULT_EVERY_MS = 5000;

export interface FreshnessReporterOptions {
  /**
   * Up to when (monotonic ms) everything was found, read and published; checks the source itself where it has to.
   *
   * @throws what the check came to, when the source cannot be read: then nothing is proved.
   */
  readonly checkedMs: () => Promise<number>;
  /** Why files that are served have not read for a while. */
  readonly problems?: () => readonly string[];
  readonly publish: (transactions: readonly AnyTransaction[]) => Promise<void>;
  readonly log: Logger;
  readonly everyMs?: number;
}

/** Publishes again and again up to when the positions are known to be up to date. */
export class FreshnessReporter {
  readonly #options: FreshnessReporterOptions;
  #timer: NodeJS.Timeout | null = null;
  #beating: Promise<void> | null = null;
  #isFailing = false;

  constructor(options: FreshnessReporterOptions) {
    this.#options = options;
  }

  /** Resolves after the first beat. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => {
      // A check that hangs, on a disk that does not answer say, is not joined by others.
      this.#beating ??= this.#beat();
    }, this.#options.everyMs ?? DEFAULT_EVERY_MS);
    this.#beating = this.#beat();
    await this.#beating;
  }

  /** Does not wait for a beat that hangs: nothing is lost with it. */
  close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    return Promise.resolve();
  }

  async #beat(): Promise<void> {
    const { checkedMs, problems = () => [], publish, log } = this.#options;
    try {
      const checked = await checkedMs();
      this.#isFailing = false;
      await publish([
        {
          topic: 'sources',
          reset: false,
          put: [['feed', { kind: 'sources-health', checkedMs: checked, problems: problems() }]],
          remove: [],
        },
      ]);
    } catch (error) {
      // Closed: what it checked is closed too.
      if (this.#timer !== null && !this.#isFailing) {
        log.error({ event: 'source-unreadable', err: error }, 'the source of the positions cannot be read');
      }
      this.#isFailing = true;
    } finally {
      this.#beating = null;
    }
  }
}
