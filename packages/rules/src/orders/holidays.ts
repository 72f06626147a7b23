import { byYear } from './by-year.ts';
import { nthWeekday } from './new-york.ts';

const DAY_MS = 86_400_000;
const [SUNDAY, MONDAY, THURSDAY, SATURDAY] = [0, 1, 4, 6];

/** Days since 1970-01-01. */
function dayOf(year: number, month: number, date: number): number {
  return Date.UTC(year, month - 1, date) / DAY_MS;
}

function weekdayOf(day: number): number {
  return (day + 4) % 7;
}

function goodFriday(year: number): number {
  // Easter by the anonymous Gregorian computus.
  const golden = year % 19;
  const century = Math.floor(year / 100);
  const leapCenturies = Math.floor(century / 4);
  const moonCorrection = Math.floor((8 * century + 13) / 25);
  const epact = (19 * golden + century - leapCenturies - moonCorrection + 15) % 30;
  const fullMoon = epact - Math.floor((golden + 11 * epact) / 319);
  const yearOfCentury = year % 100;
  const toSunday =
    (2 * (century % 4) + 2 * Math.floor(yearOfCentury / 4) - fullMoon - (yearOfCentury % 4) + 32) % 7;
  const month = Math.floor((fullMoon + toSunday + 90) / 25);
  const date = (fullMoon + toSunday + month + 19) % 32;
  return dayOf(year, month, date) - 2;
}

/** Of a holiday on a weekend the day that is kept: the Friday before a Saturday, the Monday after a Sunday. */
function nearestWorkday(day: number): number {
  const weekday = weekdayOf(day);
  return weekday === SATURDAY ? day - 1 : weekday === SUNDAY ? day + 1 : day;
}

/** The days (since 1970-01-01) of a year on which forex and metals are closed from midnight to midnight. */
export const forexHolidays: (year: number) => ReadonlySet<number> = byYear(
  (year) =>
    new Set([
      nearestWorkday(dayOf(year, 1, 1)),
      // A Saturday's New Year is kept in the year before.
      nearestWorkday(dayOf(year + 1, 1, 1)),
      goodFriday(year),
      nearestWorkday(dayOf(year, 12, 25)),
      nearestWorkday(dayOf(year, 12, 26)),
    ]),
);

/** Days of mourning on which NASDAQ was closed. */
const DAYS_OF_MOURNING = [dayOf(2018, 12, 5), dayOf(2025, 1, 9)];
const FIRST_JUNETEENTH = 2022;

/** The weekdays (days since 1970-01-01) of a year without a NASDAQ session, and those with one that ends at 13 h. */
export const nasdaqDays: (year: number) => {
  readonly closed: ReadonlySet<number>;
  readonly short: ReadonlySet<number>;
} = byYear((year) => {
  const newYear = dayOf(year, 1, 1);
  const independence = dayOf(year, 7, 4);
  const thanksgiving = dayOf(year, 11, nthWeekday(year, 10, THURSDAY, 4));
  const lastMondayOfMay = dayOf(year, 6, 1) - ((weekdayOf(dayOf(year, 6, 1)) + 6 - MONDAY) % 7) - 1;
  const christmas = dayOf(year, 12, 25);
  const closed = new Set([
    // Never kept on the Friday before: that is a year's last trading day.
    weekdayOf(newYear) === SUNDAY ? newYear + 1 : newYear,
    dayOf(year, 1, nthWeekday(year, 0, MONDAY, 3)),
    dayOf(year, 2, nthWeekday(year, 1, MONDAY, 3)),
    goodFriday(year),
    lastMondayOfMay,
    ...(year >= FIRST_JUNETEENTH ? [nearestWorkday(dayOf(year, 6, 19))] : []),
    nearestWorkday(independence),
    dayOf(year, 9, nthWeekday(year, 8, MONDAY, 1)),
    thanksgiving,
    nearestWorkday(christmas),
    ...DAYS_OF_MOURNING,
  ]);
  const eves = [independence - 1, thanksgiving + 1, christmas - 1];
  return { closed, short: new Set(eves.filter((day) => !closed.has(day))) };
});
