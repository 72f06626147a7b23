import {
  pairwiseSum,
  percentiles,
  pythonRound,
  rankPercentile,
  softmaxOfAll,
  strictPercentile,
} from '@ptn-api/scoring';
import t from 'tap';

void t.test('sums come out as numpy adds them', (t) => {
  const values = Array.from({ length: 1023 }, (_, i) => ((i * 7919) % 1000) / 997 - 0.4);
  const sums = [5, 9, 127, 128, 129, 1000, 1023].map((count) => pairwiseSum(values.slice(0, count)));
  t.strictSame(
    sums,
    [
      1.1995987963891674, 1.4992978936810428, 12.308324974924771, 12.623470411233699, 12.857372116349044,
      101.00300902708122, 103.3446339017051,
    ],
  );
  t.equal(pairwiseSum([]), 0);
  t.end();
});

void t.test('rounding is to the nearest decimal of the binary value, ties to even', (t) => {
  const rounded = [0.0625, 0.1875, 2.5, 3.5, -2.5, 2.675, 1.005].map((value, index) =>
    pythonRound(value, [3, 3, 0, 0, 0, 2, 2][index] ?? 0),
  );
  t.strictSame(rounded, [0.062, 0.188, 2, 4, -2, 2.67, 1]);
  t.ok(Number.isNaN(pythonRound(NaN, 3)));
  t.equal(pythonRound(-Infinity, 3), -Infinity);
  t.equal(pythonRound(1e300, 3), 1e300);
  t.end();
});

void t.test('percentiles of either kind: equal scores alike, one alone best, a NaN spoils all', (t) => {
  t.strictSame(percentiles([3, 1, 3, 2], rankPercentile), [0.875, 0.25, 0.875, 0.5]);
  t.strictSame(percentiles([3, 1, 3, 2], strictPercentile), [0.5, 0, 0.5, 0.25]);
  t.strictSame(percentiles([-5], strictPercentile), [1]);
  t.strictSame(percentiles([1, NaN], rankPercentile), [NaN, NaN]);
  t.strictSame(percentiles([Infinity, -Infinity], rankPercentile), [1, 0.5]);
  t.strictSame(softmaxOfAll([], 0.125), []);
  t.end();
});
