import type { AssetClass } from '@ptn-api/positions';
import type { OrderType } from '@ptn-api/protocol';
import { PAIRS } from '../trade-pairs.ts';
import type { RulesPair } from '../trade-pairs.ts';

/** Absolute net leverage that a position may have. */
export interface LeverageBounds {
  readonly min: number;
  /** 0 while the pair may only be reduced or closed. */
  readonly max: number;
}

/** From when on which bounds apply; `null` stands for the pair's own, a missing class was not traded. */
interface BoundsEra {
  readonly fromMs: number;
  readonly min: number | null;
  readonly max: Readonly<Partial<Record<AssetClass, number>>> | null;
}

/** The newest first. */
const BOUNDS_ERAS: readonly BoundsEra[] = [
  { fromMs: 1_739_937_600_000, min: null, max: null },
  { fromMs: 1_722_018_483_000, min: null, max: { crypto: 0.5, forex: 5, equities: 5 } },
  { fromMs: -Infinity, min: 0.001, max: { crypto: 20, forex: 500, indices: 500 } },
];

/** Pairs that may only be reduced or closed after an instant (Unix ms). */
const INDICES_PAUSED_AFTER_MS = 1_731_700_800_000;
const OTHERS_PAUSED_AFTER_MS = 1_744_700_399_000;
const METALS: ReadonlySet<string> = new Set(['XAUUSD', 'XAGUSD']);

function pausedAfterMs({ id, assetClass }: RulesPair): number {
  if (assetClass === 'indices') return INDICES_PAUSED_AFTER_MS;
  return assetClass === 'equities' || METALS.has(id) ? OTHERS_PAUSED_AFTER_MS : Infinity;
}

/** The bounds at a time (Unix ms); `undefined` where the pair's class was not traded then. */
export function leverageBounds(pair: RulesPair, timeMs: number): LeverageBounds | undefined {
  const era = BOUNDS_ERAS.find(({ fromMs }) => timeMs >= fromMs);
  if (era === undefined) return undefined;
  const max = era.max === null ? pair.maxLeverage : era.max[pair.assetClass];
  if (max === undefined) return undefined;
  return { min: era.min ?? pair.minLeverage, max: timeMs > pausedAfterMs(pair) ? 0 : max };
}

const PORTFOLIO_CAP_FROM_MS = 1_727_161_200_000;

/** The greatest portfolio leverage at a time (Unix ms). */
export function portfolioCap(timeMs: number): number {
  return timeMs >= PORTFOLIO_CAP_FROM_MS ? 10 : Infinity;
}

/** What of a position counts for the portfolio leverage. */
export interface LeveragedPosition {
  readonly trade_pair: readonly [id: string, ...unknown[]];
  readonly net_leverage: number;
  readonly is_closed_position: boolean;
}

/** The portfolio leverage of a miner: absolute net leverages times the multipliers of their pairs, summed in order. */
export function portfolioLeverage(positions: Iterable<LeveragedPosition>): number {
  let sum = 0;
  for (const { trade_pair: pair, net_leverage: net, is_closed_position: isClosed } of positions) {
    if (!isClosed) sum += Math.abs(net) * (PAIRS.get(pair[0])?.multiplier ?? 1);
  }
  return sum;
}

/** Absolute leverage of an order as it is sent, and after it was clamped. */
export const ORDER_LEVERAGE = { min: 0.001, max: 500 };

/** Why an order's leverage is refused. */
export type LeverageRefusal =
  | { readonly kind: 'closed' }
  /** The pair's class is not traded at that time. */
  | { readonly kind: 'not-traded' }
  | { readonly kind: 'portfolio-exceeded'; readonly cap: number }
  | { readonly kind: 'max-exceeded' }
  | { readonly kind: 'below-min'; readonly min: number }
  /** A reduction to less than the minimum while the portfolio is beyond its cap. */
  | { readonly kind: 'below-min-over-portfolio'; readonly min: number; readonly cap: number }
  | { readonly kind: 'below-order-min'; readonly leverage: number };

export type BoundedLeverage =
  | { readonly ok: true; readonly orderType: OrderType; readonly leverage: number }
  | { readonly ok: false; readonly refusal: LeverageRefusal };

/** The position that an order goes to, before it. */
export interface OrderedPosition {
  readonly isFirstOrder: boolean;
  readonly isClosed: boolean;
  /** Signed. */
  readonly netLeverage: number;
}

/**
 * What becomes of an order's leverage: taken as it is, clamped to what is left, turned into the FLAT that closes the
 * position, or refused.
 *
 * @param order with its leverage signed by its type.
 * @param portfolio the miner's portfolio leverage with this position in it.
 * @param timeMs Unix ms.
 */
export function boundLeverage(
  position: OrderedPosition,
  order: { readonly orderType: OrderType; readonly leverage: number },
  pair: RulesPair,
  portfolio: number,
  timeMs: number,
): BoundedLeverage {
  const { isFirstOrder, isClosed, netLeverage: net } = position;
  const refuse = (refusal: LeverageRefusal): BoundedLeverage => ({ ok: false, refusal });
  if (isClosed) return refuse({ kind: 'closed' });
  if (order.orderType === 'FLAT') return { ok: true, orderType: 'FLAT', leverage: -net };
  const proposed = net + order.leverage;
  // What goes beyond closing is not carried over into the other direction.
  if (!isFirstOrder && net * proposed <= 0) return { ok: true, orderType: 'FLAT', leverage: -net };
  const bounds = leverageBounds(pair, timeMs);
  if (bounds === undefined) return refuse({ kind: 'not-traded' });
  const { min, max } = bounds;
  const { multiplier } = pair;
  const cap = portfolioCap(timeMs);
  const [before, after] = [Math.abs(net), Math.abs(proposed)];
  const portfolioAfter = portfolio - before * multiplier + after * multiplier;
  let { leverage } = order;
  if (after > max || portfolioAfter > cap) {
    if (isFirstOrder || after >= before || portfolioAfter >= portfolio) {
      const room = Math.max(0, Math.min(max - before, (cap - portfolio) / multiplier));
      if (room === 0) {
        return refuse(portfolio >= cap ? { kind: 'portfolio-exceeded', cap } : { kind: 'max-exceeded' });
      }
      leverage = order.orderType === 'SHORT' ? -room : room;
    } else if (after < min) {
      return refuse({ kind: 'below-min-over-portfolio', min, cap });
    }
  } else if (after < min && (isFirstOrder || after < before)) {
    return refuse({ kind: 'below-min', min });
  }
  if (Math.abs(leverage) < ORDER_LEVERAGE.min) return refuse({ kind: 'below-order-min', leverage });
  return { ok: true, orderType: order.orderType, leverage };
}
