import { createHash } from 'node:crypto';
import type { DashAnswer } from './dash-data.ts';
import { MinerData, timestampOf } from './miner-data.ts';

export interface ValidatorReportsOptions {
  readonly hotkey: string;
  readonly ask: () => Promise<readonly DashAnswer[]>;
  /** Called where asking itself fails; what was there stays. */
  readonly onFault: (error: unknown) => void;
}

/** What validators were asked for, what they answered, and when. Times are Unix ms. */
export interface ReportsStatus {
  readonly hotkey: string;
  readonly now_ms: number;
  readonly is_asking: boolean;
  /** When the last of them had answered, or its time was over; null before the first time. */
  readonly asked_ms: number | null;
  /** When data came that is shown; null before. */
  readonly answered_ms: number | null;
  /** Another one with each change of the data. */
  readonly data_id: string;
  readonly validators: readonly {
    readonly hotkey: string;
    readonly result: DashAnswer['result'];
    readonly text: string;
    readonly last_order_ms: number | null;
    readonly is_shown: boolean;
  }[];
}

/** Asks validators for this miner's data when a page asks for it, and keeps their answers. */
export class ValidatorReports {
  readonly #options: ValidatorReportsOptions;
  readonly #data = new MinerData();
  #asking: Promise<void> | undefined;
  #answers: readonly DashAnswer[] = [];
  #askedMs: number | null = null;
  #answeredMs: number | null = null;
  #shownFrom: string | undefined;
  #dataId = 'none';

  constructor(options: ValidatorReportsOptions) {
    this.#options = options;
  }

  /** The data as JSON. */
  get body(): string {
    return this.#data.body;
  }

  /** Asks the validators if it is time. Resolves when no request is under way; never rejects. */
  refresh(): Promise<void> {
    // Not the clock of the day, which may be set back.
    if (this.#asking === undefined && this.#data.mayAsk(performance.now())) {
      this.#asking = this.#ask().finally(() => {
        this.#asking = undefined;
      });
    }
    return this.#asking ?? Promise.resolve();
  }

  status(): ReportsStatus {
    return {
      hotkey: this.#options.hotkey,
      now_ms: Date.now(),
      is_asking: this.#asking !== undefined,
      asked_ms: this.#askedMs,
      answered_ms: this.#answeredMs,
      data_id: this.#dataId,
      validators: this.#answers.map(({ hotkey, result, text, data }) => {
        const timestamp = timestampOf(data);
        const last_order_ms = timestamp > 0 ? timestamp : null;
        return { hotkey, result, text, last_order_ms, is_shown: hotkey === this.#shownFrom };
      }),
    };
  }

  async #ask(): Promise<void> {
    try {
      this.#take(await this.#options.ask());
    } catch (error) {
      this.#options.onFault(error);
    }
    this.#askedMs = Date.now();
  }

  #take(answers: readonly DashAnswer[]): void {
    this.#answers = answers;
    const dataOf = (result: DashAnswer['result']) =>
      answers.flatMap((answer) =>
        answer.result === result && answer.data !== undefined ? [answer.data] : [],
      );
    const whole = dataOf('answered');
    const partial = dataOf('refused');
    const taken = whole.length > 0 ? this.#data.take(whole) : this.#data.takePartial(partial);
    if (whole.length > 0 || taken !== undefined) this.#answeredMs = Date.now();
    if (taken === undefined) return;
    this.#shownFrom = answers.find(({ data }) => data === taken)?.hotkey;
    this.#dataId = createHash('sha256').update(this.body).digest('base64url').slice(0, 22);
  }
}
