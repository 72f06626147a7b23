import type { Logger } from 'pino';
import type { OrderLogState } from '@ptn-api/order-log';
import type { EncodedGroup, EncodedValue } from '@ptn-api/positions';
import type { PositionsHead, Transaction } from '@ptn-api/runtime';
import { feedMetrics } from '../feed-metrics.ts';
import type { TaskPool } from '../task-pool.ts';
import { BadFileReports } from './bad-file-reports.ts';
import type { MinerStore } from './miner-store.ts';
import type { PositionsClock } from './positions-clock.ts';
import { PublishedMiners } from './published-miners.ts';

/**
 * What changed within this time becomes one generation; freshness stays below half a second. As often it is checked
 * whether the time of a position has come: it passes from hidden to visible within a second of it.
 */
const GATHER_MS = 200;

export interface PositionsFeedOptions {
  readonly store: MinerStore;
  readonly clock: PositionsClock;
  readonly source: {
    readonly kind: 'tree' | 'outputs';
    /** Reads a miner anew, and reports it to the store. */
    readMiner(hotkey: string): Promise<void>;
  };
  readonly pool: TaskPool;
  readonly log: Logger;
  /** Generations continue above it. */
  readonly lastGeneration: number;
  readonly publish: (transaction: Transaction<'positions'>) => Promise<void>;
}

/** Makes generations of what the store holds: every now and then has encoded what changed, and publishes it at once. */
export class PositionsFeed {
  readonly #options: PositionsFeedOptions;
  readonly #badFiles: BadFileReports;
  readonly #published = new Set<string>();
  readonly #miners = new PublishedMiners();
  readonly #warned = new Set<string>();
  /** Positions of a miner that cannot be cut, as last encoded. */
  readonly #unsupported = new Map<string, number>();
  #generation: number;
  #goneAt = 0;
  #isFirst = true;
  /** How many miners the last generation had. */
  #minerCount = 0;
  #timer: NodeJS.Timeout | null = null;
  #flushing: Promise<void> | null = null;
  /** Whether a tick came since the last flush began. */
  #isDue = false;
  #isClosed = false;

  constructor(options: PositionsFeedOptions) {
    this.#options = options;
    this.#badFiles = new BadFileReports(options.log);
    // Milliseconds of the clock, so that a generation of an earlier run is never met again.
    this.#generation = Math.max(options.lastGeneration, options.clock.now());
  }

  get generation(): number {
    return this.#generation;
  }

