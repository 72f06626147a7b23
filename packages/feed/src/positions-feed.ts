import type { Logger } from 'pino';
import type { EncodedValue, PositionsHead, Transaction } from '@ptn-api/runtime';
import { Budgets } from '@ptn-api/access';
import { monotonicMs } from '@ptn-api/runtime';
import { emptyClaim } from '@ptn-api/order-log';
import type { OrderLogState } from '@ptn-api/order-log';
import { feedMetrics } from './feed-metrics.ts';
import { MinerState } from './miner-state.ts';
import type { TaskPool } from './task-pool.ts';
import { TierChanges } from './tier-changes.ts';

/** Changes are gathered for so long before they become a generation: freshness stays below half a second. */
const GATHER_MS = 200;
/** How often the clock is looked at: a position passes from hidden to visible within a second of its time. */
const TICK_MS = 200;
/** A clock that is set back by less is ignored: the tiers would differ by seconds in a day. */
const CLOCK_STEP_MS = 5000;
/** A file that does not read is reported when it has been so for this long: until then it may still be written. */
const REPORT_BAD_AFTER_MS = 5000;
/** Of files that are to be reported at one moment so many are named, the others are counted. */
const NAMED_BAD_FILES = 10;
/** A miner whose encoding failed (a thread that died) is tried again after so long. */
const RETRY_MS = 5000;
/**
 * What may be read and encoded of one miner, in characters of positions. Every change of it is read by all who follow
 * the changes: 40 positions of 100 orders are 2 MB each time, which come every 4 seconds then.
 */
const MINER_BUDGET = { perSecond: 500_000, atOnce: 16_000_000 };

export interface PositionsFeedOptions {
  readonly pool: TaskPool;
  readonly log: Logger;
  /** Generations continue above it. */
  readonly lastGeneration: number;
  /** Whether the source keeps price sources that have to be dropped with time. */
  readonly strip: boolean;
  /** How a miner is read as a whole; the source knows. `null` where it cannot be read again by itself. */
  readonly loadMiner: ((hotkey: string, now: number) => Promise<void>) | null;
  readonly publish: (transaction: Transaction<'positions'>) => Promise<void>;
  /** Up to where every order of the log is in the files as they were read; `null` while there is no log. */
  readonly completeTo?: () => OrderLogState | null;
  readonly source: 'tree' | 'outputs';
  /** Told when the clock was set back and the source must be read anew because it cannot be read by miner. */
  readonly onClockSetBack?: () => void;
  readonly now?: () => number;
}

/**
 * Turns changes of miners into generations: gathers them, has what changed encoded in the pool, and publishes one
 * transaction for all of it.
 */
export class PositionsFeed {
  readonly miners = new Map<string, MinerState>();
  /** The order of miners where the source gives one; else they are ordered by their returns. */
  order: readonly string[] | null = null;
  readonly #options: PositionsFeedOptions;
  /**
   * The miners whose published value may not be what is known of them. The value: every order up to this number is in
   * what was published of the miner, `null` where nothing was, or where there was no order log.
   */
  readonly #stale = new Map<string, number | null>();
  /** When (monotonic ms) the miners whose encoding failed are tried again. */
  readonly #retryAtMs = new Map<string, number>();
  readonly #budgets = new Budgets(MINER_BUDGET);
  readonly #published = new Set<string>();
  readonly #changes = new TierChanges();
  #goneAt = 0;
  #generation: number;
  #isFirst = true;
  /** Whether the source has touched all miners that there are: a generation of some would be taken for all. */
  #isBegun = false;
  /** How many miners the last generation had. */
  #miners = 0;
  #timer: NodeJS.Timeout | null = null;
  #clock: NodeJS.Timeout | null = null;
  #flushing: Promise<void> | null = null;
  /** Since when (monotonic ms) what the running flush hands over waits for it; `Infinity` while none runs. */
  #flushingSinceMs = Infinity;
  /** The same of the next flush. */
  #waitingSinceMs = Infinity;
  /** The latest time (Unix ms) that tiers were worked out by since the clock was last set back. */
  #latestMs = -Infinity;
  /** How often the clock was found to be set back. */
  #clockSteps = 0;
  /** Every order up to it is in what was published. */
  #reached: OrderLogState | null = null;
  /** Whether it is kept back by files that do not read. */
  #isHeldBack = false;
  readonly #reported = new Set<string>();
  readonly #warned = new Set<string>();
  /** The miners that were found too large for their changes. */
  readonly #postponed = new Set<string>();

  constructor(options: PositionsFeedOptions) {
    this.#options = options;
    // Milliseconds of the clock, so that a generation of an earlier run is never met again.
    this.#generation = Math.max(options.lastGeneration, this.now());
  }

