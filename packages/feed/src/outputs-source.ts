import type { Logger } from 'pino';
import { monotonicMs } from '@ptn-api/runtime';
import type { FileResult } from './file-reader.ts';
import type { OrderSequencer } from './orders/order-sequencer.ts';
import type { PositionsFeed } from './positions-feed.ts';
import type { TaskPool } from './task-pool.ts';
import type { OutputsMiner } from './tasks/load-outputs.ts';

export interface OutputsSourceOptions {
  /** `validation/outputs/output.json`. */
  readonly path: string;
  readonly feed: PositionsFeed;
  readonly pool: TaskPool;
  /** Where new orders go; `null` while there is no order log. */
  readonly orders: () => OrderSequencer | null;
  readonly log: Logger;
}

/** Keeps the miners of the feed equal to the dashboard map that the validator writes. */
export class OutputsSource {
  readonly #options: OutputsSourceOptions;
  #stamp: string | undefined;
  #digests: ReadonlyMap<string, string> = new Map();
  /** What was told of the entries of a miner that do not read. */
  readonly #told = new Map<string, string>();
  #forgets = 0;
  #checkedMs = monotonicMs();

  constructor(options: OutputsSourceOptions) {
    this.#options = options;
  }

  /** The next look reads every miner anew, whether it changed or not. */
  forget(): void {
    this.#forgets += 1;
    this.#stamp = undefined;
    this.#digests = new Map([...this.#digests.keys()].map((hotkey) => [hotkey, '']));
  }

  /** When (monotonic ms) the file was last looked at and all of it was read, now or before. */
  get checkedMs(): number {
    return this.#checkedMs;
  }

  /** Looks at the file and takes over what changed. A file that is gone or broken leaves what was read last. */
  async read(): Promise<FileResult> {
    const { path, feed, pool, orders } = this.#options;
    const now = feed.now();
    const lookedMs = monotonicMs();
    const forgets = this.#forgets;
    const loaded = await pool.run('loadOutputs', {
      path,
      now,
      strip: false,
      known: this.#digests,
      ordersSinceMs: orders()?.horizonMs ?? Infinity,
      ...(this.#stamp === undefined ? {} : { stamp: this.#stamp }),
    });
    // Read by a time that no longer holds: the look that follows counts.
    if (forgets !== this.#forgets) return { kind: 'same' };
    if (loaded.kind === 'same') this.#checkedMs = lookedMs;
    if (loaded.kind !== 'read') return loaded;
    const digests = new Map(loaded.hotkeys.map((hotkey) => [hotkey, this.#digests.get(hotkey) ?? '']));
    for (const miner of loaded.changed) {
      digests.set(miner.hotkey, miner.digest);
      feed.miner(miner.hotkey).replace(miner, miner.rest, now);
      feed.touch(miner.hotkey, lookedMs);
      for (const position of [...miner.recent, ...miner.live]) orders()?.observe(miner.hotkey, position);
      this.#tellBad(miner);
    }
    void orders()?.store();
    for (const hotkey of this.#digests.keys()) {
      if (digests.has(hotkey)) continue;
      feed.miner(hotkey).clear();
      feed.touch(hotkey, lookedMs);
    }
    this.#stamp = loaded.stamp;
    this.#digests = digests;
    feed.order = loaded.hotkeys;
    this.#checkedMs = lookedMs;
    return loaded;
  }

  /** One line for each miner, and not again while it is the same: the file is written every few seconds. */
  #tellBad({ hotkey, bad }: OutputsMiner): void {
    const [first] = bad;
    const told = `${bad.length} ${first?.reason ?? ''}`;
    if (first !== undefined && this.#told.get(hotkey) !== told) {
      this.#options.log.warn(
        { event: 'bad-position', path: first.path, reason: first.reason, count: bad.length },
        'entries of the outputs file are left out',
      );
    }
    this.#told.set(hotkey, told);
  }
}
