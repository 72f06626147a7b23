import { basename } from 'node:path';
import { accountOrders, carryFee, feeFactor, nextCarryMs, pairTerms, spreadFee } from '@ptn-api/positions';
import type { Order, OrderType, Position } from '@ptn-api/protocol';
import {
  boundLeverage,
  checkDraft,
  GENERATION_2025_05,
  GENERATION_2025_11,
  isMarketOpen,
  leverageBounds,
  PAIRS,
  portfolioCap,
  portfolioLeverage,
  slippageFeatures,
} from '@ptn-api/rules';
import type { DailyBar, RulesPair, SlippageModel } from '@ptn-api/rules';
import type { Difference } from './compare-texts.ts';
import { compareValues } from './compare-values.ts';
import { readText } from './read-text.ts';
import type { VectorForm } from './vector-form.ts';

function pairOf(id: string): RulesPair {
  const pair = PAIRS.get(id);
  if (pair === undefined) throw new Error(`there is no trade pair ${id}`);
  return pair;
}

interface PairRow {
  readonly id: string;
  readonly label: string;
  readonly fees: number;
  readonly min_leverage: number;
  readonly max_leverage: number;
  readonly category: string;
  readonly multiplier: number;
}

function runTradePairs(path: string, difference: Difference): number {
  const rows = JSON.parse(readText(path)) as PairRow[];
  const known = [...PAIRS.values()].filter(({ id }) => GENERATION_2025_05.pairs.has(id));
  const got = known.map(({ id, label, fee, minLeverage, maxLeverage, assetClass, multiplier }) => ({
    ...{ id, label, fees: fee, min_leverage: minLeverage, max_leverage: maxLeverage },
    ...{ category: assetClass, multiplier },
  }));
  compareValues(got, rows, difference, 'pairs');
  return rows.length;
}

/** The columns of the table behind its two of time. */
const HOURS_OF = ['BTCUSD', 'EURUSD', 'XAUUSD', 'NVDA', 'SPX'];
/** The recording had sessions of NASDAQ for these years alone, and took every other weekday for one. */
const NASDAQ_YEARS = /^... 202[456]/;

interface HoursFile {
  readonly rows: readonly (readonly [number, string, boolean, boolean, boolean, boolean, boolean, string])[];
  readonly stateful_sequences: readonly {
    readonly name: string;
    readonly asks: readonly {
      readonly pair: string;
      readonly at_ms: number;
      readonly open: boolean;
      readonly open_asked_fresh: boolean;
    }[];
  }[];
}

function runMarketHours(path: string, difference: Difference): number {
  const { rows, stateful_sequences: sequences } = JSON.parse(readText(path)) as HoursFile;
  let cases = 0;
  for (const [timeMs, utc, ...answers] of rows) {
    for (const [index, id] of HOURS_OF.entries()) {
      const isOpen = isMarketOpen(pairOf(id), timeMs);
      cases += 1;
      if (isOpen === answers[index]) continue;
      if (id === 'NVDA' && !NASDAQ_YEARS.test(utc)) {
        difference.expected.push(`${utc} ${id}: a holiday that the recording has no session table for`);
      } else {
        difference.unequal.push(`${utc} ${id}: ${isOpen}`);
      }
    }
  }
  for (const { name, asks } of sequences) {
    for (const { pair, at_ms: timeMs, open, open_asked_fresh: openAskedFresh } of asks) {
      cases += 1;
      compareValues(
        isMarketOpen(pairOf(pair), timeMs),
        openAskedFresh,
        difference,
        `${name} ${pair} ${timeMs}`,
      );
      if (open !== openAskedFresh) {
        difference.expected.push(
          `${name} ${pair} ${timeMs}: the answer does not depend on earlier questions`,
        );
      }
    }
  }
  return cases;
}

/** Names of refusals in the file. */
const LEVERAGE_ERRORS = {
  closed: 'closed',
  'not-traded': 'not_traded',
  'portfolio-exceeded': 'portfolio_exceeded',
  'max-exceeded': 'max_exceeded',
  'below-min': 'below_min',
  'below-min-over-portfolio': 'below_min_over_portfolio',
  'below-order-min': 'order_min',
};

interface LeverageStep {
  readonly order_type: OrderType;
  readonly leverage: number;
  readonly price: number;
  readonly processed_ms: number;
  readonly net_portfolio_leverage: number;
  readonly expect: unknown;
}

interface LeverageFile {
  readonly bounds: readonly {
    readonly trade_pair: string;
    readonly t_ms: number;
    readonly expect: unknown;
  }[];
  readonly portfolio_cap: readonly { readonly t_ms: number; readonly expect: unknown }[];
  readonly orders: readonly {
    readonly name: string;
    readonly trade_pair: string;
    readonly steps: readonly LeverageStep[];
  }[];
  readonly net_portfolio_leverage: readonly {
    readonly positions: readonly {
      readonly trade_pair: string;
      readonly net_leverage: number;
      readonly closed: boolean;
    }[];
    readonly expect: unknown;
  }[];
}

