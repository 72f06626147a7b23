export { hotkeysIn } from './challenge/buckets.ts';
export type { Bucket, BucketEntry, ChallengeState } from './challenge/buckets.ts';
export { challengeBuckets, challengeMaps, readChallengeFile } from './challenge/challenge-file.ts';
export type { CandidateReport } from './challenge/inspect-challenge.ts';
export { mainCompetition } from './challenge/promotions.ts';
export { admitMiners, applyInspection } from './challenge/refresh-challenge.ts';
export { Trial } from './challenge/trial.ts';
export { giniCoefficient } from './combination/gini.ts';
export { percentiles, rankPercentile, strictPercentile } from './combination/percentiles.ts';
export { normalizeScores, softmaxOfAll } from './combination/softmax.ts';
export { cumulativeCells, dailyReturnRows, dailyReturns, dateText, percentOfLog } from './daily-returns.ts';
export {
  deepestDailyFall,
  DRAWDOWN_LIMIT_PERCENT,
  drawdownPercent,
  drawdownState,
  drawdownThresholdPenalty,
  maxDrawdown,
  riskNormalization,
} from './drawdown.ts';
export { closeByElimination } from './eliminations/elimination.ts';
export type { Elimination } from './eliminations/elimination.ts';
export { keptEliminations } from './eliminations/find-eliminations.ts';
export { DEFAULT_SCORING_GENERATION, SCORING_GENERATIONS } from './generations/generations.ts';
export { dynamicMinimum } from './generations/minimum-days.ts';
export type { Generation } from './generations/generation.ts';
export type { DebtCheckpoint } from './debt/debt-checkpoint.ts';
export { cumulativeDebt, monthlyDebt } from './debt/debt-rules.ts';
export { debtWeights } from './weights/weigh-by-debt.ts';
export { challengeWeights, timeWeighted } from './weights/weigh-by-score.ts';
export type { Weights } from './weights/weigh-rule.ts';
export { FeeCache } from './ledger/fee-cache.ts';
export type { LedgerTerms } from './ledger/ledger-terms.ts';
export { RESOLUTION_MS } from './ledger/market-data.ts';
export type { MarketData, Resolution } from './ledger/market-data.ts';
export { cutLedgers, needsRebuild, updateLedgers } from './ledger/update-ledgers.ts';
export type { LedgerUpdate } from './ledger/ledger-update.ts';
export type { UpdatedLedgers } from './ledger/update-ledgers.ts';
export { CHECKPOINT_DEFAULTS, PORTFOLIO } from './ledger/checkpoint.ts';
export type { Checkpoint, LedgerBundle, PerfLedger } from './ledger/checkpoint.ts';
export { annualVolatility, average, dayWeights, variance } from './metrics/averages.ts';
export { annualExcessReturn, annualReturn, downsideVolatility } from './metrics/metrics.ts';
export type { MetricInput } from './metrics/metrics.ts';
export { minerRecord } from './miner-record.ts';
export type { MinerRecord } from './miner-record.ts';
export { pairwiseSum } from './numerics/pairwise-sum.ts';
export { pythonRound } from './numerics/python-round.ts';
export { martingalePenalty, martingaleScore } from './penalties/martingale.ts';
export { riskAdjustedPenalty } from './penalties/risk-adjusted.ts';
export { riskProfilePenalty, riskProfileScore, riskReport } from './penalties/risk-profile.ts';
export { firstOrderMs, recentPositions, scoringPositions } from './penalties/scoring-positions.ts';
export { sigmoid } from './penalties/sigmoid.ts';
export { scoreMiners, segmentDays } from './score-miners.ts';
export type { ScoredMiners } from './scored-miners.ts';
export { scoreRound } from './score-round.ts';
export type { Round, RoundInput } from './score-round.ts';
export { consistency, consistencyOf, decayOfAge, weighCells } from './generation-2024/cell-weights.ts';
export type { Cell2024 } from './generation-2024/cell-weights.ts';
export { challenge2024 } from './generation-2024/challenge.ts';
export type { ChallengePosition } from './generation-2024/challenge.ts';
export { drawdownElimination2024, round2024 } from './generation-2024/round.ts';
export {
  hasEnoughHours,
  omega2024,
  placeWeights,
  scores2024,
  timeAdjustedSortino,
} from './generation-2024/scores.ts';
export { detectPlagiarism } from './plagiarism/detect-plagiarism.ts';
export type { PlagiarismReport } from './plagiarism/detect-plagiarism.ts';
export { minerStatistics } from './statistics/miner-statistics.ts';
export type { MinerStatisticsFile } from './statistics/miner-statistics.ts';
export { explainMiner, explainMiners, explanationLines } from './explain-miner.ts';
export type { MinerExplanation } from './explain-miner.ts';
export { perfLedgersFile, readPerfLedgers } from './ledger/ledger-file.ts';
export type { PerfLedgersFile } from './ledger/ledger-file.ts';
