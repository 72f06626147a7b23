import type { AssetClass } from '@ptn-api/positions';
import type { RulesPair } from '../trade-pairs.ts';
import { forexHolidays, nasdaqDays } from './holidays.ts';
import { newYorkTime } from './new-york.ts';

const HOUR_MS = 3_600_000;
const [SUNDAY, FRIDAY, SATURDAY] = [0, 5, 6];
/** When the forex week begins on Sunday and ends on Friday, in New York. */
const FOREX_TURN_MS = 17 * HOUR_MS;
const EQUITIES_OPEN_MS = 9.5 * HOUR_MS;
const EQUITIES_CLOSE_MS = 16 * HOUR_MS;
const EQUITIES_SHORT_CLOSE_MS = 13 * HOUR_MS;

function isForexOpen(timeMs: number): boolean {
  const { year, day, weekday, timeOfDayMs } = newYorkTime(timeMs);
  if (weekday === SATURDAY || forexHolidays(year).has(day)) return false;
  if (weekday === SUNDAY) return timeOfDayMs >= FOREX_TURN_MS;
  return weekday !== FRIDAY || timeOfDayMs < FOREX_TURN_MS;
}

function isNasdaqOpen(timeMs: number): boolean {
  const { year, day, weekday, timeOfDayMs } = newYorkTime(timeMs);
  const { closed, short } = nasdaqDays(year);
  if (weekday === SATURDAY || weekday === SUNDAY || closed.has(day)) return false;
  const closeMs = short.has(day) ? EQUITIES_SHORT_CLOSE_MS : EQUITIES_CLOSE_MS;
  return timeOfDayMs >= EQUITIES_OPEN_MS && timeOfDayMs < closeMs;
}

const IS_OPEN: Readonly<Record<AssetClass, (timeMs: number) => boolean>> = {
  crypto: () => true,
  forex: isForexOpen,
  equities: isNasdaqOpen,
  // Validators have taken no orders for indices since these were halted.
  indices: () => false,
};

/** Whether validators take orders for a pair at an instant (Unix ms), by that instant alone. */
export function isMarketOpen({ assetClass }: Pick<RulesPair, 'assetClass'>, timeMs: number): boolean {
  return IS_OPEN[assetClass](timeMs);
}
