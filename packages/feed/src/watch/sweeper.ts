import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { FromSweepThread, SweepThreadData, SweptMessage, ToSweepThread } from './sweep-thread.ts';
import type { SweepChanges } from './swept-tree.ts';

/** A thread that died is started again after so long: at once could mean again and again. */
const RESTART_MS = 1000;

export type StartSweepThread = (data: SweepThreadData) => Worker;

export function startSweepThread(data: SweepThreadData): Worker {
  return new Worker(new URL('./sweep-thread.js', import.meta.url), {
    workerData: data,
    name: 'sweep',
    // Flags of the process are not for the thread; some, as --input-type, would keep it from starting.
    execArgv: [],
    // Stats of files are garbage at once: a larger nursery takes 25 MB more and makes a sweep no faster.
    resourceLimits: { maxYoungGenerationSizeMb: 4 },
  });
}

export interface SweeperOptions {
  readonly root: string;
  readonly sweepMs: number;
  readonly log: Logger;
  readonly startThread: StartSweepThread;
  readonly onChanges: (changes: SweepChanges) => void;
  /**
   * A thread died, and with it what it knew; a new one has hinted every file that it finds. Not before: what goes until
   * then may be missed by both.
   */
  readonly onLost: (error: Error) => void;
  /** Directories that a new thread must know of, to report when they are gone. */
  readonly directories: () => readonly string[];
}

/** Keeps the sweep thread running. */
export class Sweeper {
  /**
   * Resolves after the first sweep; everything it found was handed over before. Rejects if the thread dies before
   * that: nothing works then, and nobody relies on the tree yet. Stays pending if closed before.
   */
  readonly baseline: Promise<void>;
  readonly #options: SweeperOptions;
  readonly #settle: { resolve: () => void; reject: (error: Error) => void };
  #thread: Worker | null = null;
  #restart: NodeJS.Timeout | null = null;
  #sweepMs: number;
  #sweeps = 0;
  #last: SweptMessage | null = null;
  /** By what the thread before was lost, until the running one has seen everything. */
  #lostBy: Error | null = null;
  #isClosed = false;

  constructor(options: SweeperOptions) {
    this.#options = options;
    this.#sweepMs = options.sweepMs;
    const { promise, ...settle } = withResolvers();
    this.baseline = promise;
    this.#settle = settle;
    this.#start(false);
  }

  get sweeps(): number {
    return this.#sweeps;
  }

  /** The end of the last sweep, or null before the first. */
  get last(): SweptMessage | null {
    return this.#last;
  }

  learn(directories: readonly string[], files: readonly string[]): void {
    this.#post({ type: 'learn', directories, files });
  }

  pace(sweepMs: number): void {
    if (sweepMs === this.#sweepMs) return;
    this.#sweepMs = sweepMs;
    this.#post({ type: 'pace', sweepMs });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    await this.#thread?.terminate();
  }

  #post(message: ToSweepThread): void {
    this.#thread?.postMessage(message);
  }

  #start(hintBaseline: boolean): void {
    const { root, startThread } = this.#options;
    const thread = startThread({ root, sweepMs: this.#sweepMs, hintBaseline });
    this.#thread = thread;
    let cause: unknown;
    thread.on('message', (message: FromSweepThread) => {
      if (this.#isClosed) return;
      if (message.type === 'changes') {
        this.#options.onChanges(message.changes);
        return;
      }
      this.#sweeps += 1;
      this.#last = message;
      this.#settle.resolve();
      if (this.#lostBy === null) return;
      const error = this.#lostBy;
      this.#lostBy = null;
      this.#options.onLost(error);
    });
    thread.on('error', (error: unknown) => {
      cause = error;
    });
    thread.on('exit', (code) => {
      if (!this.#isClosed) this.#died(code, cause);
    });
    const directories = this.#options.directories();
    if (directories.length > 0) this.learn(directories, []);
  }

  #died(code: number, cause: unknown): void {
    this.#thread = null;
    this.#lost(
      new Error(`the thread that sweeps the tree of positions ended with code ${code}`, {
        cause,
      }),
    );
  }

  #lost(error: Error): void {
    if (this.#last === null) {
      this.#settle.reject(error);
      return;
    }
    this.#options.log.error(
      { event: 'sweep-thread-died', err: error },
      `${error.message}; it is started again`,
    );
    this.#lostBy = error;
    this.#restart = setTimeout(() => {
      this.#restart = null;
      try {
        this.#start(true);
      } catch (cause) {
        this.#lost(new Error('the thread that sweeps the tree of positions cannot be started', { cause }));
      }
    }, RESTART_MS);
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let resolve: (() => void) | undefined;
  let reject: ((error: Error) => void) | undefined;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  if (resolve === undefined || reject === undefined) throw new Error('a promise calls its executor at once');
  return { promise, resolve, reject };
}
