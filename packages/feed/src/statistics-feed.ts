import type { AnyTransaction, StatisticsHead, StatisticsMiner } from '@ptn-api/runtime';
import type { FileResult } from './file-reader.ts';
import type { TaskPool } from './task-pool.ts';

interface Held {
  readonly baseDigest: string;
  readonly checkpointsDigest: string;
  readonly value: StatisticsMiner;
}

export interface StatisticsFeedOptions {
  readonly pool: TaskPool;
  readonly publish: (transaction: AnyTransaction) => Promise<void>;
}

/** Publishes the statistics file by miner: what did not change in a new version is neither compressed nor sent again. */
export class StatisticsFeed {
  readonly #path: string;
  readonly #options: StatisticsFeedOptions;
  #stamp: string | undefined;
  #held = new Map<string, Held>();
  #isFirst = true;
  #generation = 0;

  constructor(path: string, options: StatisticsFeedOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** Reads the file and publishes what changed. */
  async read(): Promise<FileResult> {
    const { pool, publish } = this.#options;
    const loaded = await pool.run('loadStatistics', {
      path: this.#path,
      stamp: this.#stamp,
      known: this.#known(),
    });
    if (loaded.kind === 'gone' && (this.#isFirst || this.#stamp !== undefined)) {
      this.#forget();
      await publish({ topic: 'statistics', reset: true, put: [], remove: [] });
      this.#isFirst = false;
    }
    if (loaded.kind !== 'read') return loaded;

    const put: [string, StatisticsHead | StatisticsMiner][] = [];
    const held = new Map<string, Held>();
    for (const { hotkey, baseDigest, base, checkpointsDigest, checkpoints } of loaded.miners) {
      const before = this.#held.get(hotkey);
      const isSame = before?.baseDigest === baseDigest && before.checkpointsDigest === checkpointsDigest;
      if (isSame) {
        held.set(hotkey, before);
        continue;
      }
      const newBase = base ?? before?.value.base;
      if (newBase === undefined) throw new Error(`statistics of ${hotkey} came without their text`);
      const newCheckpoints =
        checkpointsDigest === '' ? undefined : (checkpoints ?? before?.value.checkpoints);
      const value: StatisticsMiner = {
        kind: 'statistics-miner',
        base: newBase,
        ...(newCheckpoints === undefined ? {} : { checkpoints: newCheckpoints }),
      };
      held.set(hotkey, { baseDigest, checkpointsDigest, value });
      put.push([`miner:${hotkey}`, value]);
    }
    const remove = [...this.#held.keys()]
      .filter((hotkey) => !held.has(hotkey))
      .map((hotkey) => `miner:${hotkey}`);
    this.#generation += 1;
    const head: StatisticsHead = {
      kind: 'statistics-head',
      generation: this.#generation,
      hotkeys: loaded.miners.map(({ hotkey }) => hotkey),
      head: loaded.head,
      tail: loaded.tail,
      modifiedMs: loaded.modifiedMs,
    };
    const reset = this.#isFirst;
    this.#forget();
    await publish({ topic: 'statistics', reset, put: [['head', head], ...put], remove });
    this.#stamp = loaded.stamp;
    this.#held = held;
    this.#isFirst = false;
    return loaded;
  }

  /** Where publishing fails nobody knows whether it arrived: until it is handed over nothing counts as known. */
  #forget(): void {
    this.#stamp = undefined;
    this.#held = new Map();
    this.#isFirst = true;
  }

  #known(): Map<string, { baseDigest: string; checkpointsDigest: string }> {
    return new Map(
      [...this.#held].map(([hotkey, { baseDigest, checkpointsDigest }]) => [
        hotkey,
        { baseDigest, checkpointsDigest },
      ]),
    );
  }
}
