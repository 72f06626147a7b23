import type { Logger } from 'pino';
import type { MinerValue, PositionsHead, Transaction } from '../ipc/messages.ts';
import { machineMs } from '../metrics/machine-clock.ts';
import type { OrderLogState } from '../order-log/order-log.ts';
import { feedMetrics } from './feed-metrics.ts';
import { MinerState } from './miner-state.ts';
import type { TaskPool } from './task-pool.ts';

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
  /** Unix ms by the clock that everything of the positions goes by. */
  readonly now: () => number;
  readonly #dirty = new Set<string>();
  readonly #published = new Set<string>();
  #generation: number;
  #isFirst = true;
  /** How many miners the last generation had. */
  #miners = 0;
  #timer: NodeJS.Timeout | null = null;
  #clock: NodeJS.Timeout | null = null;
  #flushing: Promise<void> | null = null;
  #flushingSinceMs: number | null = null;
  #lastTickMs: number;
  /** Every order up to it is in what was published. */
  #reached: OrderLogState | null = null;
  readonly #reported = new Set<string>();
  readonly #warned = new Set<string>();

  constructor(options: PositionsFeedOptions) {
    this.#options = options;
    this.now = options.now ?? Date.now;
    this.#lastTickMs = this.now();
    // Milliseconds of the clock, so that a generation of an earlier run is never met again.
    this.#generation = Math.max(options.lastGeneration, this.now());
  }

  /** Since when (by `machineMs`) a generation has been under way; `null` while none is. */
  get flushingSinceMs(): number | null {
    return this.#flushingSinceMs;
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

  /** The miner's value may have changed: it goes into the next generation. */
  touch(hotkey: string): void {
    this.#dirty.add(hotkey);
    this.#schedule();
  }

  /** Orders were stored, or seen in the files: the next generation says up to where the positions are complete. */
  completenessChanged(): void {
    if (!this.#isFirst) this.#schedule();
  }

  #schedule(): void {
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
    this.#lastTickMs = this.now();
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
    const now = this.now();
    if (now < this.#lastTickMs - CLOCK_STEP_MS) this.#clockSetBack(now);
    this.#lastTickMs = now;
    for (const miner of this.miners.values()) {
      if (miner.changeMs <= now) {
        miner.changeMs = Infinity;
        this.touch(miner.hotkey);
      }
    }
    this.#reportBad(now);
  }

  /** What was shown in all tiers must be hidden again where its 24 h have not passed by the new time. */
  #clockSetBack(now: number): void {
    this.#options.log.warn(
      { event: 'clock-set-back', byMs: this.#lastTickMs - now },
      'the clock was set back: tiers are worked out again for the new time',
    );
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

  /** Publishes what changed. Resolves when it was handed over; several calls at once are one. */
  async flush(): Promise<void> {
    while (this.#flushing !== null) await this.#flushing;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const isReached = this.#options.completeTo?.()?.last === this.#reached?.last;
    if (this.#dirty.size === 0 && isReached && !this.#isFirst) return;
    this.#flushingSinceMs = machineMs();
    this.#flushing = this.#flushOnce().finally(() => {
      this.#flushing = null;
      this.#flushingSinceMs = null;
    });
    await this.#flushing;
  }

  async #flushOnce(): Promise<void> {
    const { log, publish, source, completeTo } = this.#options;
    const hotkeys = [...this.#dirty];
    this.#dirty.clear();
    // Of every order up to it, the miner is among those encoded here or before.
    const reached = completeTo?.() ?? null;
    const failed: string[] = [];
    const put: [string, PositionsHead | MinerValue][] = [];
    const remove: string[] = [];
    await Promise.all(
      hotkeys.map(async (hotkey) => {
        try {
          const value = await this.#encode(hotkey);
          if (value !== null) {
            put.push([`miner:${hotkey}`, value]);
            this.#published.add(hotkey);
          } else if (this.#published.delete(hotkey)) {
            remove.push(`miner:${hotkey}`);
          }
        } catch (error) {
          log.error(
            { event: 'encode-failed', err: error, hotkey },
            'a miner could not be encoded; it is tried again',
          );
          this.miner(hotkey).changeMs = this.now() + RETRY_MS;
          failed.push(hotkey);
        }
      }),
    );
    if (failed.length === 0) this.#reached = reached;
    this.#generation += 1;
    const ordered = this.#ordered();
    const head: PositionsHead = {
      kind: 'positions-head',
      generation: this.#generation,
      // A tree without miners is no data; an outputs file that was read is, even if its map is empty.
      source: ordered.length === 0 && this.order === null ? 'none' : source,
      hotkeys: ordered,
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
    await publish({ topic: 'positions', reset, put: [['head', head], ...put], remove });
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

  /** The miner's new value; `null` when it is no more. */
  async #encode(hotkey: string): Promise<MinerValue | null> {
    const { pool, loadMiner, strip, log } = this.#options;
    const miner = this.miner(hotkey);
    if (loadMiner !== null && miner.reloadMs <= this.now()) await loadMiner(hotkey, this.now());
    const before = miner.unsupported;
    let plan, result;
    do {
      plan = miner.plan(this.now(), strip);
      if (miner.isEmpty) {
        if (miner.bad.size === 0) this.miners.delete(hotkey);
        return null;
      }
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
