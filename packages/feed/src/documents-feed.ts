import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { minersFiles, STATISTICS_FILE, wholeFiles } from '@ptn-api/runtime';
import type { AnyTransaction, DocumentValue, FileLoader, ServedFileName } from '@ptn-api/runtime';
import { watchFiles } from '@ptn-api/watch';
import type { FileWatcher } from '@ptn-api/watch';
import { FileReader } from './file-reader.ts';
import type { FileResult } from './file-reader.ts';
import { LimitOrdersFeed } from './limit-orders-feed.ts';
import { MembersFeed } from './members-feed.ts';
import { StatisticsFeed } from './statistics-feed.ts';
import type { TaskPool } from './task-pool.ts';
import type { LoadedDocument } from './tasks/load-document.ts';

export interface DocumentsFeedOptions {
  readonly ptnRoot: string;
  /** Large documents lie in it, as they are served. */
  readonly stateDir: string;
  readonly mode: 'auto' | 'poll';
  readonly pool: TaskPool;
  readonly log: Logger;
  readonly publish: (transaction: AnyTransaction) => Promise<void>;
  /** Called with why a file cannot be read, and with `null` when it can be again. */
  readonly onProblem: (name: string, problem: string | null) => void;
}

interface DocumentLoader {
  readonly load: (stamp: string | undefined) => Promise<LoadedDocument>;
  readonly onPublished?: (path: string | undefined) => void;
}

/** A worker that has the notice of the next one may still begin to read this one; a server that is taken over from may, too. */
const KEPT_MS = 10 * 60_000;

/** Removes the copies that are served no more. */
function removeOthers(folder: string, path: string | undefined): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const other = join(folder, name);
    if (other !== path && Date.now() - modifiedMs(other) > KEPT_MS) rmSync(other, { force: true });
  }
}

/** What the folders of limit orders are called in logs. */
const LIMIT_ORDERS = 'validation/miners/*/limit_orders';

/** Unix ms of a file's last change; -1 where there is none. */
function modifiedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? -1;
}

/**
 * Publishes the files of the table, and statistics. One is worked on at a time: the large ones take a thread for seconds,
 * and the positions must not wait for them. Nor do limit orders, which are many small files.
 */
export class DocumentsFeed {
  readonly #options: DocumentsFeedOptions;
  readonly #readers = new Map<string, FileReader>();
  readonly #limitOrders: LimitOrdersFeed[] = [];
  #queue: Promise<unknown> = Promise.resolve();
  #watcher: FileWatcher | null = null;

  constructor(options: DocumentsFeedOptions) {
    this.#options = options;
    const { ptnRoot, stateDir, pool, log } = options;
    const inRoot = (path: string): string => join(ptnRoot, path);

    const statistics = new StatisticsFeed(inRoot(STATISTICS_FILE.place), options);
    this.#read([STATISTICS_FILE.place], () => statistics.read());

    /** What reads a row's file, given the stamp that it had when it was last read; then what is done once it is served. */
    const folder = join(stateDir, 'documents');
    const loaders: Readonly<Record<FileLoader, (places: readonly string[]) => DocumentLoader>> = {
      json: ([path = '']) => ({ load: (stamp) => pool.run('loadJsonDocument', { path, stamp }) }),
      checkpoint: ([plain = '', compressed = '']) => ({
        load: (stamp) => {
          const isGzip = modifiedMs(plain) <= modifiedMs(compressed);
          return pool.run('loadCheckpoint', { path: isGzip ? compressed : plain, isGzip, stamp, folder });
        },
        onPublished: (path) => {
          removeOthers(folder, path);
        },
      }),
      'miner-copying': ([path = '', scores = '']) => ({
        load: (stamp) => pool.run('loadMinerCopying', { path, folder: scores, stamp }),
      }),
    };
    for (const [name, { places, load }] of wholeFiles) {
      this.#document(name, places, loaders[load](places.map(inRoot)));
    }
    for (const [name, file] of minersFiles) {
      if (file.load === 'limit-orders') {
        const onProblem = this.#onProblem(LIMIT_ORDERS);
        const root = inRoot(file.places[0]);
        this.#limitOrders.push(
          new LimitOrdersFeed({ ...options, root, name, label: LIMIT_ORDERS, onProblem }),
        );
        continue;
      }
      const members = new MembersFeed({ ...options, name, file, inRoot });
      this.#read(file.places, () => members.read());
    }
    log.debug({ files: [...this.#readers.keys()] }, 'single files that are watched');
  }

  /** Resolves when every file has been read once and what is there was published. */
  async start(): Promise<void> {
    const { ptnRoot, mode, log } = this.#options;
    this.#watcher = watchFiles({
      paths: [...this.#readers.keys()].map((path) => join(ptnRoot, path)),
      mode,
      log,
      onChange: (path) => {
        const reader = this.#readers.get(path.slice(ptnRoot.length + 1));
        void reader?.read();
      },
    });
    await Promise.all([
      ...[...new Set(this.#readers.values())].map((reader) => reader.read()),
      ...this.#limitOrders.map((feed) => feed.start()),
    ]);
  }

  /** Why files have not read for a while. */
  problems(): string[] {
    return [...new Set(this.#readers.values()), ...this.#limitOrders].flatMap(({ problem }) =>
      problem === null ? [] : [problem],
    );
  }

  async close(): Promise<void> {
    await this.#watcher?.close();
    await Promise.all(
      [...new Set(this.#readers.values()), ...this.#limitOrders].map((reader) => reader.close()),
    );
  }

  #onProblem(name: string): (problem: string | null) => void {
    return (problem) => {
      this.#options.onProblem(name, problem);
    };
  }

  /** `look` is called whenever one of the files changed, never beside another one's. */
  #read(paths: readonly string[], look: () => Promise<FileResult>): void {
    const name = `${dirname(paths[0] ?? '')}/${(paths[0] ?? '').split('/').at(-1)}`;
    const inTurn = (): Promise<FileResult> => {
      const turn = this.#queue.then(look);
      this.#queue = turn.catch(() => undefined);
      return turn;
    };
    const reader = new FileReader(name, this.#options.log, inTurn, this.#onProblem(name));
    for (const path of paths) this.#readers.set(path, reader);
  }

  #document(
    name: ServedFileName,
    paths: readonly string[],
    { load, onPublished = () => undefined }: DocumentLoader,
  ): void {
    let stamp: string | undefined;
    let digest: string | null = null;
    const publish = async (value: DocumentValue | null): Promise<void> => {
      // Where this fails nobody knows whether it arrived: until it is handed over nothing counts as known.
      [stamp, digest] = [undefined, null];
      await this.#options.publish({
        topic: 'documents',
        reset: false,
        put: value === null ? [] : [[name, value]],
        remove: value === null ? [name] : [],
      });
      onPublished(value?.file?.path);
    };
    this.#read(paths, async () => {
      const loaded = await load(stamp);
      if (loaded.kind === 'read') {
        // A file that was written again with the same content is no change.
        if (loaded.value.digest !== digest) await publish(loaded.value);
        digest = loaded.value.digest;
        stamp = loaded.stamp;
      }
      if (loaded.kind === 'gone' && digest !== '') {
        await publish(null);
        stamp = undefined;
        digest = '';
      }
      return loaded;
    });
  }
}