  /** Publishes the first generation, and from then on what changes. Resolves when the first was handed over. */
  async start(): Promise<void> {
    this.#flushing = this.#flush().finally(() => {
      this.#flushing = null;
    });
    await this.#flushing;
    if (this.#isClosed) return;
    this.#timer = setInterval(() => {
      this.#tick();
    }, GATHER_MS);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#flushing;
  }

  #tick(): void {
    const { store, clock } = this.#options;
    this.#clockMoved();
    this.#badFiles.report(store.badFiles(), clock.now());
    this.#isDue = true;
    this.#flushing ??= this.#flushWhileDue();
  }

  /** What comes while a generation is made waits for no further tick. */
  async #flushWhileDue(): Promise<void> {
    while (this.#isDue && !this.#isClosed) {
      this.#isDue = false;
      try {
        await this.#flush();
      } catch (error) {
        this.#options.log.error(
          { event: 'publish-failed', err: error },
          'a generation could not be handed over',
        );
      }
    }
    this.#flushing = null;
  }

  #clockMoved(): void {
    const byMs = this.#options.store.clockMoved();
    if (byMs === 0) return;
    this.#options.log.warn(
      { event: 'clock-set-back', byMs },
      'the clock was set back: tiers are worked out again for the new time',
    );
  }

  /** Publishes what changed. Resolves when it was handed over. */
  async #flush(): Promise<void> {
    if (!this.#isWanted()) return;
    const { store } = this.#options;
    try {
      await this.#makeGeneration();
      store.published();
    } catch (error) {
      // Nobody knows what of it arrived: the next generation begins anew, with all miners.
      this.#isFirst = true;
      this.#published.clear();
      this.#miners.forgetSegments();
      store.publishingFailed();
      throw error;
    }
  }

  #isWanted(): boolean {
    const { store, lastGeneration } = this.#options;
    // What the last feed published of a source that does not read just now is better than nothing.
    if (!store.isListed && lastGeneration > 0) return false;
    if (this.#isFirst || store.due().length > 0) return true;
    return store.hasNewClaim();
  }

  async #makeGeneration(): Promise<void> {
    const { store, clock, publish } = this.#options;
    const put = new Map<string, EncodedValue>();
    const remove = new Set<string>();
    let readTo, setBacks;
    do {
      ({ setBacks } = clock);
      // Every order up to its end is in the miners as they are read now: in those encoded here, or before.
      readTo = store.readTo();
      await Promise.all(store.due().map((hotkey) => this.#encodeDue(hotkey, put, remove)));
      // A clock that was set back meanwhile makes all of them stale: what is hidden by now must not go out.
      if (clock.isSetBack) this.#clockMoved();
    } while (setBacks !== clock.setBacks);
    for (const hotkey of put.keys()) this.#published.add(hotkey);
    for (const hotkey of remove) this.#published.delete(hotkey);
    // By the clock: how many there were in between would betray what is hidden from a tier.
    this.#generation = Math.max(this.#generation + 1, clock.now());
    const hotkeys = store.ordered(this.#published);
    this.#dropUnnamed(new Set(hotkeys), put, remove);
    const claim = store.claim(readTo);
    this.#warnOfNone(hotkeys.length);
    const reset = this.#isFirst;
    if (remove.size > 0 || reset) this.#goneAt = this.#generation;
    this.#isFirst = false;
    feedMetrics.countGeneration();
    const changes = [
      ...[...remove].map((hotkey) => this.#miners.remove(hotkey)),
      ...[...put].map(([hotkey, value]) => this.#miners.put(hotkey, value, this.#generation)),
    ];
    for (const hotkey of remove) this.#unsupported.delete(hotkey);
    await publish({
      topic: 'positions',
      reset,
      put: [['head', this.#head(hotkeys, claim)], ...changes.flatMap((change) => change.put)],
      remove: changes.flatMap((change) => change.remove),
    });
  }

  #head(hotkeys: readonly string[], claim: OrderLogState | null): PositionsHead {
    const { store, clock, source } = this.#options;
    return {
      kind: 'positions-head',
      generation: this.#generation,
      // A tree without miners is no data; an outputs file that was read is, even if its map is empty.
      source: hotkeys.length === 0 && !store.isOrdered ? 'none' : source.kind,
      hotkeys,
      goneAt: this.#goneAt,
      modifiedMs: clock.now(),
      ...(claim === null ? {} : { sequence: claim.last, epoch: claim.epoch }),
    };
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

  #warnOfNone(count: number): void {
    if (count === 0 && this.#minerCount > 0) {
      this.#options.log.warn(
        { event: 'no-miners', was: this.#minerCount },
        'no miner has a position any more: is PTN_ROOT still there?',
      );
    }
    this.#minerCount = count;
  }

  async #encodeDue(hotkey: string, put: Map<string, EncodedValue>, remove: Set<string>): Promise<void> {
    const { store } = this.#options;
    try {
      const value = await this.#encode(hotkey);
      put.delete(hotkey);
      remove.delete(hotkey);
      if (value !== null) put.set(hotkey, value);
      else if (this.#published.has(hotkey)) remove.add(hotkey);
    } catch (error) {
      store.encodingFailed(hotkey, error);
    }
  }

  /** The miner's new value; `null` when it is no more. */
  async #encode(hotkey: string): Promise<EncodedValue | null> {
    const { store, clock, source, pool } = this.#options;
    for (;;) {
      const step = store.nextStep(hotkey);
      if (step.kind === 'remove') return null;
      if (step.kind === 'read') {
        await source.readMiner(hotkey);
        // A clock that was set back during the reading is known before anything is made of what was read.
        if (clock.isSetBack) this.#clockMoved();
        continue;
      }
      const result = await pool.run('encodeMiner', step.plan.input);
      const value = store.encoded(hotkey, step.plan, result);
      if (value === null) continue;
      this.#warn(hotkey, [...step.plan.groups.map(({ encoded }) => encoded), ...result.groups]);
      return value;
    }
  }

  #warn(hotkey: string, groups: readonly (EncodedGroup | null)[]): void {
    const { log } = this.#options;
    const warnings = groups.flatMap((group) => group?.warnings ?? []);
    const count = groups.reduce((sum, group) => sum + (group?.unsupported ?? 0), 0);
    for (const warning of warnings) {
      if (this.#warned.has(warning)) continue;
      this.#warned.add(warning);
      log.warn({ event: 'position-warning', hotkey }, warning);
    }
    const before = this.#unsupported.get(hotkey) ?? 0;
    this.#unsupported.set(hotkey, count);
    if (count <= before) return;
    log.warn(
      { event: 'unsupported-positions', hotkey, count },
      'positions of a newer generation cannot be cut and are left out of the delayed share',
    );
  }
}
