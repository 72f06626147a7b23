import { combineDigests } from '@ptn-api/positions';
import type { Logger } from 'pino';
import type { AnyTransaction, MinersFileMember, MinersFileName } from '@ptn-api/runtime';
import { FileReader } from './file-reader.ts';
import type { FileResult } from './file-reader.ts';
import { MinersFilePublisher } from './miners-file-publisher.ts';
import type { MinersVersion } from './miners-file-publisher.ts';
import type { TaskPool } from './task-pool.ts';
import type { LimitOrderFile } from './tasks/limit-orders.ts';
import { UNSETTLED } from '@ptn-api/watch/file-stamp';

/** How often all folders are checked; where that takes more than a share of the time, less often. */
const MIN_REST_MS = 2000;
const MAX_REST_MS = 10_000;
const MAX_SHARE = 0.05;

export interface LimitOrdersFeedOptions {
  /** `validation/miners`. */
  readonly root: string;
  readonly name: MinersFileName;
  /** What it is called in logs. */
  readonly label: string;
  readonly pool: TaskPool;
  readonly log: Logger;
  readonly publish: (transaction: AnyTransaction) => Promise<void>;
  readonly onProblem: (problem: string | null) => void;
}

/** Keeps the limit orders of every miner equal to the files of their folders. */
export class LimitOrdersFeed {
  readonly #options: LimitOrdersFeedOptions;
  readonly #reader: FileReader;
  readonly #publisher: MinersFilePublisher;
  /** By hotkey, as the folder was when it was read. */
  #stamps = new Map<string, string>();
  /** By hotkey and path: what was read. */
  readonly #files = new Map<string, ReadonlyMap<string, LimitOrderFile>>();
  /** By hotkey: why a file of it does not read. */
  readonly #bad = new Map<string, string>();
  #timer: NodeJS.Timeout | null = null;
  #tookMs = 0;
  #isClosed = false;

  constructor(options: LimitOrdersFeedOptions) {
    this.#options = options;
    this.#publisher = new MinersFilePublisher(options.name, options.publish);
    this.#reader = new FileReader(options.label, options.log, () => this.#look(), options.onProblem);
  }

  /** Why something has not read for a while; what was read last of it is served. */
  get problem(): string | null {
    return this.#reader.problem;
  }

  /** Resolves when all was read once. */
  async start(): Promise<void> {
    await this.#reader.read();
    if (this.#isClosed) return;
    const restMs = Math.min(Math.max(MIN_REST_MS, this.#tookMs / MAX_SHARE), MAX_REST_MS);
    this.#timer = setTimeout(() => void this.start(), restMs);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#reader.close();
  }

  async #look(): Promise<FileResult> {
    const { pool, root } = this.#options;
    const listed = await pool.run('listLimitOrders', { root });
    this.#tookMs = listed.kind === 'listed' ? listed.tookMs : 0;
    if (listed.kind === 'bad') return listed;
    if (listed.kind === 'gone') {
      this.#forget();
      await this.#publisher.gone();
      return listed;
    }
    for (const [hotkey, reason] of listed.unreadable) this.#bad.set(hotkey, reason);
    // What was read last of a miner whose folders cannot be listed stays.
    const kept = [...listed.unreadable.keys()].filter((hotkey) => this.#publisher.held.has(hotkey));
    const changed: MinersVersion['changed'][number][] = [];
    for (const [hotkey, stamp] of listed.stamps) {
      const isSame = stamp !== UNSETTLED && this.#stamps.get(hotkey) === stamp;
      if (isSame && this.#publisher.held.has(hotkey)) continue;
      const views = await this.#load(hotkey);
      const digest = combineDigests(Object.values(views).map(({ text }) => text));
      if (this.#publisher.held.get(hotkey) !== digest) changed.push({ hotkey, digest, views });
    }
    const hotkeys = [...listed.stamps.keys(), ...kept];
    const gone = [...this.#files.keys(), ...this.#bad.keys()].filter(
      (hotkey) => !listed.stamps.has(hotkey) && !listed.unreadable.has(hotkey),
    );
    if (changed.length > 0 || gone.length > 0 || !this.#publisher.isThere)
      await this.#publisher.version({ hotkeys, changed, modifiedMs: Date.now() });
    for (const hotkey of gone) this.#drop(hotkey);
    this.#stamps = new Map(listed.stamps);
    return this.#result(changed.length > 0);
  }

  async #load(hotkey: string): Promise<MinersFileMember['views']> {
    const { pool, root } = this.#options;
    const known = this.#files.get(hotkey) ?? new Map<string, LimitOrderFile>();
    const loaded = await pool.run('loadLimitOrders', { root, hotkey, known });
    this.#files.set(hotkey, loaded.files);
    const [bad] = loaded.bad;
    if (bad === undefined) this.#bad.delete(hotkey);
    else this.#bad.set(hotkey, `${bad.path} ${bad.reason}`);
    return loaded.views;
  }

  #result(isChanged: boolean): FileResult {
    const [reason] = this.#bad.values();
    if (reason === undefined) return { kind: isChanged ? 'read' : 'same' };
    const others = this.#bad.size - 1;
    return {
      kind: 'bad',
      reason: `hold a bad file: ${reason}${others === 0 ? '' : `, and of ${others} other miners`}`,
    };
  }

  #drop(hotkey: string): void {
    this.#files.delete(hotkey);
    this.#bad.delete(hotkey);
  }

  #forget(): void {
    for (const hotkey of [...this.#files.keys(), ...this.#bad.keys()]) this.#drop(hotkey);
    this.#stamps = new Map();
  }
}
