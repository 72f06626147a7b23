import type { Logger } from 'pino';
import { emptyClaim } from '@ptn-api/order-log';
import type { OrderLogState } from '@ptn-api/order-log';
import type { EncodedMiner, EncodedValue, PositionText } from '@ptn-api/positions';
import { monotonicMs } from '@ptn-api/runtime';
import type { OrderSequencer } from '../orders/order-sequencer.ts';
import type { LoadedMiner } from '../tasks/load-miner.ts';
import type { PositionRead } from '../tasks/read-positions.ts';
import { hotkeyOf } from './miner-folders.ts';
import { Miner } from './miner.ts';
import type { BadFile, EncodePlan } from './miner.ts';
import type { PositionsClock } from './positions-clock.ts';
import { StaleMiners } from './stale-miners.ts';

/** Where the orders of all that is read go. */
export type OrderSink = Pick<OrderSequencer, 'horizonMs' | 'observe' | 'store' | 'completeTo'>;

export interface MinerStoreOptions {
  readonly log: Logger;
  readonly clock: PositionsClock;
  /** `null` while there is no order log, or another server writes it. */
  readonly orders: () => OrderSink | null;
  /**
   * Whether orders older than 7 days lose their price sources. True for the tree, whose files keep them; an outputs
   * file was written without them.
   */
  readonly strip: boolean;
}

/** A miner as it was read, with its members besides positions where the source gives them. */
export interface ReadMiner extends LoadedMiner {
  readonly rest?: string;
}

/** What is to be done next so that a miner can be published. */
export type EncodingStep =
  | { readonly kind: 'read' }
  | { readonly kind: 'encode'; readonly plan: EncodePlan }
  /** Nothing is left of the miner. */
  | { readonly kind: 'remove' };

/**
 * All that is known of the miners: their files, live and settled positions, files that do not read, times at which
 * something is due, and up to which order that is complete. Its methods are what happened; sources call those of the
 * first half, who encodes and publishes those of the second. It does no work of its own and keeps no timer.
 */
export class MinerStore {
  readonly #options: MinerStoreOptions;
  readonly #miners = new Map<string, Miner>();
  readonly #stale: StaleMiners;
  /** Whether the source has named every miner: a generation of some would be taken for all. */
  #isListed = false;
  #order: readonly string[] | null = null;
  /** The claim of the last generation that was encoded. */
  #claimed: OrderLogState | null = null;

  constructor(options: MinerStoreOptions) {
    this.#options = options;
    this.#stale = new StaleMiners(options.log);
  }

  get isListed(): boolean {
    return this.#isListed;
  }

  /** Whether the source says in which order the miners stand; else it is that of their returns. */
  get isOrdered(): boolean {
    return this.#order !== null;
  }

  /** Orders placed before (Unix ms) are not streamed; Infinity if none are. */
  get ordersSinceMs(): number {
    return this.#options.orders()?.horizonMs ?? Infinity;
  }

  /** The stamp of a file when it was last read, if it ever was. */
  stampOf(path: string): string | undefined {
    return this.#miners.get(hotkeyOf(path) ?? '')?.files.get(path)?.stamp;
  }

  /** For how many ms nothing more should be read of a miner; 0 as a rule. */
  postponedMs(hotkey: string): number {
    return this.#stale.postponedMs(hotkey);
  }

