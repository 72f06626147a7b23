import { comparePositions, DAY_MS, summaryFields, summaryText } from '../dist/index.js';
import t from 'tap';
import { NOW } from './sample-positions.ts';

const LOOK_BACK_MS = 120 * DAY_MS;

function closed(openMs: number, returnAtClose: number, lengthMs = 60_000) {
  return { openMs, closeMs: openMs + lengthMs, returnAtClose };
}

void t.test('open and fleeting positions do not count', (t) => {
  const open = { openMs: NOW - 1, closeMs: null, returnAtClose: 5 };
  t.match(summaryFields([closed(NOW - DAY_MS, 1.5), closed(NOW - DAY_MS, 2, 59_999), open], NOW), {
    thirty_day_returns: 1.5,
    all_time_returns: 1.5,
    n_positions: 1,
    percentage_profitable: 1,
  });
  t.end();
});

void t.test('a return of 1 is not profitable', (t) => {
  t.equal(summaryFields([closed(1, 1), closed(2, 1.1)], NOW).percentage_profitable, 0.5);
  t.end();
});

void t.test('positions opened in the last 120 days make the thirty-day return, until they leave', (t) => {
  const positions = [
    closed(NOW - LOOK_BACK_MS, 2),
    closed(NOW - LOOK_BACK_MS + 500, 3),
    closed(NOW - DAY_MS, 5),
  ];
  const fields = summaryFields(positions, NOW);
  t.match(fields, { thirty_day_returns: 15, all_time_returns: 30, changeMs: NOW + 500 });
  t.equal(summaryFields(positions, fields.changeMs - 1).thirty_day_returns, 15);
  t.equal(summaryFields(positions, fields.changeMs).thirty_day_returns, 5);
  t.end();
});

void t.test('a miner without positions has the neutral summary', (t) => {
  t.equal(
    summaryText(summaryFields([], NOW)),
    '"thirty_day_returns": 1.0, "all_time_returns": 1.0, "n_positions": 0, "percentage_profitable": 0.0',
  );
  t.equal(summaryFields([], NOW).changeMs, Infinity);
  t.end();
});

void t.test('a return that is no number makes the products null', (t) => {
  t.match(summaryText(summaryFields([closed(1, NaN)], NOW)), /"all_time_returns": null, "n_positions": 1/);
  t.end();
});

void t.test('closed positions by close time, then open ones; ties by open time and uuid', (t) => {
  const at = (positionUuid: string, closeMs: number | null, openMs = 0) => ({
    positionUuid,
    closeMs,
    openMs,
  });
  const sorted = [
    at('z', 1),
    at('c', 2),
    at('d', 2),
    at('b', 2, 1),
    at('y', null, 1),
    at('a', null, 2),
    at('b', null, 2),
  ];
  t.strictSame(sorted.toReversed().sort(comparePositions), sorted);
  t.equal(comparePositions(at('a', null), at('a', null)), 0);
  t.end();
});
