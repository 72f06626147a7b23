import type { Order, Position } from '@ptn-api/protocol';
import { pairwiseSum } from '../numerics/pairwise-sum.ts';
import { pythonRound } from '../numerics/python-round.ts';
import { sigmoid } from './sigmoid.ts';

const STEPS_MIN_LEVERAGE = 0.01;
const ADVANCE_MIN_LEVERAGE = 0.01;
const EPSILON = 1e-6;
const SHIFT = 1.2;
const SPREAD = 4;
const STRENGTH_EXPONENT = 100;
const LEAST_RETURN = 1e-10;

/** The orders that opened, raised or lowered the position: all of an open one, all but the last of a closed one. */
function activeOrders({ orders, is_closed_position: isClosed }: Position): readonly Order[] {
  return isClosed ? orders.slice(0, -1) : orders;
}

function directionOf({ orders }: Position): 1 | -1 {
  return orders[0]?.order_type === 'LONG' ? 1 : -1;
}

/** Net leverage after each of the orders. */
function netLeverages(orders: readonly Order[]): number[] {
  let net = 0;
  return orders.map(({ leverage }) => (net += leverage));
}

function largestLeverage(orders: readonly Order[]): number {
  return netLeverages(orders).reduce((largest, net) => Math.max(largest, Math.abs(net)), 0);
}

/** How often the position was enlarged while the price stood against its average entry. */
function losingAdditions(position: Position): number {
  const [first] = position.orders;
  if (first === undefined || position.orders.length < 2) return 0;
  const direction = directionOf(position);
  let size = Math.max(Math.abs(first.leverage), STEPS_MIN_LEVERAGE);
  let value = first.price * size;
  let averagePrice = value / size;
  let count = 0;
  for (const { leverage, price } of activeOrders(position).slice(1)) {
    const isLosing = ((price - averagePrice) / averagePrice) * direction < 0;
    if (isLosing && Math.sign(leverage) === direction) count += 1;
    size += Math.abs(leverage);
    value += price * Math.abs(leverage);
    averagePrice = value / size;
  }
  return count;
}

/** How often the net leverage reached a new maximum while the price stood against the average entry. */
function losingMaxima(position: Position): number {
  const [first] = position.orders;
  if (first === undefined || position.orders.length < 2) return 0;
  const direction = directionOf(position);
  let net = first.leverage;
  let maximum = net;
  let value = first.price * first.leverage;
  let averagePrice = value / net;
  let count = 0;
  for (const { leverage, price } of activeOrders(position).slice(1)) {
    let next = net + leverage;
    if ((price - averagePrice) * direction < 0 && Math.abs(next) > Math.abs(maximum)) {
      count += 1;
      maximum = next;
    }
    value += price * leverage;
    if (next === 0) next = EPSILON;
    averagePrice = value / next;
    net = next;
  }
  return count;
}

/** Which part of the leverage that the pair allows was used at most. */
function marginUtilization({ orders, trade_pair: [, , , minimum, maximum] }: Position): number {
  return (largestLeverage(orders) - minimum) / (maximum - minimum);
}

/** How many times the least net leverage the largest was. */
function leverageAdvance({ orders, is_closed_position: isClosed }: Position): number {
  if (orders.length === 0) return 0;
  const considered = isClosed && orders.length > 1 ? orders.slice(0, -1) : orders;
  const sizes = netLeverages(considered).map(Math.abs);
  return Math.max(...sizes) / Math.max(Math.min(...sizes), ADVANCE_MIN_LEVERAGE);
}

