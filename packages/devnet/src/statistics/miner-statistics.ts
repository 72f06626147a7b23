import { positionsOf } from '../records/miners.ts';
import type { Miner } from '../records/miners.ts';
import { CHECKPOINT_MS, maxDrawdown, performanceOf } from './portfolio.ts';
import type { PerformanceCheckpoint } from './portfolio.ts';
import { dailyReturns, rank, SCORE_NAMES, scoresOf, volatilityOf } from './scores.ts';
import type { DailyReturn, Ranked, ScoreName, Volatility } from './scores.ts';

const DAY_MS = 2 * CHECKPOINT_MS;
const CHALLENGE_PERIOD_MS = 60 * DAY_MS;
const MINIMUM_DAYS = 60;
const DRAWDOWN_LIMIT = 0.1;
/** A position that lost more than this counts against the risk profile. */
const RISKY_LOSS = 0.05;

export interface ChallengePeriod {
  readonly status: 'testing' | 'success';
  readonly start_time_ms: number;
}

/** One element of the statistics' `data`. Fractions are 0 to 1. */
export interface MinerStatistics {
  readonly hotkey: string;
  readonly challengeperiod: ChallengePeriod;
  readonly scores: Record<ScoreName, Ranked>;
  /** The scores times the miner's total penalty. */
  readonly augmented_scores: Record<ScoreName, Ranked>;
  readonly daily_returns: readonly DailyReturn[];
  readonly volatility: Volatility;
  readonly drawdowns: {
    /** The deepest fall over half days and over days. */
    readonly instantaneous_max_drawdown: number;
    readonly daily_max_drawdown: number;
  };
  readonly plagiarism: number;
  readonly engagement: {
    readonly n_checkpoints: number;
    readonly n_positions: number;
    /** Mean time that a position was held, ms. */
    readonly position_duration: number;
    /** How long any position was open, ms. */
    readonly checkpoint_durations: number;
    readonly minimum_days_boolean: boolean;
    readonly percentage_profitable: number;
  };
  readonly risk_profile: { readonly risk_profile_score: number; readonly risk_profile_penalty: number };
  /** Factors: 1 is none, 0 takes everything. */
  readonly penalties: {
    readonly drawdown_threshold: number;
    readonly risk_profile: number;
    readonly total: number;
  };
  /** The miner's share of the rewards; all shares add up to 1. */
  readonly weight: Ranked;
  readonly checkpoints: readonly PerformanceCheckpoint[];
}

interface Measured {
  readonly miner: Miner;
  readonly checkpoints: PerformanceCheckpoint[];
  readonly days: DailyReturn[];
  readonly scores: Record<ScoreName, number>;
  readonly riskScore: number;
  readonly penalties: MinerStatistics['penalties'];
}

/** Whether the miner is still on trial at `nowMs`. */
export function challengePeriodOf(miner: Miner, nowMs: number): ChallengePeriod {
  const isTesting = nowMs - miner.joinedMs < CHALLENGE_PERIOD_MS;
  return { status: isTesting ? 'testing' : 'success', start_time_ms: miner.joinedMs };
}

function measure(miner: Miner, nowMs: number): Measured {
  const positions = positionsOf(miner);
  // An eliminated miner's performance ends with it.
  const untilMs = miner.elimination?.elimination_initiated_time_ms ?? nowMs;
  const checkpoints = performanceOf(positions, untilMs);
  const days = dailyReturns(checkpoints);
  const risky = positions.filter((position) => position.return_at_close < 1 - RISKY_LOSS).length;
  const riskScore = positions.length === 0 ? 0 : risky / positions.length;
  const drawdownPenalty = maxDrawdown(checkpoints) > DRAWDOWN_LIMIT ? 0 : 1;
  const riskPenalty = 1 - riskScore;
  return {
    miner,
    checkpoints,
    days,
    scores: scoresOf(checkpoints, days),
    riskScore,
    penalties: {
      drawdown_threshold: drawdownPenalty,
      risk_profile: riskPenalty,
      total: miner.elimination === undefined ? drawdownPenalty * riskPenalty : 0,
    },
  };
}

