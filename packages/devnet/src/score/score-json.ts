import type { ScoredMiner, ScoreReport } from './score-report.ts';

/** A miner for programs. Numbers that are not finite become `null`. */
export function minerJson(miner: ScoredMiner): unknown {
  const { hotkey, bucket, rank, weight, metrics, penalties, drawdown, tradingDays, candidate, outcome } =
    miner;
  return {
    hotkey,
    bucket: bucket ?? null,
    rank: rank ?? null,
    weight,
    metrics: metrics.map(({ segment, name, score, percentile, weight: share }) => ({
      segment,
      name,
      value: score,
      percentile,
      weight: share,
    })),
    penalties: { ...penalties.byName, total: penalties.total },
    drawdown_percent: drawdown.percent,
    until_elimination_percent: drawdown.leftPercent,
    trading_days: tradingDays,
    promotion:
      candidate === undefined
        ? null
        : {
            minimum_days: candidate.minimumDays,
            missing_days: Math.max(0, candidate.minimumDays - candidate.tradingDays),
            percentile: candidate.percentile ?? null,
            percentile_threshold: candidate.percentileThreshold ?? null,
            segments: candidate.segments ?? null,
            remaining_ms: candidate.remainingMs ?? null,
            undecided: candidate.skipped ?? null,
          },
    outcome: outcome ?? null,
  };
}

/** A report for programs; only one miner of it where one is given. */
export function reportJson(report: ScoreReport, only: ScoredMiner | undefined): string {
  const { source, atMs, generation, miners, noWeights, eliminated, problems } = report;
  const content = {
    source,
    at_ms: atMs,
    generation,
    no_weights: noWeights ?? null,
    miners: (only === undefined ? miners : [only]).map(minerJson),
    eliminated,
    problems,
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}
