import t from 'tap';
import { Budgets } from '../dist/limits/budgets.js';

await t.test('a budget is spent at once, and grows again as time passes', (t) => {
  let nowMs = 0;
  const budgets = new Budgets({ perSecond: 1000, atOnce: 2000 }, () => nowMs);
  for (let count = 0; count < 2000; count++) t.equal(budgets.spend('a', 1), 0);
  t.equal(budgets.spend('a', 1), 1);
  t.equal(budgets.spend('b', 1), 0, 'another name has its own');
  nowMs = 1;
  t.equal(budgets.waitMs('a'), 0, 'paid');
  t.equal(budgets.spend('a', 1002), 1002, 'a large cost is allowed, and waited for afterwards');
  nowMs = 501;
  t.equal(budgets.waitMs('a'), 502);
  t.equal(budgets.spend('a', -502), 0, 'what was not used is given back');
  t.equal(budgets.waitMs('nobody'), 0);
  t.end();
});

await t.test('budgets that are whole again take no memory', (t) => {
  let nowMs = 0;
  const budgets = new Budgets({ perSecond: 1000, atOnce: 2000 }, () => nowMs);
  budgets.spend('a', 3000);
  budgets.spend('b', 1);
  nowMs = 2999;
  budgets.forgetWhole();
  t.equal(budgets.size, 1, 'what is not whole is kept');
  nowMs = 3000;
  budgets.forgetWhole();
  t.equal(budgets.size, 0);
  t.end();
});

await t.test('all budgets are whole again after clear, and time passes by itself', async (t) => {
  const budgets = new Budgets({ perSecond: 1_000_000, atOnce: 1000 });
  t.ok(budgets.spend('a', 1e9) > 0);
  budgets.clear();
  t.equal(budgets.size, 0);
  t.equal(budgets.waitMs('a'), 0);
  t.ok(budgets.spend('b', 6000) > 0);
  while (budgets.waitMs('b') > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  t.equal(budgets.size, 1, 'it grew without anybody');
});
