import { byYear } from './by-year.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Day of the month of the nth weekday (0 is Sunday) of a month (0 is January). */
export function nthWeekday(year: number, month: number, weekday: number, nth: number): number {
  const first = new Date(Date.UTC(year, month, 1)).getUTCDay();
  return 1 + ((weekday - first + 7) % 7) + (nth - 1) * 7;
}

/** Summer time from the second Sunday of March to the first one of November, each at 2 h of the clocks until then. */
const summerOf = byYear((year) => ({
  fromMs: Date.UTC(year, 2, nthWeekday(year, 2, 0, 2), 7),
  untilMs: Date.UTC(year, 10, nthWeekday(year, 10, 0, 1), 6),
}));

function isSummerTime(timeMs: number): boolean {
  const { fromMs, untilMs } = summerOf(new Date(timeMs).getUTCFullYear());
  return timeMs >= fromMs && timeMs < untilMs;
}

/** What clocks and calendars in New York show. */
export interface NewYorkTime {
  readonly year: number;
  /** Days since 1970-01-01. */
  readonly day: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  /** Since midnight. */
  readonly timeOfDayMs: number;
}

/** New York's time at an instant (Unix ms), by the rule for summer time since 2007. */
export function newYorkTime(timeMs: number): NewYorkTime {
  const localMs = timeMs - (isSummerTime(timeMs) ? 4 : 5) * HOUR_MS;
  const day = Math.floor(localMs / DAY_MS);
  const date = new Date(localMs);
  return {
    year: date.getUTCFullYear(),
    day,
    weekday: date.getUTCDay(),
    timeOfDayMs: localMs - day * DAY_MS,
  };
}
