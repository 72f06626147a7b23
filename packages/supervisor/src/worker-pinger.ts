/** How the supervisor finds out that an event loop hangs. */
export interface PingTiming {
  readonly pingEveryMs: number;
  /**
   * This many pings in a row without an answer end the worker. Counted rather than timed: after the whole machine was
   * suspended, every worker would look late.
   */
  readonly missedPings: number;
}

export interface WorkerPingerOptions {
  readonly timing: PingTiming;
  readonly ping: (id: number) => void;
  /** Called once, with the reason in words for the operator. */
  readonly onMissed: (reason: string) => void;
}

/** Pings a worker until it has missed too many. */
export class WorkerPinger {
  readonly #options: WorkerPingerOptions;
  #timer: NodeJS.Timeout | undefined;
  #unanswered = 0;

  constructor(options: WorkerPingerOptions) {
    this.#options = options;
  }

  start(): void {
    const { timing, ping, onMissed } = this.#options;
    let id = 0;
    this.#timer = setInterval(() => {
      if (this.#unanswered >= timing.missedPings) {
        this.close();
        onMissed(`it did not answer ${this.#unanswered} pings, one every ${timing.pingEveryMs} ms`);
        return;
      }
      this.#unanswered += 1;
      id += 1;
      ping(id);
    }, timing.pingEveryMs);
  }

  answered(): void {
    this.#unanswered = 0;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
