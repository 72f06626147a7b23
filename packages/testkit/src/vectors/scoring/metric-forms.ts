import {
  annualExcessReturn,
  annualReturn,
  annualVolatility,
  average,
  cumulativeCells,
  dailyReturnRows,
  dailyReturns,
  dateText,
  dayWeights,
  deepestDailyFall,
  downsideVolatility,
  drawdownPercent,
  drawdownState,
  drawdownThresholdPenalty,
  maxDrawdown,
  percentOfLog,
  riskNormalization,
  SCORING_GENERATIONS,
  variance,
} from '@ptn-api/scoring';
import type { Generation, MetricInput } from '@ptn-api/scoring';
import { compareValues } from '../compare-values.ts';
import { readBeside } from '../beside.ts';
import { jsonForm, ledgerOf } from './scoring-file.ts';
import type { LedgerRows } from './scoring-file.ts';

interface Flags {
  readonly weighting: boolean;
  readonly bypass_confidence?: boolean;
  readonly days_in_year?: number;
  readonly min_days?: number;
}

interface MetricFile {
  readonly weighting_distribution: Readonly<Record<string, readonly number[]>>;
  readonly cases: readonly {
    readonly name: string;
    readonly ledger: LedgerRows;
    readonly expect: {
      readonly metrics: readonly (Flags & Readonly<Record<string, unknown>>)[];
      readonly helpers: readonly (Flags & Readonly<Record<string, unknown>>)[];
    };
  }[];
}

const generation202505 = SCORING_GENERATIONS['2025-05'];

function metricInput(rows: LedgerRows, generation: Generation, flags: Flags): MetricInput {
  const ledger = ledgerOf(rows);
  const days = dailyReturns(ledger, generation.cellDate, generation.ledger.cellMs);
  return {
    returns: days.map(({ logReturn }) => logReturn),
    pnl: days.map(({ pnl }) => pnl),
    drawdown: maxDrawdown(ledger),
    isWeighted: flags.weighting,
    bypassConfidence: flags.bypass_confidence ?? false,
    terms: {
      ...generation.metricTerms,
      daysInYear: flags.days_in_year ?? generation.segments[0]?.daysInYear ?? 0,
      minimumDays: flags.min_days ?? 60,
    },
  };
}

const FIVE = ['calmar', 'sharpe', 'omega', 'sortino', 'statistical_confidence'];

function metricsOf(generation: Generation, input: MetricInput): Record<string, number> {
  const rows = generation.metrics.filter(({ name }) => FIVE.includes(name));
  return Object.fromEntries(rows.map(({ name, metric }) => [name, metric(input)]));
}

function helpersOf(input: MetricInput): Record<string, number> {
  const { returns, isWeighted, terms } = input;
  const weights = isWeighted ? dayWeights(returns.length, terms.decay) : undefined;
  const yearly = annualReturn(input);
  return {
    average: average(returns, weights),
    // Python gives 0 for no days at all, and works with infinity where it uses it.
    variance: returns.length === 0 ? 0 : variance(returns, weights),
    ann_excess_return: annualExcessReturn(input),
    ann_volatility: annualVolatility(returns, terms.daysInYear, weights),
    ann_downside_volatility: downsideVolatility(input),
    base_return_log: yearly,
    base_return_log_percentage: yearly * 100,
    base_return: percentOfLog(yearly),
  };
}

function ledgerAnswers(rows: LedgerRows): Record<string, unknown> {
  const ledger = ledgerOf(rows);
  const days = dailyReturns(ledger, generation202505.cellDate, generation202505.ledger.cellMs);
  const drawdown = maxDrawdown(ledger);
  const state = drawdownState(ledger);
  return {
    daily_return_log_by_date: Object.fromEntries(
      days.map(({ day, logReturn }) => [dateText(day), logReturn]),
    ),
    daily_returns_percent: days.map(({ logReturn }) => percentOfLog(logReturn)),
    daily_returns_by_date_json: Object.fromEntries(
      dailyReturnRows(days).map(({ date, value }) => [date, value]),
    ),
    trading_days: days.length,
    max_drawdown: drawdown,
    drawdown_percentage: drawdownPercent(drawdown),
    is_beyond_max_drawdown: [state.isBeyondLimit, state.percent],
    risk_normalization: riskNormalization(drawdown),
    max_drawdown_threshold_penalty: drawdownThresholdPenalty(ledger),
    overall_returns_last: cumulativeCells(ledger).at(-1)?.overall_returns ?? null,
    daily_max_drawdown: deepestDailyFall(days.map(({ logReturn }) => logReturn)),
  };
}

interface GenerationMetrics {
  readonly metrics: readonly {
    readonly name: string;
    readonly trading_days: number;
    readonly expect: Readonly<Record<'plain' | 'weighting', Readonly<Record<string, unknown>>>>;
  }[];
}

