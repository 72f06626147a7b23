import { carryFee, nextCarryMs, pairTerms, spreadFee } from '@ptn-api/positions';
import type { Position } from '@ptn-api/protocol';

const HOUR_MS = 3_600_000;
/** How long before its next change a carry fee counts as that of its interval. */
const CRYPTO_INTERVAL_MS = 8 * HOUR_MS;
const OTHER_INTERVAL_MS = 24 * HOUR_MS;

interface CachedCarry {
  readonly fee: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

interface CachedSpread {
  readonly fee: number;
  readonly lastOrderMs: number;
}

/**
 * The fees of positions by uuid, as long as validators keep them. The carry fee of a moment depends on when within its interval
 * it was computed first, so keeping it is a part of the rule and no mere saving.
 */
export class FeeCache {
  readonly #carry = new Map<string, CachedCarry>();
  readonly #spread = new Map<string, CachedSpread>();

  /** The carry fee of a position at `timeMs`, Unix ms; of a closed one at most at its close. */
  carry(position: Position, timeMs: number): number {
    const { position_uuid: uuid, open_ms: openMs, close_ms: closeMs, orders } = position;
    const atMs = position.is_closed_position && closeMs !== null ? Math.min(timeMs, closeMs) : timeMs;
    const cached = this.#carry.get(uuid);
    if (cached !== undefined && cached.fromMs <= atMs && atMs < cached.untilMs) return cached.fee;
    const { assetClass } = pairTerms(position.trade_pair);
    const fee = carryFee({ orders, assetClass, openMs }, atMs);
    const untilMs = nextCarryMs(assetClass, openMs, atMs);
    const fromMs = untilMs - (assetClass === 'crypto' ? CRYPTO_INTERVAL_MS : OTHER_INTERVAL_MS);
    this.#carry.set(uuid, { fee, fromMs, untilMs });
    return fee;
  }

  /** The spread fee of a position at `timeMs`, Unix ms. */
  spread(position: Position, timeMs: number): number {
    const { position_uuid: uuid, orders } = position;
    const lastOrderMs = orders.at(-1)?.processed_ms ?? 0;
    const cached = this.#spread.get(uuid);
    if (cached?.lastOrderMs === lastOrderMs) return cached.fee;
    const isAccountSize = position.account_size !== undefined;
    const fee = spreadFee({ ...pairTerms(position.trade_pair), orders, isAccountSize }, timeMs);
    this.#spread.set(uuid, { fee, lastOrderMs });
    return fee;
  }

  /** Forgets positions that are not among these. */
  keepOnly(uuids: ReadonlySet<string>): void {
    for (const kept of [this.#carry, this.#spread]) {
      for (const uuid of kept.keys()) if (!uuids.has(uuid)) kept.delete(uuid);
    }
  }
}
