/** What slippage depends on besides the order, of a pair on a day (UTC). */
export interface SlippageFeatures {
  /** Standard deviation of the daily log returns, times the root of the trading days of a year. */
  readonly annualizedVolatility: number;
  /** Lots of forex, shares of equities. */
  readonly averageDailyVolume: number;
  /** Dollars of one unit of the base currency; equities and pairs that begin with USD need none. */
  readonly baseToUsd?: number | undefined;
}

/** A day's close and volume. */
export interface DailyBar {
  readonly close: number;
  readonly volume: number;
}

const VOLUME_DAYS = 10;
const RETURN_DAYS = 30;
const TRADING_DAYS_A_YEAR = 252;

function sampleDeviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/**
 * The features of the day of the last bar, from the days before it; `undefined` where there are fewer than 32 bars.
 *
 * @param bars of trading days, the oldest first, with that of the day itself.
 */
export function slippageFeatures(
  bars: readonly DailyBar[],
): Pick<SlippageFeatures, 'annualizedVolatility' | 'averageDailyVolume'> | undefined {
  const before = bars.slice(-RETURN_DAYS - 2, -1);
  if (before.length < RETURN_DAYS + 1) return undefined;
  const returns = before.slice(1).map(({ close }, index) => Math.log(close / (before[index]?.close ?? NaN)));
  const volume = before.slice(-VOLUME_DAYS).reduce((sum, bar) => sum + bar.volume, 0);
  return {
    annualizedVolatility: sampleDeviation(returns) * Math.sqrt(TRADING_DAYS_A_YEAR),
    averageDailyVolume: volume / VOLUME_DAYS,
  };
}
