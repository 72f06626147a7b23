import type { Logger } from 'pino';
import type { FileResult } from './file-reader.ts';
import type { PositionsFeed } from './positions-feed.ts';
import type { TaskPool } from './task-pool.ts';

export interface OutputsSourceOptions {
  /** `validation/outputs/output.json`. */
  readonly path: string;
  readonly feed: PositionsFeed;
  readonly pool: TaskPool;
  readonly log: Logger;
}

/** Keeps the miners of the feed equal to the dashboard map that the validator writes. */
export class OutputsSource {
  readonly #options: OutputsSourceOptions;
  #stamp: string | undefined;
  #digests: ReadonlyMap<string, string> = new Map();

  constructor(options: OutputsSourceOptions) {
    this.#options = options;
  }

  /** The next look reads every miner anew, whether it changed or not. */
  forget(): void {
    this.#stamp = undefined;
    this.#digests = new Map([...this.#digests.keys()].map((hotkey) => [hotkey, '']));
  }

  /** Looks at the file and takes over what changed. A file that is gone or broken leaves what was read last. */
  async read(): Promise<FileResult> {
    const { path, feed, pool, log } = this.#options;
    const now = Date.now();
    const loaded = await pool.run('loadOutputs', {
      path,
      now,
      strip: false,
      known: this.#digests,
      ...(this.#stamp === undefined ? {} : { stamp: this.#stamp }),
    });
    if (loaded.kind !== 'read') return loaded;
    const digests = new Map(loaded.hotkeys.map((hotkey) => [hotkey, this.#digests.get(hotkey) ?? '']));
    for (const miner of loaded.changed) {
      digests.set(miner.hotkey, miner.digest);
      feed.miner(miner.hotkey).replace(miner, miner.rest, now);
      feed.touch(miner.hotkey);
      for (const { path: place, reason } of miner.bad) {
        log.warn({ event: 'bad-position', path: place, reason }, 'an entry of the outputs file is left out');
      }
    }
    for (const hotkey of this.#digests.keys()) {
      if (digests.has(hotkey)) continue;
      feed.miner(hotkey).clear();
      feed.touch(hotkey);
    }
    this.#stamp = loaded.stamp;
    this.#digests = digests;
    feed.order = loaded.hotkeys;
    return loaded;
  }
}