  /** By path, what does not read. */
  badFiles(): Map<string, BadFile> {
    const bad = new Map<string, BadFile>();
    for (const miner of this.#miners.values()) for (const [path, file] of miner.bad) bad.set(path, file);
    return bad;
  }

  // --- what sources report

  /** These are all miners that there are; each is to be read, and those that were known. */
  minersFound(hotkeys: readonly string[]): void {
    for (const hotkey of new Set([...hotkeys, ...this.#miners.keys()])) {
      this.#miner(hotkey).reload();
      this.#touch(hotkey);
    }
    this.#isListed = true;
  }

  /**
   * Something was found at the paths of position files.
   *
   * @param sinceMs (monotonic ms) when it was noticed, which may be long before it could be read
   * @throws when the order log cannot say whether an order is new
   */
  filesRead(reads: readonly PositionRead[], sinceMs: number): void {
    const now = this.#options.clock.now();
    for (const read of reads) {
      const hotkey = hotkeyOf(read.path);
      if (hotkey === null) continue;
      const known = this.#miners.get(hotkey);
      if (known === undefined && read.kind === 'gone') continue;
      const miner = known ?? this.#miner(hotkey);
      if (known === undefined) miner.reload();
      const isTaken = miner.fileFound(read, now);
      if (isTaken || known === undefined) this.#touch(hotkey, sinceMs);
      // Only what is shown is streamed: a claim to be complete must hold for it.
      if (isTaken && read.kind === 'read') this.#observe(hotkey, read.position);
      if (read.kind === 'read') this.#stale.spend(hotkey, [read.position]);
    }
    void this.#options.orders()?.store();
  }

  /**
   * Miners were read as a whole.
   *
   * @param readAtMs (Unix ms) by which time settled and live positions were separated
   */
  minersRead(miners: readonly ReadMiner[], readAtMs: number): void {
    for (const loaded of miners) {
      const { hotkey } = loaded;
      const miner = this.#miner(hotkey);
      miner.read(loaded, loaded.rest ?? null, readAtMs);
      const now = this.#options.clock.now();
      if (now < readAtMs) miner.clockSetBack(now);
      for (const position of [...loaded.recent, ...loaded.live]) this.#observe(hotkey, position);
    }
    void this.#options.orders()?.store();
  }

  /**
   * These are all miners that there are, in this order; those that changed were read.
   *
   * @param sinceMs (monotonic ms) when that was noticed
   */
  minersListed(hotkeys: readonly string[], changed: readonly string[], sinceMs: number): void {
    const present = new Set(hotkeys);
    for (const [hotkey, miner] of this.#miners) {
      if (present.has(hotkey)) continue;
      miner.clear();
      this.#touch(hotkey, sinceMs);
    }
    for (const hotkey of changed) this.#touch(hotkey, sinceMs);
    this.#order = hotkeys;
    this.#isListed = true;
  }

  /** Has the orders observed that are in the files now: another server numbered them until now. */
  observeAll(): void {
    for (const [hotkey, { live }] of this.#miners)
      for (const position of live.values()) this.#observe(hotkey, position);
  }

  // --- what who publishes reports and asks

  /**
   * Time has passed: what is due is stale. Where the clock was set back, all is: what was shown in all tiers must be
   * hidden again where its 24 h have not passed by now.
   *
   * @returns by how many ms the clock was set back; 0 if it was not.
   */
  clockMoved(): number {
    const { clock } = this.#options;
    const setBackMs = clock.setBackMs();
    if (setBackMs > 0) this.#stale.forgetSpent();
    const now = clock.now();
    for (const [hotkey, miner] of this.#miners) {
      if (setBackMs > 0) miner.clockSetBack(now);
      else if (miner.changeMs > now) continue;
      miner.changeMs = Infinity;
      this.#touch(hotkey);
    }
    return setBackMs;
  }

  /** Since when (monotonic ms) a change that was read is not published, but for miners that have to wait; or Infinity. */
  get unpublishedSinceMs(): number {
    return this.#stale.sinceMs;
  }

  /** The miners that are to be encoded now. */
  due(): string[] {
    return this.#stale.due();
  }

  /** The next step of encoding a miner. A reading is to be done, and then this asked again. */
  nextStep(hotkey: string): EncodingStep {
    const now = this.#options.clock.now();
    const miner = this.#miners.get(hotkey);
    if (miner?.takeReload(now) === true) return { kind: 'read' };
    this.#stale.encoding(hotkey);
    const plan = miner?.plan(now, this.#options.strip);
    if (miner !== undefined && plan !== undefined && !miner.isEmpty) {
      this.#stale.spend(hotkey, [...plan.input.groups.flat(), ...plan.input.settling]);
      return { kind: 'encode', plan };
    }
    this.#stale.succeeded(hotkey);
    if (miner?.bad.size === 0) this.#miners.delete(hotkey);
    return { kind: 'remove' };
  }

  /** The miner's value; `null` where another one took its place since the plan was made. */
  encoded(hotkey: string, plan: EncodePlan, result: EncodedMiner): EncodedValue | null {
    const value = this.#miners.get(hotkey)?.encoded(plan, result) ?? null;
    if (value !== null) this.#stale.succeeded(hotkey);
    return value;
  }

  /** A miner could not be read or encoded: it is read anew, later. */
  encodingFailed(hotkey: string, error: unknown): void {
    this.#stale.failed(hotkey, error);
    this.#miners.get(hotkey)?.reload();
  }

  /** The generation that was made was handed over. */
  published(): void {
    this.#stale.published();
  }

  /** Nobody knows what arrived of the generation that was made: all miners are stale. */
  publishingFailed(): void {
    this.#stale.publishingFailed(this.#miners.keys());
  }

  /** Up to where every order of the log is in the files as they were read; `null` while there is no log. */
  readTo(): OrderLogState | null {
    return this.#options.orders()?.completeTo() ?? null;
  }

  /** Whether another claim can be made than for the last generation, although no miner changed. */
  hasNewClaim(): boolean {
    return this.#claimOf(this.readTo())?.last !== this.#claimed?.last;
  }

  /**
   * Up to where every order is in the generation that is made now; `null` where that is unknown.
   *
   * @param readTo as it was before the miners were encoded that were due
   */
  claim(readTo: OrderLogState | null): OrderLogState | null {
    this.#claimed = this.#claimOf(readTo);
    return this.#claimed;
  }

  #claimOf(readTo: OrderLogState | null): OrderLogState | null {
    if (readTo === null) return null;
    const now = this.#options.clock.now();
    for (const miner of this.#miners.values()) if (miner.isUnread(now)) return emptyClaim(readTo);
    return this.#stale.claim(readTo);
  }

  /** Those of the miners that have a place among all, in their order. */
  ordered(hotkeys: ReadonlySet<string>): string[] {
    if (this.#order !== null) return this.#order.filter((hotkey) => hotkeys.has(hotkey));
    const returnsOf = (hotkey: string): number => this.#miners.get(hotkey)?.thirtyDayReturns ?? 1;
    return [...hotkeys].sort((a, b) => returnsOf(b) - returnsOf(a) || (a < b ? -1 : 1));
  }

  #miner(hotkey: string): Miner {
    let miner = this.#miners.get(hotkey);
    if (miner === undefined) this.#miners.set(hotkey, (miner = new Miner()));
    return miner;
  }

  #touch(hotkey: string, sinceMs = monotonicMs()): void {
    this.#stale.touch(hotkey, sinceMs, this.readTo()?.last ?? null);
  }

  /** Where the order log cannot say whether an order is new, the miner is read again: the file itself will be the same. */
  #observe(hotkey: string, position: PositionText): void {
    try {
      this.#options.orders()?.observe(hotkey, position);
    } catch (error) {
      this.#miners.get(hotkey)?.reload();
      this.#touch(hotkey);
      throw error;
    }
  }
}
