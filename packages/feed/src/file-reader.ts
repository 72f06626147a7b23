import type { Logger } from 'pino';
import { backoffMs } from '@ptn-api/runtime';

/** What reading a file came to; a reader may give more with it. */
export interface FileResult {
  readonly kind: 'same' | 'gone' | 'bad' | 'read';
  readonly stamp?: string;
  readonly reason?: string;
  readonly nonFinite?: number;
}

/** A file that is bad may be half-written: it is read again, later and later while it stays bad. */
const RETRY_BACKOFF = { firstMs: 500, factor: 2, maxMs: 30_000 };
/** It is reported when it has been bad for this long. */
const REPORT_AFTER_MS = 5000;

/**
 * Reads one file of the validator whenever it changed: one reading at a time, and one more when it changed meanwhile.
 * A bad file is tried again and reported once per version; what was read last stays.
 */
export class FileReader {
  readonly #name: string;
  readonly #log: Logger;
  readonly #attempt: () => Promise<FileResult>;
  readonly #onProblem: (problem: string | null) => void;
  #problem: string | null = null;
  #running: Promise<void> | null = null;
  #again = false;
  #retry: NodeJS.Timeout | null = null;
  #badSinceMs: number | null = null;
  /** What of a bad file was reported last. */
  #reported: string | null = null;
  #reportedNonFinite = 0;
  /** How often it was read again since it became bad. */
  #retries = 0;
  #isClosed = false;

  /**
   * @param attempt reads the file, takes over its content and says what it found.
   * @param onProblem called with why the file does not read, once that is reported, and `null` when it does again
   */
  constructor(
    name: string,
    log: Logger,
    attempt: () => Promise<FileResult>,
    onProblem: (problem: string | null) => void = () => undefined,
  ) {
    this.#name = name;
    this.#log = log;
    this.#attempt = attempt;
    this.#onProblem = onProblem;
  }

  /** Why the file has not read for a while: what is served is what was read last. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Reads the file now, or once more if that is being done. Resolves when done. */
  read(): Promise<void> {
    if (this.#running !== null) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#readUntilCurrent().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    await this.#running;
  }

  async #readUntilCurrent(): Promise<void> {
    do {
      this.#again = false;
      try {
        this.#found(await this.#attempt());
      } catch (error) {
        this.#failed(error);
      }
    } while (this.#isWanted());
  }

  /** Whether the file changed while it was read. */
  #isWanted(): boolean {
    return this.#again && !this.#isClosed;
  }

  /** No fault of the content, which a new version would end: reported at once, and once as long as it stays the same. */
  #failed(error: unknown): void {
    const { message } = error as Error;
    if (this.#reported !== message) {
      this.#reported = message;
      this.#log.error(
        { event: 'read-failed', file: this.#name, err: error },
        'a file could not be read; what was read last is served on, and it is tried again',
      );
    }
    this.#setProblem(`${this.#name} cannot be read`);
    this.#readLater();
  }

  #setProblem(problem: string | null): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#onProblem(problem);
  }

  #found(result: FileResult): void {
    if (result.kind === 'same' && this.#reported === null && this.#badSinceMs === null) return;
    if (result.kind !== 'bad') {
      if (this.#reported !== null) {
        this.#log.info(
          { event: 'file-good-again', file: this.#name },
          'a file that did not read is good again',
        );
      }
      this.#setProblem(null);
      this.#badSinceMs = null;
      this.#reported = null;
      this.#retries = 0;
      const nonFinite = result.nonFinite ?? 0;
      // Reported again only when it gets more: the large files are written every few seconds.
      if (nonFinite > this.#reportedNonFinite) {
        this.#reportedNonFinite = nonFinite;
        this.#log.warn(
          { event: 'non-finite', file: this.#name, count: nonFinite },
          'NaN or Infinity, which are no JSON, are served as null',
        );
      }
      return;
    }
    const now = Date.now();
    this.#badSinceMs ??= now;
    const report = `${result.stamp ?? ''} ${result.reason ?? ''}`;
    if (now - this.#badSinceMs >= REPORT_AFTER_MS && this.#reported !== report) {
      this.#reported = report;
      this.#setProblem(`${this.#name} ${result.reason ?? 'does not read'}`);
      this.#log.warn(
        { event: 'bad-file', file: this.#name, reason: result.reason },
        'a file does not read; what was read last is served on',
      );
    }
    this.#readLater();
  }

  #readLater(): void {
    if (this.#isClosed || this.#retry !== null) return;
    this.#retry = setTimeout(
      () => {
        this.#retry = null;
        void this.read();
      },
      backoffMs(RETRY_BACKOFF, this.#retries, 0),
    );
    this.#retries += 1;
  }
}
