import type { AccountedOrder } from './accounted-order.ts';
import type { AssetClass } from './trade-pairs.ts';

/** Unix ms at which the validator's rules changed. */
const FEE_V4_MS = 1_713_198_680_000;
const FEE_V6_MS = 1_720_843_707_000;
export const SLIPPAGE_V1_MS = 1_739_937_600_000;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEDNESDAY = 3;

/** What the carry fee of an asset class depends on. */
interface CarryTerms {
  /** One fee is due for each of these. */
  readonly intervalMs: number;
  /** The boundaries are at this time of the day (UTC) and every interval from there. */
  readonly boundaryMs: number;
  /** What a position of leverage 1 keeps over one interval. */
  readonly factor: number;
  readonly restsOnWeekend: boolean;
}

// The factors stand as the numbers that Python computes: the last digit of exp and log differs between languages.
/** exp(ln(1 - 0.1095) / (365 * 3)): 10.95 % a year, three times a day. */
const CRYPTO_FACTOR = 0.9998940949450921;
/** exp(ln(1 - 0.03) / 365) */
const FOREX_FACTOR = 0.9999165535983249;
/** exp(ln(1 - 0.0525) / 365) */
const STOCK_FACTOR = 0.9998522620320668;

const STOCK_CARRY: CarryTerms = {
  intervalMs: DAY_MS,
  boundaryMs: 21 * HOUR_MS,
  factor: STOCK_FACTOR,
  restsOnWeekend: true,
};

const CARRY: Readonly<Record<AssetClass, CarryTerms>> = {
  crypto: { intervalMs: 8 * HOUR_MS, boundaryMs: 4 * HOUR_MS, factor: CRYPTO_FACTOR, restsOnWeekend: false },
  forex: { ...STOCK_CARRY, factor: FOREX_FACTOR },
  equities: STOCK_CARRY,
  indices: STOCK_CARRY,
};

/** Whose fees: all orders of the position, also those behind the one at which the fees are asked for. */
export interface FeeSubject {
  readonly orders: readonly AccountedOrder[];
  readonly assetClass: AssetClass;
  /** Of the pair, as a fraction. */
  readonly fee: number;
  readonly isAccountSize: boolean;
  /** Unix ms. */
  readonly openMs: number;
}

function flips(previous: number, current: number): boolean {
  return previous * current < 0;
}

/** The net leverage after an order, and whether the order ends the walk, whatever follows. */
function afterOrder(
  net: number,
  { order_type: type, leverage }: AccountedOrder,
): { readonly net: number; readonly closes: boolean } {
  const next = net + leverage;
  const closes = type === 'FLAT' || flips(net, next);
  return { net: closes ? 0 : next, closes };
}

/**
 * Tells the largest absolute net leverage that the position had in `[fromMs, toMs]`, for spans that follow one another:
 * orders before a span are passed once and not again for each of the thousands of spans of a year.
 */
function leverageWalk(orders: readonly AccountedOrder[]): (fromMs: number, toMs: number) => number {
  let passed = 0;
  let netBefore = 0;
  let isClosed = false;
  return (fromMs, toMs) => {
    for (; !isClosed; passed++) {
      const order = orders[passed];
      if (order === undefined || !(order.processed_ms < fromMs)) break;
      ({ net: netBefore, closes: isClosed } = afterOrder(netBefore, order));
    }
    let current = netBefore;
    let largest = 0;
    let matched = false;
    for (let index = passed; index < orders.length && !isClosed; index++) {
      const order = orders[index] as AccountedOrder;
      const { processed_ms: timeMs } = order;
      const previous = current;
      const after = afterOrder(previous, order);
      current = after.net;
      if (timeMs >= fromMs) {
        matched = true;
        if (timeMs > toMs) return Math.max(largest, Math.abs(previous));
        largest = Math.max(largest, Math.abs(current), timeMs > fromMs ? Math.abs(previous) : 0);
      }
      if (after.closes) break;
    }
    return matched ? largest : Math.abs(current);
  };
}