  /**
   * Unix ms by the clock that everything of the positions goes by. Whatever is worked out by a time is known here, so
   * that a clock that is set back afterwards is noticed, whenever that happens and in however many steps.
   */
  readonly now = (): number => {
    const now = (this.#options.now ?? Date.now)();
    this.#latestMs = Math.max(this.#latestMs, now);
    return now;
  };

  /** Since when (monotonic ms) a change that was read is not published; `Infinity` while there is none. */
  get unpublishedSinceMs(): number {
    return Math.min(this.#flushingSinceMs, this.#waitingSinceMs);
  }

  get generation(): number {
    return this.#generation;
  }

  /** The state of a miner, made if it is new. */
  miner(hotkey: string): MinerState {
    let miner = this.miners.get(hotkey);
    if (miner === undefined) {
      miner = new MinerState(hotkey);
      this.miners.set(hotkey, miner);
    }
    return miner;
  }

  /**
   * The miner's value may have changed: it goes into the next generation.
   *
   * @param sinceMs (monotonic ms) when the change was noticed, which may be long before it could be read
   */
  touch(hotkey: string, sinceMs = monotonicMs()): void {
    if (!this.#stale.has(hotkey)) {
      // In the first generation a miner holds orders that an earlier process numbered; one that comes later does not.
      const last = this.#isFirst ? undefined : this.#options.completeTo?.()?.last;
      this.#stale.set(hotkey, last ?? null);
    }
    this.#schedule(sinceMs);
  }

  /** Orders were stored, or seen in the files: the next generation says up to where the positions are complete. */
  completenessChanged(): void {
    if (!this.#isFirst) this.#schedule();
  }

  #schedule(sinceMs = monotonicMs()): void {
    this.#waitingSinceMs = Math.min(this.#waitingSinceMs, sinceMs);
    if (!this.#isBegun) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.flush().catch((error: unknown) => {
        this.#options.log.error(
          { event: 'publish-failed', err: error },
          'a generation could not be handed over',
        );
      });
    }, GATHER_MS);
  }

  /** Starts the clock that moves positions between the tiers when their time comes; after the first generation. */
  startClock(): void {
    this.#isBegun = true;
    // Of what was seen while the first generation was made.
    this.completenessChanged();
    this.#clock = setInterval(() => {
      this.#tick();
    }, TICK_MS);
  }

  async close(): Promise<void> {
    if (this.#clock !== null) clearInterval(this.#clock);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#flushing;
  }

  #tick(): void {
    this.#checkClock();
    const now = this.now();
    for (const miner of this.miners.values()) {
      if (miner.changeMs <= now) {
        miner.changeMs = Infinity;
        this.touch(miner.hotkey);
      }
    }
    if (this.#due().length > 0) this.#schedule();
    // What does not read is waited for no longer.
    if (this.#isHeldBack && !this.#hasUnread()) this.completenessChanged();
    this.#reportBad(now);
  }

  /** What was shown in all tiers must be hidden again where its 24 h have not passed by a time that was set back. */
  #checkClock(): void {
    const latestMs = this.#latestMs;
    const now = this.now();
    if (now >= latestMs - CLOCK_STEP_MS) return;
    this.#latestMs = now;
    this.#clockSteps += 1;
    this.#options.log.warn(
      { event: 'clock-set-back', byMs: latestMs - now },
      'the clock was set back: tiers are worked out again for the new time',
    );
    // What must be hidden again waits for nothing.
    this.#budgets.clear();
    for (const miner of this.miners.values()) {
      miner.clockSetBack(now, this.#options.loadMiner !== null);
      this.touch(miner.hotkey);
    }
    this.#options.onClockSetBack?.();
  }

  /** Tells of files that have not read for a while: each once until it reads again, however often it is written. */
  #reportBad(now: number): void {
    const bad = [...this.miners.values()].flatMap((miner) => [...miner.bad]);
    const paths = new Set(bad.map(([path]) => path));
    for (const path of this.#reported) if (!paths.has(path)) this.#reported.delete(path);
    const due = bad.filter(
      ([path, { sinceMs }]) => now - sinceMs >= REPORT_BAD_AFTER_MS && !this.#reported.has(path),
    );
    for (const [path] of due) this.#reported.add(path);
    for (const [path, { reason }] of due.slice(0, NAMED_BAD_FILES)) {
      this.#options.log.warn(
        { event: 'bad-position', path, reason },
        'a position is left out or shown as it last was, because its file does not read',
      );
    }
    if (due.length > NAMED_BAD_FILES) {
      this.#options.log.warn(
        { event: 'bad-positions', count: due.length - NAMED_BAD_FILES },
        'further positions are left out or shown as they last were, because their files do not read',
      );
    }
  }

  /**
   * Publishes what changed. Resolves when it was handed over; several calls at once are one. The first call is the
   * source's, when it has touched every miner; from then on the feed publishes by itself.
   */
  async flush(): Promise<void> {
    this.#isBegun = true;
    while (this.#flushing !== null) await this.#flushing;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const sinceMs = Math.min(this.#waitingSinceMs, monotonicMs());
    this.#waitingSinceMs = Infinity;
    const isReached = this.#options.completeTo?.()?.last === this.#reached?.last;
    if (this.#due().length === 0 && isReached && !this.#isFirst) return;
    this.#flushingSinceMs = sinceMs;
    this.#flushing = this.#flushOnce()
      .catch((error: unknown) => {
        this.#flushFailed();
        this.#waitingSinceMs = sinceMs;
        throw error;
      })
      .finally(() => {
        this.#flushing = null;
        this.#flushingSinceMs = Infinity;
      });
    await this.#flushing;
  }

  async #flushOnce(): Promise<void> {
    const { log, publish, source, completeTo } = this.#options;
    const put = new Map<string, EncodedValue>();
    const remove = new Set<string>();
    let state, clockSteps;
    do {
      clockSteps = this.#clockSteps;
      // Every order up to its end is in the miners as they are read now: in those encoded here, or before.
      state = completeTo?.() ?? null;
      await Promise.all(this.#due().map((hotkey) => this.#encodeStale(hotkey, put, remove)));
      // A clock that was set back meanwhile makes all of them stale: what is hidden by now must not go out.
      this.#checkClock();
    } while (clockSteps !== this.#clockSteps);
    for (const hotkey of put.keys()) this.#published.add(hotkey);
    for (const hotkey of remove) this.#published.delete(hotkey);
    this.#reached = this.#completeTo(state);
    // By the clock: how many there were in between would tell of what is hidden from a tier.
    this.#generation = Math.max(this.#generation + 1, this.now());
    const ordered = this.#ordered();
    this.#dropUnnamed(new Set(ordered), put, remove);
    if (remove.size > 0 || this.#isFirst) this.#goneAt = this.#generation;
    const head: PositionsHead = {
      kind: 'positions-head',
      generation: this.#generation,
      // A tree without miners is no data; an outputs file that was read is, even if its map is empty.
      source: ordered.length === 0 && this.order === null ? 'none' : source,
      hotkeys: ordered,
      goneAt: this.#goneAt,
      modifiedMs: this.now(),
      ...(this.#reached === null ? {} : { sequence: this.#reached.last, epoch: this.#reached.epoch }),
    };
    if (ordered.length === 0 && this.#miners > 0) {
      log.warn(
        { event: 'no-miners', was: this.#miners },
        'no miner has a position any more: is PTN_ROOT still there?',
      );
    }
    this.#miners = ordered.length;
    const reset = this.#isFirst;
    this.#isFirst = false;
    feedMetrics.countGeneration();
    for (const hotkey of remove) this.#changes.forget(hotkey);
    const miners = [...put].map(
      ([hotkey, value]) =>
        [
          `miner:${hotkey}`,
          { ...value, changedAt: this.#changes.note(hotkey, value, this.#generation) },
        ] as const,
    );
    await publish({
      topic: 'positions',
      reset,
      put: [['head', head], ...miners],
      remove: [...remove].map((hotkey) => `miner:${hotkey}`),
    });
  }

  /** What the head does not name is kept by nobody: where its source shows it again, its value is sent again. */
  #dropUnnamed(named: ReadonlySet<string>, put: Map<string, EncodedValue>, remove: Set<string>): void {
    for (const hotkey of this.#published) {
      if (named.has(hotkey)) continue;
      this.#published.delete(hotkey);
      put.delete(hotkey);
      remove.add(hotkey);
    }
  }

  /** Nobody knows what of it arrived: the next generation begins anew, with all miners. */
  #flushFailed(): void {
    this.#isFirst = true;
    this.#published.clear();
    for (const hotkey of this.miners.keys()) this.#stale.set(hotkey, null);
    this.#schedule();
  }

  async #encodeStale(hotkey: string, put: Map<string, EncodedValue>, remove: Set<string>): Promise<void> {
    const { log } = this.#options;
    const completeTo = this.#stale.get(hotkey) ?? null;
    this.#stale.delete(hotkey);
    try {
      const value = await this.#encode(hotkey);
      put.delete(hotkey);
      remove.delete(hotkey);
      if (value !== null) put.set(hotkey, value);
      else if (this.#published.has(hotkey)) remove.add(hotkey);
      if (this.#retryAtMs.delete(hotkey))
        log.info({ event: 'encode-recovered', hotkey }, 'a miner that could not be encoded is served again');
    } catch (error) {
      // Once: as long as the cause stays, every attempt fails alike.
      if (!this.#retryAtMs.has(hotkey)) {
        log.error(
          { event: 'encode-failed', err: error, hotkey },
          'a miner could not be encoded; what was published of it last stays, and it is tried again',
        );
      }
      this.#retryAtMs.set(hotkey, monotonicMs() + RETRY_MS);
      this.#stale.set(hotkey, completeTo);
    }
  }

  /** The stale miners that can be encoded now. */
  #due(): string[] {
    const now = monotonicMs();
    return [...this.#stale.keys()].filter(
      (hotkey) => (this.#retryAtMs.get(hotkey) ?? 0) <= now && this.postponedMs(hotkey) === 0,
    );
  }

  /** For how many ms nothing more should be read or encoded of the miner; 0 as a rule. */
  postponedMs(hotkey: string): number {
    return this.#budgets.waitMs(hotkey);
  }

  /** So many characters of positions were read or encoded of the miner. */
  spend(hotkey: string, characters: number): void {
    if (this.#isFirst || this.#budgets.spend(hotkey, characters) === 0 || this.#postponed.has(hotkey)) return;
    this.#postponed.add(hotkey);
    this.#options.log.warn(
      { event: 'positions-postponed', hotkey, characters },
      'the positions of a miner are large and change all the time: its changes are gathered for some seconds',
    );
  }

  /**
   * Up to where every order is in what is published now: no further than in the miner that lags behind the others.
   *
   * @param read up to where every order was in the files as they were read before this generation was encoded.
   */
  #completeTo(read: OrderLogState | null): OrderLogState | null {
    if (read === null) return null;
    const lags = [...this.#stale.values()];
    this.#isHeldBack = this.#hasUnread();
    // Of a miner that was never published, or not in full, it is unknown which orders are missing.
    if (this.#isHeldBack || lags.includes(null)) return emptyClaim(read);
    return { ...read, last: lags.reduce<number>((least, last) => Math.min(least, last ?? 0), read.last) };
  }

  #hasUnread(): boolean {
    const now = this.now();
    return [...this.miners.values()].some((miner) => miner.isUnread(now));
  }

  #ordered(): string[] {
    if (this.order !== null) return this.order.filter((hotkey) => this.#published.has(hotkey));
    const miners = [...this.#published].map((hotkey) => this.miner(hotkey));
    miners.sort(
      (a, b) =>
        b.thirtyDayReturns - a.thirtyDayReturns || (a.hotkey < b.hotkey ? -1 : a.hotkey > b.hotkey ? 1 : 0),
    );
    return miners.map((miner) => miner.hotkey);
  }

  async #load(miner: MinerState, loadMiner: (hotkey: string, now: number) => Promise<void>): Promise<void> {
    const askedMs = miner.reloadMs;
    miner.reloadMs = Infinity;
    try {
      await loadMiner(miner.hotkey, this.now());
      // A clock that was set back during the reading is known before anything is made of what was read.
      this.#checkClock();
    } catch (error) {
      miner.reloadMs = Math.min(miner.reloadMs, askedMs);
      throw error;
    }
  }

  /** The miner's new value; `null` when it is no more. */
  async #encode(hotkey: string): Promise<EncodedValue | null> {
    const { pool, loadMiner, strip, log } = this.#options;
    const miner = this.miner(hotkey);
    const before = miner.unsupported;
    let plan, result;
    do {
      // Again where it was asked for during the reading: what was read may be older than the question.
      while (loadMiner !== null && miner.reloadMs <= this.now()) await this.#load(miner, loadMiner);
      plan = miner.plan(this.now(), strip);
      if (miner.isEmpty) {
        if (miner.bad.size === 0) this.miners.delete(hotkey);
        return null;
      }
      const { live, settling } = plan.input;
      this.spend(
        hotkey,
        [...live, ...settling].reduce((sum, { text }) => sum + text.length, 0),
      );
      result = await pool.run('encodeMiner', plan.input);
    } while (!miner.isCurrent(plan));
    const value = miner.encoded(plan, result);
    for (const warning of result.warnings) {
      if (this.#warned.has(warning)) continue;
      this.#warned.add(warning);
      log.warn({ event: 'position-warning', hotkey }, warning);
    }
    if (miner.unsupported > before) {
      log.warn(
        { event: 'unsupported-positions', hotkey, count: miner.unsupported },
        'positions of a newer generation cannot be cut and are left out of the delayed share',
      );
    }
    return value;
  }
}
