import { riskNormalization } from '../drawdown.ts';
import { pairwiseSum } from '../numerics/pairwise-sum.ts';
import { annualVolatility, average, dayWeights, variance } from './averages.ts';
import type { Decay } from './averages.ts';

/** Numbers that the metrics of a generation depend on. */
export interface MetricTerms {
  readonly daysInYear: number;
  /** A year's return without risk, as a fraction. */
  readonly annualRiskFree: number;
  /** Fewer trading days than these are judged by `noConfidence` values alone. */
  readonly minimumDays: number;
  readonly decay: Decay;
  /** Decay of the pnl metric. */
  readonly pnlDecay: Decay;
}

/** What a metric is computed from. */
export interface MetricInput {
  /** Log returns of the trading days, oldest first. */
  readonly returns: readonly number[];
  /** Their profits in US dollars, which only the pnl metric reads. */
  readonly pnl: readonly number[];
  /** As `maxDrawdown` gives it. */
  readonly drawdown: number;
  /** Whether later days weigh more. */
  readonly isWeighted: boolean;
  /** Whether the metrics are computed however few days there are, as backtests ask for. */
  readonly bypassConfidence: boolean;
  readonly terms: MetricTerms;
}

export type Metric = (input: MetricInput) => number;

const OMEGA_LOSS_MINIMUM = 0.01;
const DEVIATION_MINIMUM = 0.01;
/** A variance up to this counts as none: numpy's `isclose(variance, 0)`. */
const NO_VARIANCE = 1e-8;

function weightsOf({ returns, isWeighted, terms }: MetricInput): number[] | undefined {
  return isWeighted ? dayWeights(returns.length, terms.decay) : undefined;
}

/** The mean return of a day times the days of a year; a log. */
export function annualReturn(input: MetricInput): number {
  return average(input.returns, weightsOf(input)) * input.terms.daysInYear;
}

/** The yearly return beyond that without risk; 0 without days. */
export function annualExcessReturn(input: MetricInput): number {
  return input.returns.length === 0 ? 0 : annualReturn(input) - input.terms.annualRiskFree;
}

/** The yearly volatility of the days that fall short of the return without risk, `ln(1 + annualRiskFree) / daysInYear`. */
export function downsideVolatility(input: MetricInput): number {
  const { returns, terms } = input;
  const target = Math.log(1 + terms.annualRiskFree) / terms.daysInYear;
  const weights = weightsOf(input);
  const below = (_: number, index: number): boolean => (returns[index] as number) < target;
  return annualVolatility(returns.filter(below), terms.daysInYear, weights?.filter(below));
}

function withMinimumDays(noConfidence: number, metric: Metric): Metric {
  return (input) =>
    input.returns.length < input.terms.minimumDays && !input.bypassConfidence ? noConfidence : metric(input);
}

/** numpy's and Python's `max(a, b)`: a NaN in front stays. */
function atLeast(value: number, minimum: number): number {
  return value < minimum ? minimum : value;
}

/** Calmar of any number of days: yearly return in percent times `riskNormalization` of the drawdown. */
export const calmarOfAnyLength: Metric = (input) =>
  annualReturn(input) * 100 * riskNormalization(input.drawdown);

/** Calmar ratio: yearly return in percent / deepest drawdown in percent. 0 for a ledger that never fell. */
export const calmar = withMinimumDays(-100, calmarOfAnyLength);

/** Sharpe ratio: yearly excess return / yearly volatility, the latter at least 0.01. */
export const sharpe = withMinimumDays(-100, (input) => {
  const volatility = annualVolatility(input.returns, input.terms.daysInYear, weightsOf(input));
  return annualExcessReturn(input) / atLeast(volatility, DEVIATION_MINIMUM);
});

/** Sortino ratio: yearly excess return / downside volatility, the latter at least 0.01. 0 with fewer than two such days. */
export const sortino = withMinimumDays(
  -100,
  (input) => annualExcessReturn(input) / atLeast(downsideVolatility(input), DEVIATION_MINIMUM),
);

function plainOmega(returns: readonly number[]): number {
  let gains = 0;
  let losses = 0;
  for (const value of returns) {
    if (value > 0) gains += value;
    else losses += value;
  }
  return gains / atLeast(Math.abs(losses), OMEGA_LOSS_MINIMUM);
}

function weightedOmega(returns: readonly number[], weights: readonly number[]): number {
  let [gains, losses, gainWeights, lossWeights] = [0, 0, 0, 0];
  for (const [index, value] of returns.entries()) {
    const weight = weights[index] as number;
    if (value > 0) {
      gains += value * weight;
      gainWeights += weight;
    } else {
      losses += value * weight;
      lossWeights += weight;
    }
  }
  const numerator = gains * atLeast(lossWeights, OMEGA_LOSS_MINIMUM);
  return numerator / atLeast(Math.abs(losses * atLeast(gainWeights, OMEGA_LOSS_MINIMUM)), OMEGA_LOSS_MINIMUM);
}

/**
 * Omega ratio: sum of the gains / sum of the losses, the latter at least 0.01. Weighted, each sum is divided by the weights of its
 * days. A day that is not a number counts among the losses.
 */
export const omega = withMinimumDays(0, (input) => {
  const weights = weightsOf(input);
  return weights === undefined ? plainOmega(input.returns) : weightedOmega(input.returns, weights);
});

/** Student's t of the daily returns against 0, never weighted; -100 for fewer than two days and for a series without variance. */
export const statisticalConfidence = withMinimumDays(-100, ({ returns }) => {
  const count = returns.length;
  if (count < 2) return -100;
  const mean = average(returns);
  const squares = pairwiseSum(returns.map((value) => (value - mean) * (value - mean)));
  if (variance(returns) <= NO_VARIANCE) return -100;
  return mean / Math.sqrt(squares / (count - 1) / count);
});

/** The mean profit of a day in US dollars, later days weighing more. No minimum of days; 0 without any. */
export const pnl: Metric = ({ pnl: profits, isWeighted, terms }) =>
  average(profits, isWeighted ? dayWeights(profits.length, terms.pnlDecay) : undefined);

/** The yearly return in percent, which is shown and has no part in the score. */
export const annualReturnPercent: Metric = (input) => annualReturn(input) * 100;
