import { EventEmitter, once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { FromSweepThread, SweepThreadData, SweptMessage, ToSweepThread } from './sweep-thread.ts';
import type { DirectoryKinds, SweepChanges } from './swept-tree.ts';

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
  readonly kinds: DirectoryKinds;
  readonly sweepMs: number;
  readonly log: Logger;
  readonly startThread: StartSweepThread;
  readonly onChanges: (changes: SweepChanges) => void;
  /** A thread died, and with it what it knew; a new one has seen all that there is. Until then changes are missed. */
  readonly onLost: () => void;
  /** Directories that a new thread must know of, to report when they are removed. */
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
  readonly #events = new EventEmitter();
  #thread: Worker | null = null;
  #restart: NodeJS.Timeout | null = null;
  #sweepMs: number;
  #sweeps = 0;
  #last: SweptMessage | null = null;
  /** Whether a thread was lost, and the next one has not seen everything yet. */
  #isLost = false;
  #isClosed = false;

  constructor(options: SweeperOptions) {
    this.#options = options;
    this.#sweepMs = options.sweepMs;
    this.baseline = once(this.#events, 'swept').then(() => undefined);
    this.#start();
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

  #start(): void {
    const { root, kinds, startThread } = this.#options;
    const thread = startThread({ root, kinds, sweepMs: this.#sweepMs });
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
      this.#events.emit('swept');
      if (this.#isLost) this.#options.onLost();
      this.#isLost = false;
    });
    thread.on('error', (error: unknown) => {
      cause = error;
    });
    thread.on('exit', (code) => {
      if (this.#isClosed) return;
      this.#thread = null;
      this.#lost(new Error(`the thread that sweeps ${root} ended with code ${code}`, { cause }));
    });
    const directories = this.#options.directories();
    if (directories.length > 0) this.learn(directories, []);
  }

  #lost(error: Error): void {
    if (this.#last === null) {
      this.#events.emit('error', error);
      return;
    }
    this.#options.log.error(
      { event: 'sweep-thread-died', err: error },
      `${error.message}; it is started again`,
    );
    this.#isLost = true;
    this.#restart = setTimeout(() => {
      this.#restart = null;
      try {
        this.#start();
      } catch (cause) {
        this.#lost(new Error(`the thread that sweeps ${this.#options.root} cannot be started`, { cause }));
      }
    }, RESTART_MS);
  }
}
