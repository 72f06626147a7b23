import { timeAtTradingMs, tradingMsAt } from '../market/trading-hours.ts';
import type { AssetClass } from '../market/trading-hours.ts';
import type { Random } from '../random.ts';

const DAY_MS = 86_400_000;
/** The share of a miner's positions that fall into the last day, where the tiers differ. */
const RECENT_SHARE = 0.06;
const STAYS_OPEN_SHARE = 0.35;
/** So short that a position does not count in the summary fields. */
const FLEETING_MS = 60_000;
const FLEETING_SHARE = 0.01;

/** When the orders of one position are placed, Unix ms. */
export interface PositionPlan {
  readonly openMs: number;
  /** Rising. The last one closes the position unless it stays open. */
  readonly laterMs: readonly number[];
  readonly staysOpen: boolean;
}

export interface TimelineOptions {
  readonly assetClass: AssetClass;
  /** How many positions. */
  readonly count: number;
  /** Unix ms: the miner trades in [fromMs, untilMs). */
  readonly fromMs: number;
  readonly untilMs: number;
  /** The end of the history, which makes positions recent. */
  readonly nowMs: number;
  /** The median time that the miner holds a position. */
  readonly holdingMs: number;
}

/** How many orders lie between the first and the last: mostly none, sometimes up to 18. */
function countOfAdjustments(random: Random): number {
  const luck = random.next();
  if (luck < 0.84) return 0;
  if (luck < 0.96) return 1 + random.integer(3);
  return luck < 0.99 ? 4 + random.integer(5) : 9 + random.integer(10);
}

/**
 * When a miner's positions of one pair open, change and close: one after another, since a miner has one open position
 * of a pair at a time, and only in market hours. The last one may stay open.
 */
export function planTimeline(random: Random, options: TimelineOptions): PositionPlan[] {
  const { assetClass, count, fromMs, untilMs, nowMs, holdingMs } = options;
  const start = tradingMsAt(assetClass, fromMs);
  const end = tradingMsAt(assetClass, untilMs);
  const recentStart = Math.min(Math.max(tradingMsAt(assetClass, nowMs - DAY_MS), start), end);

  let recent = 0;
  if (end > recentStart) for (let i = 0; i < count; i++) recent += random.chance(RECENT_SHARE) ? 1 : 0;
  const older = recentStart > start ? count - recent : 0;
  recent = end > recentStart ? count - older : 0;

  const plans: PositionPlan[] = [];
  for (let i = 0; i < older + recent; i++) {
    const isLast = i === older + recent - 1;
    const staysOpen = isLast && random.chance(STAYS_OPEN_SHARE);
    const isOlder = i < older;
    const [areaStart, areaEnd] = isOlder ? [start, recentStart] : [recentStart, end];
    const width = (areaEnd - areaStart) / (isOlder ? older : recent);
    const slotStart = areaStart + width * (isOlder ? i : i - older);
    const slotEnd = staysOpen ? end : slotStart + width;

    const opened = slotStart + width * random.between(0.01, 0.3);
    const longest = slotEnd - width * 0.01 - opened;
    const wished = random.chance(FLEETING_SHARE)
      ? random.between(0.1, 0.9) * FLEETING_MS
      : holdingMs * Math.exp(1.3 * random.normal());
    const length = staysOpen ? longest : Math.min(wished, longest);
    const between = Array.from({ length: countOfAdjustments(random) }, () => opened + length * random.next());
    const later = [...between.sort((a, b) => a - b), ...(staysOpen ? [] : [opened + length])];
    const openMs = Math.floor(timeAtTradingMs(assetClass, opened));
    plans.push({ openMs, laterMs: timesAfter(openMs, assetClass, later), staysOpen });
  }
  return plans;
}

/** The market's clock to Unix ms, each at least 1 ms after the one before. */
function timesAfter(openMs: number, assetClass: AssetClass, moments: readonly number[]): number[] {
  let last = openMs;
  return moments.map((moment) => {
    last = Math.max(Math.floor(timeAtTradingMs(assetClass, moment)), last + 1);
    return last;
  });
}
