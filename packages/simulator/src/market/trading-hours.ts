import type { AssetClass as PairClass } from '@ptn-api/positions';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
/** 1970-01-05 00:00 UTC, the first Monday of Unix time. */
const FIRST_MONDAY_MS = 4 * DAY_MS;

/** The classes that simulated miners trade, each at hours of its own. */
export type AssetClass = Exclude<PairClass, 'indices'>;

/** When a market is open, as ms from Monday 00:00 UTC. Without holidays and summer time. */
const SESSIONS: Readonly<Record<AssetClass, readonly (readonly [openMs: number, closeMs: number])[]>> = {
  crypto: [[0, WEEK_MS]],
  forex: [[0, 4 * DAY_MS + 21 * HOUR_MS]],
  equities: [0, 1, 2, 3, 4].map(
    (day) => [day * DAY_MS + 14.5 * HOUR_MS, day * DAY_MS + 21 * HOUR_MS] as const,
  ),
};

const WEEKLY_MS: Readonly<Record<AssetClass, number>> = {
  crypto: openMsPerWeek('crypto'),
  forex: openMsPerWeek('forex'),
  equities: openMsPerWeek('equities'),
};

function openMsPerWeek(assetClass: AssetClass): number {
  return SESSIONS[assetClass].reduce((total, [openMs, closeMs]) => total + closeMs - openMs, 0);
}

/** How long the market is open in a year, in ms. */
export function tradingMsPerYear(assetClass: AssetClass): number {
  return (WEEKLY_MS[assetClass] * 365.25) / 7;
}

/**
 * The market's own clock: how long it had been open until `timeMs` (Unix ms). It stands still while the market is
 * closed, so that what is planned on it only ever happens during market hours.
 */
export function tradingMsAt(assetClass: AssetClass, timeMs: number): number {
  const week = Math.floor((timeMs - FIRST_MONDAY_MS) / WEEK_MS);
  const offsetMs = timeMs - FIRST_MONDAY_MS - week * WEEK_MS;
  let openMs = week * WEEKLY_MS[assetClass];
  for (const [sessionStartMs, sessionEndMs] of SESSIONS[assetClass]) {
    openMs += Math.min(Math.max(offsetMs - sessionStartMs, 0), sessionEndMs - sessionStartMs);
  }
  return openMs;
}

/** The inverse of {@link tradingMsAt}: the Unix ms at which the market's clock shows `tradingMs`. */
export function timeAtTradingMs(assetClass: AssetClass, tradingMs: number): number {
  const week = Math.floor(tradingMs / WEEKLY_MS[assetClass]);
  let restMs = tradingMs - week * WEEKLY_MS[assetClass];
  for (const [sessionStartMs, sessionEndMs] of SESSIONS[assetClass]) {
    const lengthMs = sessionEndMs - sessionStartMs;
    if (restMs < lengthMs) return FIRST_MONDAY_MS + week * WEEK_MS + sessionStartMs + restMs;
    restMs -= lengthMs;
  }
  throw new RangeError(`no time of the ${assetClass} market at ${tradingMs}`);
}

export function isMarketOpen(assetClass: AssetClass, timeMs: number): boolean {
  const offsetMs = (((timeMs - FIRST_MONDAY_MS) % WEEK_MS) + WEEK_MS) % WEEK_MS;
  return SESSIONS[assetClass].some(([openMs, closeMs]) => offsetMs >= openMs && offsetMs < closeMs);
}
