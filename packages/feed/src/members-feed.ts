import type { AnyTransaction, MinersFile, MinersFileName } from '@ptn-api/runtime';
import type { FileResult } from './file-reader.ts';
import { MinersFilePublisher } from './miners-file-publisher.ts';
import type { TaskPool } from './task-pool.ts';

export interface MembersFeedOptions {
  readonly name: MinersFileName;
  readonly file: MinersFile;
  /** The path of a place below the validator's folder. */
  readonly inRoot: (place: string) => string;
  readonly pool: TaskPool;
  readonly publish: (transaction: AnyTransaction) => Promise<void>;
}

/** Publishes a file that is a map by hotkey: miners that did not change are neither compressed nor sent again. */
export class MembersFeed {
  readonly #options: MembersFeedOptions;
  readonly #publisher: MinersFilePublisher;
  #stamp: string | undefined;

  constructor(options: MembersFeedOptions) {
    this.#options = options;
    this.#publisher = new MinersFilePublisher(options.name, options.publish);
  }

  /** Reads the file and publishes what changed. One that is bad leaves what was read last. */
  async read(): Promise<FileResult> {
    const { pool, file, inRoot } = this.#options;
    const [first, ...others] = file.places;
    const loaded = await pool.run('loadMembers', {
      paths: [inRoot(first), ...others.map(inRoot)],
      within: file.within,
      views: file.views,
      stamp: this.#stamp,
      known: this.#publisher.held,
    });
    if (loaded.kind === 'same' || loaded.kind === 'bad') return loaded;
    this.#stamp = undefined;
    if (loaded.kind === 'gone') {
      await this.#publisher.gone();
      return loaded;
    }
    await this.#publisher.version(loaded);
    this.#stamp = loaded.stamp;
    const { kind, stamp, nonFinite } = loaded;
    return { kind, stamp, nonFinite };
  }
}