/** All leverage that was bought and sold until the position closed. */
function cumulativeLeverage({ orders, isAccountSize }: Pick<FeeSubject, 'orders' | 'isAccountSize'>): number {
  let current = 0;
  let sum = 0;
  for (const { order_type: type, leverage, src = 0 } of orders) {
    if (!isAccountSize && src !== 0) continue;
    if (type === 'FLAT') return sum + Math.abs(current);
    const previous = current;
    current += leverage;
    if (current === 0 || flips(previous, current)) return sum + Math.abs(previous);
    sum += Math.abs(current - previous);
  }
  return sum;
}

/** What remains of a return after the spread fee, a factor of at most 1. */
export function spreadFee(subject: Omit<FeeSubject, 'openMs'>, timeMs: number): number {
  if (subject.isAccountSize) {
    return subject.assetClass === 'crypto' ? 1 - cumulativeLeverage(subject) * 0.001 : 1;
  }
  return timeMs < SLIPPAGE_V1_MS ? 1 - cumulativeLeverage(subject) * subject.fee * 0.5 : 1;
}

/** From a boundary itself it is a whole interval to the next one. */
function msToBoundary({ intervalMs, boundaryMs }: CarryTerms, timeMs: number): number {
  return intervalMs - ((timeMs + intervalMs - (boundaryMs % intervalMs)) % intervalMs);
}

/** 0 is Sunday. */
function dayOfWeek(timeMs: number): number {
  return (Math.floor(timeMs / DAY_MS) + 4) % 7;
}

/**
 * What remains of a return after the carry fee, a factor of at most 1.
 *
 * @param timeMs Unix ms; for a closed position at most its close time.
 */
export function carryFee(subject: Omit<FeeSubject, 'fee' | 'isAccountSize'>, timeMs: number): number {
  if (timeMs < FEE_V6_MS || timeMs < subject.openMs) return 1;
  const terms = CARRY[subject.assetClass];
  const startMs = Math.max(FEE_V6_MS, subject.openMs);
  const elapsedMs = timeMs - startMs;
  const wholeIntervals = Math.floor(elapsedMs / terms.intervalMs);
  const count = wholeIntervals + (elapsedMs % terms.intervalMs >= msToBoundary(terms, startMs) ? 1 : 0);
  const maxLeverageWithin = leverageWalk(subject.orders);
  let product = 1;
  let fromMs = startMs;
  // The validator takes the first interval as long as it is from now to the next boundary, and steps of 8 h from there
  // for every class; what it charges is what counts.
  let toMs = startMs + msToBoundary(terms, timeMs);
  for (let i = 0; i < count; i++) {
    const day = dayOfWeek(toMs);
    if (!terms.restsOnWeekend || (day !== 0 && day !== 6)) {
      const charge = terms.factor ** maxLeverageWithin(fromMs, toMs);
      product *= terms.restsOnWeekend && day === WEDNESDAY ? charge ** 3 : charge;
    }
    fromMs = toMs;
    toMs += 8 * HOUR_MS;
  }
  return product;
}

/**
 * When the carry fee of a position changes next (Unix ms), given its fee at `timeMs`.
 *
 * @param timeMs Unix ms; for a closed position at most its close time.
 */
export function nextCarryMs(assetClass: AssetClass, openMs: number, timeMs: number): number {
  const terms = CARRY[assetClass];
  const startMs = Math.max(FEE_V6_MS, openMs);
  if (timeMs < startMs) return Math.min(timeMs + terms.intervalMs, startMs);
  return timeMs + msToBoundary(terms, timeMs);
}

/**
 * What remains of a return after all fees of the position as of `timeMs`, a factor of at most 1.
 *
 * @param timeMs Unix ms; for a closed position at most its close time.
 */
export function feeFactor(subject: FeeSubject, timeMs: number): number {
  if (timeMs < FEE_V4_MS) return 1 - subject.fee * leverageWalk(subject.orders)(-Infinity, Infinity);
  return carryFee(subject, timeMs) * spreadFee(subject, timeMs);
}
