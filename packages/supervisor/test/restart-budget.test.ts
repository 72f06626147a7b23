import { RestartBudget } from '../dist/index.js';
import fc from 'fast-check';
import t from 'tap';

const limits = { crashes: 3, windowMs: 1000 };

function alerts(times: readonly number[], budget = new RestartBudget(limits)): number[] {
  return times.filter((time) => budget.recordCrash(time));
}

void t.test('the crash that fills the window alerts', (t) => {
  t.same(alerts([0, 400, 999]), [999]);
  t.end();
});

void t.test('crashes that never fill one window do not alert', (t) => {
  t.same(alerts([0, 500, 1000, 1500, 2000, 2500]), []);
  t.end();
});

void t.test('while the crashes go on there is one alert, not one per crash', (t) => {
  t.same(alerts([0, 300, 600, 900, 1200, 1500, 1800]), [600]);
  t.end();
});

void t.test('after a quiet time it alerts again', (t) => {
  t.same(alerts([0, 1, 2, 3, 5000, 5001, 5002, 5003]), [2, 5002]);
  t.end();
});

void t.test('by default three crashes in five minutes alert', (t) => {
  t.same(alerts([0, 150_000, 299_999], new RestartBudget()), [299_999]);
  t.same(alerts([0, 150_000, 300_000], new RestartBudget()), []);
  t.end();
});

void t.test('between two alerts there was a crash with fewer than the limit in its window', (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 600 }), { maxLength: 60 }), (gaps) => {
      let now = 0;
      const times = gaps.map((gap) => (now += gap));
      const inWindow = (time: number, index: number): number =>
        times.slice(0, index + 1).filter((earlier) => time - earlier < limits.windowMs).length;
      const full = times.map((time, index) => inWindow(time, index) >= limits.crashes);
      const expected = times.filter((_, index) => full[index] === true && full[index - 1] !== true);
      const budget = new RestartBudget(limits);
      t.same(
        times.filter((time) => budget.recordCrash(time)),
        expected,
      );
    }),
  );
  t.end();
});
