import type { OrderType, Position, TradePair } from '@ptn-api/protocol';
import type { Random } from '../random.ts';

/** What a miner does with a pair. `flip` is an order the other way that is larger than the position: it closes it. */
export type Action = 'open' | 'add' | 'reduce' | 'close' | 'flip';

export interface OrderSize {
  readonly type: OrderType;
  /** Signed. */
  readonly leverage: number;
}

/** From so many orders on a position is closed by the next one. */
const MAX_ORDERS = 20;

/** Leverages as miners send them: mostly round numbers. */
function roundLeverage(leverage: number): number {
  return Number(leverage.toFixed(leverage < 0.1 ? 4 : 3));
}

/** How much can be added to the position before it is at its pair's maximum. */
function room(position: Position): number {
  return position.trade_pair[4] - Math.abs(position.net_leverage);
}

/** How much can be taken off before the position is at its pair's minimum. */
function slack(position: Position): number {
  return Math.abs(position.net_leverage) - position.trade_pair[3];
}

/** What can be done to an open position, in the proportions in which miners do it. */
export function chooseAction(random: Random, position: Position): Exclude<Action, 'open'> {
  if (position.orders.length >= MAX_ORDERS) return 'close';
  const [, , , minLeverage] = position.trade_pair;
  const wish = random.pick([
    'add',
    'add',
    'add',
    'reduce',
    'reduce',
    'close',
    'close',
    'close',
    'flip',
  ] as const);
  if (wish === 'add' && room(position) < minLeverage) return 'close';
  if (wish === 'reduce' && slack(position) < minLeverage) return 'close';
  return wish;
}

/** Something that leaves the position open, or undefined if its leverage allows none. */
export function chooseAdjustment(random: Random, position: Position): 'add' | 'reduce' | undefined {
  const [, , , minLeverage] = position.trade_pair;
  const canAdd = room(position) >= minLeverage;
  const canReduce = slack(position) >= minLeverage;
  if (canAdd && canReduce) return random.chance(0.6) ? 'add' : 'reduce';
  if (canAdd) return 'add';
  return canReduce ? 'reduce' : undefined;
}

/** The opening order of a position in one direction. */
export function openingSize(random: Random, pair: TradePair, direction: 1 | -1): OrderSize {
  const [, , , minLeverage, maxLeverage] = pair;
  // Mostly small: the square makes large ones rare.
  const leverage = minLeverage + (maxLeverage - minLeverage) * 0.6 * random.next() ** 2;
  return { type: direction === 1 ? 'LONG' : 'SHORT', leverage: direction * roundLeverage(leverage) };
}

/**
 * The order that does `action` to an open position.
 *
 * @throws RangeError when the position is at the maximum or minimum leverage of its pair and the action would pass it.
 */
export function followUpSize(random: Random, position: Position, action: Exclude<Action, 'open'>): OrderSize {
  const direction = position.net_leverage > 0 ? 1 : -1;
  const along: OrderType = direction === 1 ? 'LONG' : 'SHORT';
  const against: OrderType = direction === 1 ? 'SHORT' : 'LONG';
  const net = Math.abs(position.net_leverage);
  switch (action) {
    case 'add': {
      if (room(position) <= 0) throw new RangeError('the position is at its maximum leverage');
      return { type: along, leverage: direction * room(position) * random.between(0.1, 0.5) };
    }
    case 'reduce': {
      if (slack(position) <= 0) throw new RangeError('the position is at its minimum leverage');
      return { type: against, leverage: -direction * slack(position) * random.between(0.2, 0.8) };
    }
    case 'close':
      return { type: 'FLAT', leverage: -position.net_leverage };
    case 'flip':
      return { type: against, leverage: -direction * roundLeverage(net * random.between(1.1, 1.8)) };
  }
}
