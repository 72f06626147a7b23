import type { Logger } from 'pino';
import { monotonicMs } from '@ptn-api/runtime';
import { watchFiles } from '@ptn-api/watch';
import type { FileWatcher } from '@ptn-api/watch';
import { FileReader } from '../file-reader.ts';
import type { FileResult } from '../file-reader.ts';
import { outputsFile, outputsPlaces } from '../outputs-file.ts';
import type { TaskPool } from '../task-pool.ts';
import type { MinerStore } from './miner-store.ts';
import type { PositionsClock } from './positions-clock.ts';

export interface OutputsSourceOptions {
  /** The validator's folder: which file of its outputs counts is decided at each reading. */
  readonly ptnRoot: string;
  readonly mode: 'auto' | 'poll';
  readonly store: MinerStore;
  readonly clock: PositionsClock;
  readonly pool: TaskPool;
  readonly log: Logger;
}

/** Reports to the store what the dashboard map holds that the validator writes. */
export class OutputsSource {
  readonly kind = 'outputs';
  readonly #options: OutputsSourceOptions;
  readonly #reader: FileReader;
  #watcher: FileWatcher | null = null;
  #stamp: string | undefined;
  #digests: ReadonlyMap<string, string> = new Map();
  #checkedMs = monotonicMs();

  constructor(options: OutputsSourceOptions) {
    this.#options = options;
    this.#reader = new FileReader('validation/outputs', options.log, () => this.#read());
  }

  /** Resolves when the file was read, or does not read just now. */
  async start(): Promise<void> {
    const { ptnRoot, mode, log } = this.#options;
    const paths = outputsPlaces(ptnRoot);
    this.#watcher = watchFiles({ paths, mode, log, onChange: () => void this.#reader.read() });
    await this.#reader.read();
  }

  /** Reads the file, and reports the miner whether it changed or not. A file that does not read does so later. */
  async readMiner(hotkey: string): Promise<void> {
    this.#stamp = undefined;
    this.#digests = new Map([...this.#digests].filter(([other]) => other !== hotkey));
    await this.#reader.read();
  }

  /** When (monotonic ms) the file was last checked and all of it was read, now or before. */
  async checkedMs(): Promise<number> {
    // Goes the way of every reading; the file is not read again while it is the same.
    await this.#reader.read();
    return this.#checkedMs;
  }

  async close(): Promise<void> {
    await this.#watcher?.close();
    await this.#reader.close();
  }

  /** A file that is missing or broken leaves what was read last. */
  async #read(): Promise<FileResult> {
    const { ptnRoot, store, clock, pool } = this.#options;
    const path = outputsFile(ptnRoot);
    if (path === undefined) return { kind: 'gone' };
    const now = clock.now();
    const beganMs = monotonicMs();
    const known = this.#digests;
    const loaded = await pool.run('loadOutputs', {
      path,
      now,
      strip: false,
      known,
      ordersSinceMs: store.ordersSinceMs,
      ...(this.#stamp === undefined ? {} : { stamp: this.#stamp }),
    });
    // A miner was asked for meanwhile: another reading follows, which counts.
    if (known !== this.#digests) return { kind: 'same' };
    if (loaded.kind === 'same') this.#checkedMs = beganMs;
    if (loaded.kind !== 'read') return loaded;
    const digests = new Map(loaded.hotkeys.map((hotkey) => [hotkey, known.get(hotkey) ?? '']));
    for (const { hotkey, digest } of loaded.changed) digests.set(hotkey, digest);
    store.minersRead(loaded.changed, now);
    store.minersListed(
      loaded.hotkeys,
      loaded.changed.map(({ hotkey }) => hotkey),
      beganMs,
    );
    this.#stamp = loaded.stamp;
    this.#digests = digests;
    this.#checkedMs = beganMs;
    return loaded;
  }
}
