export {
  boundLeverage,
  leverageBounds,
  ORDER_LEVERAGE,
  portfolioCap,
  portfolioLeverage,
} from './orders/leverage.ts';
export type { BoundedLeverage, LeverageBounds, LeverageRefusal, OrderedPosition } from './orders/leverage.ts';
export { PAIRS } from './trade-pairs.ts';
export type { RulesPair } from './trade-pairs.ts';