/** Gives orders to one position, each with the portfolio leverage that the file says. */
function runLeverageSteps(
  pair: RulesPair,
  steps: readonly LeverageStep[],
  check: (got: object) => void,
): void {
  const orders: Order[] = [];
  let state = { net_leverage: 0, is_closed_position: false };
  for (const [index, step] of steps.entries()) {
    const { order_type: orderType, price, processed_ms: timeMs } = step;
    const error = (name: string): void => {
      check({ index, error: name, net_leverage: state.net_leverage });
    };
    const leverage = { float: step.leverage };
    const draft = checkDraft({ orderType, leverage, price, bid: 0, ask: 0 });
    if (!draft.ok) {
      error('validation');
      continue;
    }
    const bounded = boundLeverage(
      {
        isFirstOrder: orders.length === 0,
        isClosed: state.is_closed_position,
        netLeverage: state.net_leverage,
      },
      { orderType, leverage: draft.leverage },
      pair,
      step.net_portfolio_leverage,
      timeMs,
    );
    if (!bounded.ok) {
      error(LEVERAGE_ERRORS[bounded.refusal.kind]);
      continue;
    }
    const order: Order = {
      ...{ order_type: bounded.orderType, leverage: bounded.leverage, price, processed_ms: timeMs },
      ...{ order_uuid: String(index), price_sources: [], slippage: 0 },
    };
    const result = accountOrders([...orders, order], pair);
    if (!result.ok) {
      error('first_order_zero_leverage');
      continue;
    }
    orders.push(order);
    state = result.accounting;
    check({
      ...{ index, order_type: order.order_type, leverage: order.leverage },
      ...{ net_leverage: state.net_leverage, closed: state.is_closed_position },
    });
  }
}

function runLeverage(path: string, difference: Difference): number {
  const file = JSON.parse(readText(path)) as LeverageFile;
  let cases = 0;
  for (const { trade_pair: id, t_ms: timeMs, expect } of file.bounds) {
    const bounds = leverageBounds(pairOf(id), timeMs);
    const got = bounds === undefined ? { error: 'ValueError' } : [bounds.min, bounds.max];
    compareValues(got, expect, difference, `bounds of ${id} at ${timeMs}`);
  }
  for (const { t_ms: timeMs, expect } of file.portfolio_cap) {
    compareValues(portfolioCap(timeMs), expect, difference, `portfolio cap at ${timeMs}`);
  }
  for (const { name, trade_pair: id, steps } of file.orders) {
    const got: object[] = [];
    runLeverageSteps(pairOf(id), steps, (row) => got.push(row));
    const want = steps.map(({ expect }, index) => ({ index, ...(expect as object) }));
    compareValues(got, want, difference, name);
    cases += steps.length;
  }
  for (const { positions, expect } of file.net_portfolio_leverage) {
    const sum = portfolioLeverage(
      positions.map(({ trade_pair: id, net_leverage, closed }) => ({
        trade_pair: pairOf(id).record,
        net_leverage,
        is_closed_position: closed,
      })),
    );
    compareValues(sum, expect, difference, 'portfolio leverage');
  }
  return cases + file.bounds.length + file.portfolio_cap.length + file.net_portfolio_leverage.length;
}

interface CarryFile {
  readonly positions: Readonly<Record<string, Position>>;
  readonly cases: readonly {
    readonly tag: string;
    readonly position: string;
    readonly t_ms: number;
    readonly expect: unknown;
  }[];
}

function runCarryFee(path: string, difference: Difference): number {
  const { positions, cases } = JSON.parse(readText(path)) as CarryFile;
  for (const { tag, position: uuid, t_ms: askedMs, expect } of cases) {
    const position = positions[uuid];
    if (position === undefined) throw new Error(`there is no position ${uuid}`);
    const { open_ms: openMs, close_ms: closeMs, is_closed_position: isClosed } = position;
    const timeMs = isClosed ? Math.min(askedMs, closeMs ?? Infinity) : askedMs;
    const { assetClass, fee } = pairTerms(position.trade_pair);
    const subject = { orders: position.orders, assetClass, fee, isAccountSize: false, openMs };
    const got = {
      carry_fee: carryFee(subject, timeMs),
      next_update_ms: nextCarryMs(assetClass, openMs, timeMs),
      spread_fee: spreadFee(subject, timeMs),
      'return_with_fees_of_1.02': 1.02 * feeFactor(subject, timeMs),
    };
    compareValues(got, expect, difference, `${tag} at ${askedMs}`);
  }
  return cases.length;
}

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

const form = (file: string, name: string, run: VectorForm['run']): VectorForm => ({
  name,
  recognises: (path) => basename(path).replace(/\.gz$/, '') === file,
  run,
});

/** Parts of the rules of orders, each by itself. */
export const ORDER_FORMS: readonly VectorForm[] = [
  form('trade_pairs.json', 'trade pairs', runTradePairs),
  {
    ...form('table.json', 'market hours', runMarketHours),
    recognises: (path) => /(?:^|\/)market_hours\/table\.json(?:\.gz)?$/.test(path),
  },
  form('leverage.json', 'leverage of orders and portfolios', runLeverage),
  form('carry_fee.json', 'carry fees', runCarryFee),
  form('slippage.json', 'slippage', runSlippage),
  form('slippage_parameters.json', 'slippage of equities by its parameters', runSlippageParameters),
  form('generation_2025_11_slippage.json', 'slippage of 2025-11', runLaterSlippage),
];
