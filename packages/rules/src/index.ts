export { answerDashData } from './orders/dash-data-request.ts';
export type { DashDataAnswer } from './orders/dash-data-request.ts';
export { GENERATION_2025_05, GENERATION_2025_11 } from './orders/generations.ts';
export type { IntakeGeneration } from './orders/generations.ts';
export { NEW_MINER, rememberUuid } from './orders/intake-state.ts';
export type {
  IntakeContext,
  MinerState,
  OrderTimestamp,
  SignalRequest,
  ValidatorState,
} from './orders/intake-state.ts';
export { takeSignal } from './orders/intake.ts';
export type { FileChanges, IntakeResult, SignalAnswer } from './orders/intake.ts';
export { boundLeverage, leverageBounds, portfolioCap, portfolioLeverage } from './orders/leverage.ts';
export { isMarketOpen } from './orders/market-hours.ts';
export { checkDraft } from './orders/order-draft.ts';
export { answerPositions } from './orders/positions-request.ts';
export type { PositionsAnswer, PositionsRequest } from './orders/positions-request.ts';
export { correctPrices } from './orders/price-correction.ts';
export type { CorrectedPosition, CorrectionContext } from './orders/price-correction.ts';
export { needsRest } from './orders/price-source.ts';
export type { PricesAt, PriceSource } from './orders/price-source.ts';
export { slippageFeatures } from './orders/slippage-features.ts';
export type { DailyBar, SlippageFeatures } from './orders/slippage-features.ts';
export type { SlippageModel } from './orders/slippage.ts';
export { PAIRS } from './trade-pairs.ts';
export type { RulesPair } from './trade-pairs.ts';
