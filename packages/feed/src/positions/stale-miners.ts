import type { Logger } from 'pino';
import { Budgets } from '@ptn-api/access';
import { emptyClaim } from '@ptn-api/order-log';
import type { OrderLogState } from '@ptn-api/order-log';
import type { PositionText } from '@ptn-api/positions';
import { monotonicMs } from '@ptn-api/runtime';

/** A miner whose encoding failed (a thread that died) is tried again after so long. */
const RETRY_MS = 5000;
/**
 * What may be read and encoded of one miner, in characters of positions. Every change of it is read by all who follow
 * the changes: 40 positions of 100 orders are 2 MB each time, which come every 4 seconds then.
 */
const MINER_BUDGET = { perSecond: 500_000, atOnce: 16_000_000 };

interface Stale {
  /** Monotonic ms. */
  readonly sinceMs: number;
  /** Every order up to it is in what was published of the miner; `null` where that is unknown. */
  readonly last: number | null;
}

/** The miners whose published value may not be what is known of them: when they are encoded, and what may be claimed. */
export class StaleMiners {
  readonly #stale = new Map<string, Stale>();
  /** Those that the generation that is being made holds as they are known. */
  readonly #encoded = new Map<string, Stale>();
  /** When (monotonic ms) those whose encoding failed are tried again. */
  readonly #retryAtMs = new Map<string, number>();
  readonly #budgets = new Budgets(MINER_BUDGET);
  /** Those that were found too large for their changes. */
  readonly #warned = new Set<string>();
  readonly #log: Logger;
  #wasPublished = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** @param last the last order that is in all that was read until now; `null` where that is unknown. */
  touch(hotkey: string, sinceMs: number, last: number | null): void {
    if (this.#stale.has(hotkey)) return;
    // In the first generation a miner holds orders that an earlier process numbered; one that comes later does not.
    this.#stale.set(hotkey, { sinceMs, last: this.#wasPublished ? last : null });
  }

  /** Those that are to be encoded now. */
  due(): string[] {
    const now = monotonicMs();
    return [...this.#stale.keys()].filter(
      (hotkey) => (this.#retryAtMs.get(hotkey) ?? 0) <= now && this.postponedMs(hotkey) === 0,
    );
  }

  /** Since when (monotonic ms) a miner waits to be published that need not wait; Infinity if none does. */
  get sinceMs(): number {
    const due = this.due().map((hotkey) => this.#stale.get(hotkey));
    return Math.min(...[...due, ...this.#encoded.values()].map((stale) => stale?.sinceMs ?? Infinity));
  }

  /** All that is known of the miner is being encoded: what comes from now on makes it stale again. */
  encoding(hotkey: string): void {
    const stale = this.#stale.get(hotkey);
    if (stale !== undefined && !this.#encoded.has(hotkey)) this.#encoded.set(hotkey, stale);
    this.#stale.delete(hotkey);
  }

  succeeded(hotkey: string): void {
    if (!this.#retryAtMs.delete(hotkey)) return;
    this.#log.info(
      { event: 'encode-recovered', hotkey },
      'a miner that could not be encoded is served again',
    );
  }

  failed(hotkey: string, error: unknown): void {
    const stale = this.#encoded.get(hotkey);
    if (stale !== undefined) this.#stale.set(hotkey, stale);
    this.#encoded.delete(hotkey);
    // Once: as long as the cause stays, every attempt fails alike.
    if (!this.#retryAtMs.has(hotkey)) {
      this.#log.error(
        { event: 'encode-failed', err: error, hotkey },
        'a miner could not be encoded; what was published of it last stays, and it is tried again',
      );
    }
    this.#retryAtMs.set(hotkey, monotonicMs() + RETRY_MS);
  }

  published(): void {
    this.#encoded.clear();
    this.#wasPublished = true;
  }

  /** Nobody knows what of it arrived: all miners are stale. */
  publishingFailed(hotkeys: Iterable<string>): void {
    this.#wasPublished = false;
    for (const hotkey of hotkeys) {
      const { sinceMs = monotonicMs() } = this.#encoded.get(hotkey) ?? this.#stale.get(hotkey) ?? {};
      this.#stale.set(hotkey, { sinceMs, last: null });
    }
    this.#encoded.clear();
  }

  /** Up to where every order is in what was encoded: no further than in the miner that lags behind the others. */
  claim(readTo: OrderLogState): OrderLogState | null {
    let { last } = readTo;
    for (const stale of this.#stale.values()) {
      // Of a miner that was never published, or not in full, it is unknown which orders are missing.
      if (stale.last === null) return emptyClaim(readTo);
      last = Math.min(last, stale.last);
    }
    return { ...readTo, last };
  }

  /** For how many ms nothing more should be read or encoded of the miner; 0 as a rule. */
  postponedMs(hotkey: string): number {
    return this.#budgets.waitMs(hotkey);
  }

  /** These positions of the miner were read or encoded. */
  spend(hotkey: string, positions: readonly PositionText[]): void {
    const characters = positions.reduce((sum, { text }) => sum + text.length, 0);
    // Of a position of 50 MB, too, the first change is read and encoded at once, and a later one within half a minute.
    const cost = Math.min(characters, MINER_BUDGET.atOnce / 2);
    if (!this.#wasPublished || this.#budgets.spend(hotkey, cost) === 0) return;
    if (this.#warned.has(hotkey)) return;
    this.#warned.add(hotkey);
    this.#log.warn(
      { event: 'positions-postponed', hotkey, characters },
      'the positions of a miner are large and change all the time: its changes are gathered for some seconds',
    );
  }

  /** What must be hidden again waits for nothing. */
  forgetSpent(): void {
    this.#budgets.clear();
  }
}