/** How unevenly the orders up to the largest leverage are spaced: mean distance from even spacing, in parts of it. */
function timeUnevenness({ orders }: Position): number {
  if (orders.length < 3) return 0;
  const sizes = netLeverages(orders).map(Math.abs);
  const largest = sizes.indexOf(Math.max(...sizes));
  const times = orders
    .slice(0, largest + 1)
    .map(({ processed_ms: timeMs }) => Math.max(1, timeMs))
    .sort((a, b) => a - b);
  const [firstMs] = times;
  const lastMs = times.at(-1);
  if (firstMs === undefined || lastMs === undefined || times.length < 3) return 0;
  const idealMs = (lastMs - firstMs) / (times.length - 1);
  if (idealMs === 0) return 0;
  const distances = times
    .slice(1)
    .map((timeMs, index) => Math.abs(timeMs - (times[index] as number) - idealMs));
  return pairwiseSum(distances) / distances.length / idealMs;
}

/** The criteria of the risk profile: how far a position goes, and from where on it counts. */
const CRITERIA = {
  steps: { of: losingAdditions, limit: 3 },
  monotonic: { of: losingMaxima, limit: 2 },
  margin: { of: marginUtilization, limit: 0.5 },
  leverage_advancement: { of: leverageAdvance, limit: 1.5 },
  time: { of: timeUnevenness, limit: 0.185 },
} as const;

export type RiskCriterion = keyof typeof CRITERIA;

/** Each criterion's `_utilization` (how far) and `_criteria` (1 where it is met), and what follows for the position. */
export type RiskReport = Readonly<Record<`${RiskCriterion}_${'utilization' | 'criteria'}`, number>> & {
  /** Percent, four decimals. */
  readonly position_return: number;
  /** `return_at_close ** 100`: how much the position weighs beside the miner's others. */
  readonly relative_weighting_strength: number;
  readonly overall_flag: 0 | 1;
};

function isFlagged(meets: (criterion: RiskCriterion) => boolean): boolean {
  return (
    (meets('steps') || meets('monotonic')) &&
    (meets('margin') || meets('leverage_advancement')) &&
    meets('time')
  );
}

/** A position whose losses were answered by raising it, far and at odd times. */
function isRisky(position: Position): boolean {
  return isFlagged((criterion) => CRITERIA[criterion].of(position) >= CRITERIA[criterion].limit);
}

/** The criteria of one position, as `minerstatistics` reports them on request. */
export function riskReport(position: Position): RiskReport {
  const names = Object.keys(CRITERIA) as RiskCriterion[];
  const rows = names.flatMap((name): [string, number][] => {
    const { of, limit } = CRITERIA[name];
    const value = of(position);
    return [
      [`${name}_utilization`, value],
      [`${name}_criteria`, value >= limit ? 1 : 0],
    ];
  });
  const { return_at_close: worth } = position;
  return {
    position_return: pythonRound((worth - 1) * 100, 4),
    relative_weighting_strength: worth ** STRENGTH_EXPONENT,
    overall_flag: isRisky(position) ? 1 : 0,
    ...Object.fromEntries(rows),
  } as RiskReport;
}

/**
 * Which part of a miner's positions is risky, 0 to 1, each weighing `return_at_close ** 100`, so that the most profitable
 * ones decide.
 */
export function riskProfileScore(positions: readonly Position[]): number {
  const flags = positions.map((position) => (isRisky(position) ? 1 : 0));
  if (!flags.includes(1)) return 0;
  const logs = positions.map(
    ({ return_at_close: worth }) => Math.log(Math.max(worth, LEAST_RETURN)) * STRENGTH_EXPONENT,
  );
  const highest = Math.max(...logs);
  let weights = logs.map((log) => Math.exp(log - highest));
  if (pairwiseSum(weights) < LEAST_RETURN) weights = logs.map(() => 1);
  return pairwiseSum(flags.map((flag, index) => flag * (weights[index] as number))) / pairwiseSum(weights);
}

/** The penalty of a risk profile score: 0.9918 for 0, 0.69 for 1. */
export function riskPenaltyOfScore(score: number): number {
  return sigmoid(score, SHIFT, SPREAD);
}

/** The penalty of the risk profile of a miner's positions. */
export function riskProfilePenalty(positions: readonly Position[]): number {
  return riskPenaltyOfScore(riskProfileScore(positions));
}