/** What a generation makes of the ledgers of `metrics.json`. Where Python fails, ours has to be a number. */
export function compareGenerationMetrics(
  { metrics }: GenerationMetrics,
  generation: Generation,
  difference: Parameters<typeof compareValues>[2],
  path: string,
): number {
  const { cases } = readBeside(path, 'metrics.json') as MetricFile;
  const ledgers = new Map(cases.map(({ name, ledger }) => [name, ledger]));
  for (const { name, trading_days: tradingDays, expect } of metrics) {
    const rows = ledgers.get(name);
    if (rows === undefined) throw new Error(`${path}: metrics.json has no ledger ${name}`);
    for (const kind of ['plain', 'weighting'] as const) {
      const input = metricInput(rows, generation, { weighting: kind === 'weighting' });
      compareValues(input.returns.length, tradingDays, difference, `${name}/trading_days`);
      const got = metricsOf(generation, input);
      const want = Object.entries(expect[kind]).map(([metric, value]) => {
        if (!isError(value) || !Number.isFinite(got[metric])) return [metric, value];
        difference.expected.push(`${name}/${kind}/${metric}: a number where Python fails`);
        return [metric, got[metric]];
      });
      compareValues(got, Object.fromEntries(want), difference, `${name}/${kind}`);
    }
  }
  return metrics.length;
}

function isError(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'error' in value;
}

export const METRIC_FORMS = [
  jsonForm<MetricFile>(
    'metrics.json',
    'daily returns, drawdown and metrics of ledgers',
    (file, difference) => {
      for (const [length, want] of Object.entries(file.weighting_distribution)) {
        compareValues(
          dayWeights(Number(length), generation202505.metricTerms.decay),
          want,
          difference,
          `weights/${length}`,
        );
      }
      for (const { name, ledger, expect } of file.cases) {
        const { metrics, helpers, ...want } = expect;
        compareValues(ledgerAnswers(ledger), want, difference, name);
        for (const { weighting, bypass_confidence = false, ...values } of metrics) {
          const input = metricInput(ledger, generation202505, { weighting, bypass_confidence });
          const at = `${name}/${weighting}/${bypass_confidence}`;
          compareValues(metricsOf(generation202505, input), values, difference, at);
        }
        for (const { weighting, ...values } of helpers) {
          const input = metricInput(ledger, generation202505, { weighting });
          compareValues(helpersOf(input), values, difference, `${name}/helpers/${weighting}`);
        }
      }
      return file.cases.length;
    },
  ),
  jsonForm<{
    readonly cases: readonly {
      readonly name: string;
      readonly expect: readonly (Flags & Readonly<Record<string, unknown>>)[];
    }[];
  }>('generation_2025_11_metrics.json', 'metrics of 2025-11', ({ cases }, difference, path) => {
    const generation = SCORING_GENERATIONS['2025-11'];
    const ledgers = new Map(
      (readBeside(path, 'metrics.json') as MetricFile).cases.map((c) => [c.name, c.ledger]),
    );
    for (const { name, expect } of cases) {
      const rows = ledgers.get(name);
      if (rows === undefined) throw new Error(`${path}: metrics.json has no ledger ${name}`);
      for (const { weighting, days_in_year = 0, min_days = 0, ...want } of expect) {
        const input = metricInput(rows, generation, { weighting, days_in_year, min_days });
        compareValues(metricsOf(generation, input), want, difference, `${name}/${days_in_year}/${weighting}`);
      }
    }
    return cases.length;
  }),
  jsonForm<{
    readonly cases: readonly {
      readonly mdds: readonly number[];
      readonly penalty: number;
      readonly beyond: readonly unknown[];
      readonly normalization?: number;
    }[];
    readonly drawdown_percentage: readonly { readonly x: number; readonly expect: number }[];
    readonly mdd_augmentation: readonly { readonly x: number; readonly expect: number }[];
  }>('drawdown_penalty.json', 'penalty of the drawdown limit', (file, difference) => {
    for (const [index, { mdds, ...want }] of file.cases.entries()) {
      const ledger = ledgerOf({ cols: ['mdd'], rows: mdds.map((mdd) => [mdd]) });
      const { isBeyondLimit, percent } = drawdownState(ledger);
      const got = {
        penalty: drawdownThresholdPenalty(ledger),
        beyond: [isBeyondLimit, percent],
        ...(want.normalization === undefined
          ? {}
          : { normalization: riskNormalization(maxDrawdown(ledger)) }),
      };
      compareValues(got, want, difference, String(index));
    }
    for (const { x, expect } of file.drawdown_percentage) {
      compareValues(drawdownPercent(x), expect, difference, `percent/${x}`);
    }
    for (const { x, expect } of file.mdd_augmentation) {
      compareValues(riskNormalization(x), expect, difference, `normalization/${x}`);
    }
    return file.cases.length + file.drawdown_percentage.length + file.mdd_augmentation.length;
  }),
];