/** The deepest fall over the ends of days, from daily returns. */
function dailyMaxDrawdown(days: readonly DailyReturn[]): number {
  let value = 1;
  let best = 1;
  let worst = 1;
  for (const day of days) {
    value *= 1 + day.value;
    best = Math.max(best, value);
    worst = Math.min(worst, value / best);
  }
  return 1 - worst;
}

function engagementOf({ miner, checkpoints, days }: Measured, nowMs: number): MinerStatistics['engagement'] {
  const positions = positionsOf(miner);
  const heldMs = positions.reduce(
    (sum, { open_ms: openMs, close_ms: closeMs, is_closed_position: isClosed }) => {
      return sum + (isClosed ? (closeMs ?? nowMs) : nowMs) - openMs;
    },
    0,
  );
  const profitable = miner.closed.filter((position) => position.return_at_close > 1).length;
  return {
    n_checkpoints: checkpoints.length,
    n_positions: positions.length,
    position_duration: positions.length === 0 ? 0 : heldMs / positions.length,
    checkpoint_durations: checkpoints.reduce((sum, checkpoint) => sum + checkpoint.open_ms, 0),
    minimum_days_boolean: days.length >= MINIMUM_DAYS,
    percentage_profitable: miner.closed.length === 0 ? 0 : profitable / miner.closed.length,
  };
}

/** Ranks each score over all miners; `factor` scales a miner's scores first. */
function rankScores(
  measured: readonly Measured[],
  factor: (of: Measured) => number,
): Record<ScoreName, Ranked>[] {
  const columns = new Map(
    SCORE_NAMES.map((name) => [name, rank(measured.map((one) => one.scores[name] * factor(one)))]),
  );
  return measured.map((_, index) => {
    const of = (name: ScoreName): Ranked =>
      columns.get(name)?.[index] ?? { value: 0, rank: 0, percentile: 0 };
    return {
      return: of('return'),
      sharpe: of('sharpe'),
      sortino: of('sortino'),
      omega: of('omega'),
      calmar: of('calmar'),
    };
  });
}

/** The statistics of all miners at `nowMs`, best weight first. */
export function minerStatistics(miners: readonly Miner[], nowMs: number): MinerStatistics[] {
  const measured = miners.map((miner) => measure(miner, nowMs));
  const scores = rankScores(measured, () => 1);
  const augmented = rankScores(measured, (one) => one.penalties.total);
  // A miner's reward grows with its mean percentile, steeply, so that few get most of it.
  const merits = augmented.map((of, index) => {
    const mean = SCORE_NAMES.reduce((sum, name) => sum + of[name].percentile, 0) / SCORE_NAMES.length;
    return (measured[index]?.penalties.total ?? 0) * mean ** 4;
  });
  const total = merits.reduce((sum, merit) => sum + merit, 0);
  const weights = rank(merits.map((merit) => (total === 0 ? 0 : merit / total)));

  const statistics = measured.flatMap((one, index): MinerStatistics[] => {
    const [score, augmentedScore, weight] = [scores[index], augmented[index], weights[index]];
    if (score === undefined || augmentedScore === undefined || weight === undefined) return [];
    return [
      {
        hotkey: one.miner.hotkey,
        challengeperiod: challengePeriodOf(one.miner, nowMs),
        scores: score,
        augmented_scores: augmentedScore,
        daily_returns: one.days,
        volatility: volatilityOf(one.days),
        drawdowns: {
          instantaneous_max_drawdown: maxDrawdown(one.checkpoints),
          daily_max_drawdown: dailyMaxDrawdown(one.days),
        },
        plagiarism: one.miner.plagiarism,
        engagement: engagementOf(one, nowMs),
        risk_profile: { risk_profile_score: one.riskScore, risk_profile_penalty: one.penalties.risk_profile },
        penalties: one.penalties,
        weight,
        checkpoints: one.checkpoints,
      },
    ];
  });
  return statistics.sort((a, b) => a.weight.rank - b.weight.rank);
}
