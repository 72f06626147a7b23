export { answerDashData } from './orders/dash-data-request.ts';
export type { DashDataAnswer, DashDataSources } from './orders/dash-data-request.ts';
export { GENERATION_2025_05, GENERATION_2025_11, ORDER_GENERATIONS } from './orders/generations.ts';
export type { IntakeGeneration, OrderGeneration } from './orders/generations.ts';
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
export {
  boundLeverage,
  leverageBounds,
  ORDER_LEVERAGE,
  portfolioCap,
  portfolioLeverage,
} from './orders/leverage.ts';
export type { BoundedLeverage, LeverageBounds, LeverageRefusal, OrderedPosition } from './orders/leverage.ts';
export { isMarketOpen } from './orders/market-hours.ts';
export { checkDraft } from './orders/order-draft.ts';
export type { FilledOrder } from './orders/order-text.ts';
export { answerPositions } from './orders/positions-request.ts';
export type { PositionsAnswer, PositionsRequest, PositionsResult } from './orders/positions-request.ts';
export { correctPrices } from './orders/price-correction.ts';
export type { CorrectedPosition, CorrectionContext, LaterPrices } from './orders/price-correction.ts';
export { needsRest } from './orders/price-source.ts';
export type { PricesAt, PriceSource } from './orders/price-source.ts';
export { slippageFeatures } from './orders/slippage-features.ts';
export type { DailyBar, SlippageFeatures } from './orders/slippage-features.ts';
export type { Slippage, SlippageModel, SlippageOrder } from './orders/slippage.ts';
export { readPython, reprOf, strOf } from './python-text.ts';
export type { PythonDict, PythonReading, PythonValue } from './python-text.ts';
export { PAIRS } from './trade-pairs.ts';
export type { RulesPair } from './trade-pairs.ts';
export { hotkeysIn } from './scoring/challenge/buckets.ts';
export type { Bucket, BucketEntry, ChallengeState } from './scoring/challenge/buckets.ts';
export { challengeBuckets, challengeMaps, readChallengeFile } from './scoring/challenge/challenge-file.ts';
export type { CandidateReport, Failure, Inspection } from './scoring/challenge/inspect-challenge.ts';
export { mainCompetition } from './scoring/challenge/promotions.ts';
export { admitMiners, applyInspection } from './scoring/challenge/refresh-challenge.ts';
export { Trial } from './scoring/challenge/trial.ts';
export { giniCoefficient } from './scoring/combination/gini.ts';
export { percentiles, rankPercentile, strictPercentile } from './scoring/combination/percentiles.ts';
export { normalizeScores, softmaxOfAll, softmaxOfNonZero } from './scoring/combination/softmax.ts';
export {
  cumulativeCells,
  dailyReturnRows,
  dailyReturns,
  dateOfStart,
  dateText,
  percentOfLog,
} from './scoring/daily-returns.ts';
export {
  deepestDailyFall,
  DRAWDOWN_LIMIT_PERCENT,
  drawdownPercent,
  drawdownState,
  drawdownThresholdPenalty,
  maxDrawdown,
  riskNormalization,
} from './scoring/drawdown.ts';
export { closeByElimination } from './scoring/eliminations/elimination.ts';
export type { Elimination, EliminationReason } from './scoring/eliminations/elimination.ts';
export { findEliminations, keptEliminations } from './scoring/eliminations/find-eliminations.ts';
export { DEFAULT_SCORING_GENERATION, SCORING_GENERATIONS } from './scoring/generations/generations.ts';
export { dynamicMinimum } from './scoring/generations/minimum-days.ts';
export type { Generation } from './scoring/generations/generation.ts';
export type { MetricName, Segment } from './scoring/generations/segment.ts';
export type { DebtCheckpoint } from './scoring/debt/debt-checkpoint.ts';
export { cumulativeDebt, monthlyDebt } from './scoring/debt/debt-rules.ts';
export { debtWeights } from './scoring/weights/weigh-by-debt.ts';
export { challengeWeights, timeWeighted } from './scoring/weights/weigh-by-score.ts';
export type { Emissions, Weights } from './scoring/weights/weigh-rule.ts';
export { FeeCache } from './scoring/ledger/fee-cache.ts';
export type { LedgerTerms } from './scoring/ledger/ledger-terms.ts';
export { RESOLUTION_MS } from './scoring/ledger/market-data.ts';
export type { MarketData, Resolution } from './scoring/ledger/market-data.ts';
export { cutLedgers, needsRebuild, updateLedgers } from './scoring/ledger/update-ledgers.ts';
export type { LedgerUpdate } from './scoring/ledger/ledger-update.ts';
export type { UpdatedLedgers } from './scoring/ledger/update-ledgers.ts';
export { CHECKPOINT_DEFAULTS, PORTFOLIO } from './scoring/ledger/checkpoint.ts';
export type { Checkpoint, LedgerBundle, PerfLedger } from './scoring/ledger/checkpoint.ts';
export { annualVolatility, average, dayWeights, variance } from './scoring/metrics/averages.ts';
export { annualExcessReturn, annualReturn, downsideVolatility } from './scoring/metrics/metrics.ts';
export type { MetricInput, MetricTerms } from './scoring/metrics/metrics.ts';
export { minerRecord } from './scoring/miner-record.ts';
export type { MinerRecord } from './scoring/miner-record.ts';
export { pairwiseSum } from './scoring/numerics/pairwise-sum.ts';
export { pythonRound } from './scoring/numerics/python-round.ts';
export { martingalePenalty, martingaleScore } from './scoring/penalties/martingale.ts';
export { riskAdjustedPenalty } from './scoring/penalties/risk-adjusted.ts';
export { riskProfilePenalty, riskProfileScore, riskReport } from './scoring/penalties/risk-profile.ts';
export { firstOrderMs, recentPositions, scoringPositions } from './scoring/penalties/scoring-positions.ts';
export { sigmoid } from './scoring/penalties/sigmoid.ts';
export { scoreMiners, segmentDays } from './scoring/score-miners.ts';
export type { ScoredMiners } from './scoring/scored-miners.ts';
export { scoreRound } from './scoring/score-round.ts';
export type { Round, RoundInput } from './scoring/score-round.ts';
export {
  consistency,
  consistencyOf,
  decayOfAge,
  weighCells,
} from './scoring/generation-2024/cell-weights.ts';
export type { Cell2024 } from './scoring/generation-2024/cell-weights.ts';
export { challenge2024 } from './scoring/generation-2024/challenge.ts';
export type { Challenge2024, ChallengePosition } from './scoring/generation-2024/challenge.ts';
export { drawdownElimination2024, LEDGER_2024, round2024 } from './scoring/generation-2024/round.ts';
export type { Miner2024 } from './scoring/generation-2024/round.ts';
export {
  hasEnoughHours,
  omega2024,
  placeWeights,
  scores2024,
  timeAdjustedSortino,
} from './scoring/generation-2024/scores.ts';
export { detectPlagiarism } from './scoring/plagiarism/detect-plagiarism.ts';
export type { PlagiarismReport } from './scoring/plagiarism/detect-plagiarism.ts';
export { minerStatistics } from './scoring/statistics/miner-statistics.ts';
export type {
  MinerStatistics,
  MinerStatisticsFile,
  StatisticsInput,
} from './scoring/statistics/miner-statistics.ts';
export { explainMiner, explainMiners, explanationLines } from './scoring/explain-miner.ts';
export type { MinerExplanation } from './scoring/explain-miner.ts';
export { perfLedgersFile, readPerfLedgers } from './scoring/ledger/ledger-file.ts';
export type { PerfLedgersFile } from './scoring/ledger/ledger-file.ts';
