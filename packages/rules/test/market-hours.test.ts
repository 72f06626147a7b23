import { isMarketOpen } from '@ptn-api/rules';
import t from 'tap';

const HOUR_MS = 3_600_000;

/** The instants at which a market's answer changes, in a span. */
function turns(assetClass: 'forex' | 'equities', fromMs: number, untilMs: number): string[] {
  const found: string[] = [];
  const step = HOUR_MS / 2;
  for (let timeMs = fromMs; timeMs < untilMs; timeMs += step) {
    const isOpen = isMarketOpen({ assetClass }, timeMs);
    if (isMarketOpen({ assetClass }, timeMs - 1) !== isOpen) {
      found.push(`${isOpen ? 'opens' : 'closes'} ${new Date(timeMs).toISOString().slice(0, 16)}`);
    }
  }
  return found;
}

void t.test('the forex week turns with the summer time of New York', (t) => {
  t.strictSame(turns('forex', Date.UTC(2025, 2, 3), Date.UTC(2025, 2, 17)), [
    'closes 2025-03-07T22:00',
    'opens 2025-03-09T21:00',
    'closes 2025-03-14T21:00',
    'opens 2025-03-16T21:00',
  ]);
  t.strictSame(turns('forex', Date.UTC(2025, 9, 27), Date.UTC(2025, 10, 10)), [
    'closes 2025-10-31T21:00',
    'opens 2025-11-02T22:00',
    'closes 2025-11-07T22:00',
    'opens 2025-11-09T22:00',
  ]);
  t.end();
});

void t.test('holidays last from midnight to midnight in New York', (t) => {
  t.strictSame(turns('forex', Date.UTC(2025, 11, 24), Date.UTC(2026, 0, 3)), [
    'closes 2025-12-25T05:00',
    'opens 2025-12-28T22:00',
    'closes 2026-01-01T05:00',
    'opens 2026-01-02T05:00',
    'closes 2026-01-02T22:00',
  ]);
  // A New Year on a Saturday is kept in the year before.
  t.equal(isMarketOpen({ assetClass: 'forex' }, Date.UTC(2027, 11, 31, 15)), false);
  t.equal(isMarketOpen({ assetClass: 'equities' }, Date.UTC(2027, 11, 31, 15)), true);
  t.end();
});

void t.test('sessions of NASDAQ: 250 to 252 a year, three or less of them short', (t) => {
  for (const [year, sessions, short] of [
    [2023, 250, 2],
    [2024, 252, 3],
    [2025, 250, 3],
    [2026, 251, 2],
  ] as const) {
    const found = turns('equities', Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1));
    t.equal(found.filter((turn) => turn.startsWith('opens')).length, sessions, `sessions of ${year}`);
    t.equal(found.filter((turn) => /closes .*T1[78]:00$/.test(turn)).length, short, `short ones of ${year}`);
  }
  t.end();
});

void t.test('crypto never closes, indices never open', (t) => {
  for (let timeMs = Date.UTC(2025, 0, 1); timeMs < Date.UTC(2025, 0, 8); timeMs += HOUR_MS) {
    t.equal(isMarketOpen({ assetClass: 'crypto' }, timeMs), true);
    t.equal(isMarketOpen({ assetClass: 'indices' }, timeMs), false);
  }
  t.end();
});
