import { isFileError } from './durable-folder.ts';

/** Something that a validator does again and again. */
export interface ScheduleRow {
  readonly name: string;
  /** Simulated time from one run to the next, which may become another. */
  readonly everyMs: number;
  /** What takes long is a generator: orders may come in at each `yield`, after which state must be looked up anew. */
  readonly run: (nowMs: number) => void | Iterable<void>;
}

interface Entry {
  readonly row: ScheduleRow;
  lastMs: number;
}

/**
 * Does what is due by a clock that is given. Each row is done once, however many of its times have passed since it was
 * last looked at: when the clock is fast, its steps are the rhythm.
 */
export class Schedule {
  readonly #entries: readonly Entry[];
  readonly #onFileError: (name: string, error: NodeJS.ErrnoException) => void;

  /** @param onFileError called with what the file system refused: the row is done again at its next time. */
  constructor(
    rows: readonly ScheduleRow[],
    onFileError: (name: string, error: NodeJS.ErrnoException) => void,
  ) {
    this.#entries = rows.map((row) => ({ row, lastMs: 0 }));
    this.#onFileError = onFileError;
  }

  /** Does all that is due at `nowMs` (Unix ms). */
  tick(nowMs: number): void {
    Array.from(this.steps(nowMs));
  }

  /** The same in steps, between which others may have their turn. */
  *steps(nowMs: number): Generator<void> {
    for (const entry of this.#entries) {
      const { name, everyMs, run } = entry.row;
      if (Math.floor(nowMs / everyMs) === Math.floor(entry.lastMs / everyMs)) continue;
      entry.lastMs = nowMs;
      try {
        const steps = run(nowMs);
        if (steps !== undefined) yield* steps;
      } catch (error) {
        if (!isFileError(error)) throw error;
        this.#onFileError(name, error);
      }
    }
  }
}
