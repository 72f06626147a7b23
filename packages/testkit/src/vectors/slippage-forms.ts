import { GENERATION_2025_05, GENERATION_2025_11, slippageFeatures } from '@ptn-api/rules';
import type { DailyBar, SlippageModel } from '@ptn-api/rules';
import type { Difference } from './compare-texts.ts';
import { compareValues } from './compare-values.ts';
import { pairOf } from './pair-of.ts';
import { readText } from './read-text.ts';
import { fileForm } from './vector-form.ts';
import type { VectorForm } from './vector-form.ts';

interface SlippageCase {
  readonly trade_pair: string;
  readonly leverage: number;
  readonly capital?: number;
  readonly processed_ms: number;
  readonly bid: number;
  readonly ask: number;
  readonly annualized_vol?: number;
  readonly avg_daily_volume?: number;
  readonly base_to_usd?: number | null;
  readonly expect: unknown;
}

function runSlippageCases(
  model: SlippageModel,
  cases: readonly SlippageCase[],
  difference: Difference,
): number {
  for (const [index, row] of cases.entries()) {
    const { annualized_vol: annualizedVolatility, avg_daily_volume: averageDailyVolume } = row;
    const got = model({
      ...{ pair: pairOf(row.trade_pair), leverage: row.leverage, bid: row.bid, ask: row.ask },
      ...{ timeMs: row.processed_ms, capitalUsd: row.capital ?? GENERATION_2025_05.capitalUsd },
      features:
        annualizedVolatility === undefined || averageDailyVolume === undefined
          ? undefined
          : { annualizedVolatility, averageDailyVolume, baseToUsd: row.base_to_usd ?? undefined },
    });
    compareValues(
      got.ok ? got.fraction : { error: 'ValueError' },
      row.expect,
      difference,
      `${index} ${row.trade_pair}`,
    );
  }
  return cases.length;
}

function runSlippage(path: string, difference: Difference): number {
  const file = JSON.parse(readText(path)) as {
    readonly cases: readonly SlippageCase[];
    readonly features_from_bars: readonly {
      readonly daily_bars: readonly DailyBar[];
      readonly expect: unknown;
    }[];
  };
  for (const { daily_bars: bars, expect } of file.features_from_bars) {
    const features = slippageFeatures(bars);
    const got = {
      avg_daily_volume: features?.averageDailyVolume,
      annualized_vol: features?.annualizedVolatility,
    };
    compareValues(got, expect, difference, 'features');
  }
  return (
    runSlippageCases(GENERATION_2025_05.slippage, file.cases, difference) + file.features_from_bars.length
  );
}

/** A size within each bucket of equities, and a time at which their model applies. */
const EQUITY_SIZES: Readonly<Record<string, number>> = {
  '1k_10k': 10_000,
  '10k_50k': 10_001,
  '50k_100k': 75_000,
  '100k_200k': 200_000,
  '200k_300k': 300_000,
};
const EQUITY_MODEL_MS = 1_740_000_000_000;

/** The parameters as the orders of each bucket show them. */
function runSlippageParameters(path: string, difference: Difference): number {
  const { equity } = JSON.parse(readText(path)) as {
    equity: Record<string, Record<string, Record<string, Record<string, number>>>>;
  };
  const cases: SlippageCase[] = [];
  for (const [id, sides] of Object.entries(equity)) {
    for (const [side, buckets] of Object.entries(sides)) {
      for (const [bucket, parameters] of Object.entries(buckets)) {
        const size = EQUITY_SIZES[bucket];
        if (size === undefined) throw new Error(`there is no size for bucket ${bucket}`);
        const { intercept = NaN, 'spread/price': bySpread = NaN, annualized_vol: byVol = NaN } = parameters;
        const byVolume = parameters[`${side}_order_size/adv`] ?? NaN;
        // A spread of a hundredth, so that the fraction is far from both ends of its range.
        const [mid, spread, vol, volume] = [100, 1, 0.4, 1e9];
        const fraction =
          intercept + (bySpread * spread) / mid + byVol * vol + (byVolume * (size / mid)) / volume;
        cases.push({
          ...{
            trade_pair: id,
            leverage: (side === 'buy' ? size : -size) / 100_000,
            processed_ms: EQUITY_MODEL_MS,
          },
          ...{ bid: mid - spread / 2, ask: mid + spread / 2, annualized_vol: vol, avg_daily_volume: volume },
          expect: Math.min(Math.max(fraction, 0), 0.03),
        });
      }
    }
  }
  return runSlippageCases(GENERATION_2025_05.slippage, cases, difference);
}

function runLaterSlippage(path: string, difference: Difference): number {
  const { cases } = JSON.parse(readText(path)) as { cases: readonly SlippageCase[] };
  return runSlippageCases(GENERATION_2025_11.slippage, cases, difference);
}

/** Slippage, by its models and its parameters. */
export const SLIPPAGE_FORMS: readonly VectorForm[] = [
  fileForm('slippage.json', 'slippage', runSlippage),
  fileForm('slippage_parameters.json', 'slippage of equities by its parameters', runSlippageParameters),
  fileForm('generation_2025_11_slippage.json', 'slippage of 2025-11', runLaterSlippage),
];
