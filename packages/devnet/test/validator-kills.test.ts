import t from 'tap';
import { killValidator } from './kill-validator.ts';

void t.test('whenever it is killed: no acknowledged order is missing, and none is there twice', async (t) => {
  // A fixed sequence, so that a failure can be repeated.
  let state = 0.37;
  const random = (): number => (state = (state * 997 + 0.123) % 1);
  const report = await killValidator(t, {
    ...{ kills: 10, miners: 6, random },
    onKill: (kills, acknowledged) => {
      t.comment(`${kills} kills, ${acknowledged} orders acknowledged`);
    },
  });
  t.strictSame(report.missing, []);
  t.strictSame(report.twice, []);
  t.strictSame(report.refusedButThere, []);
  t.ok(report.acknowledged >= 40, `${report.acknowledged} orders`);
  t.strictSame(report.kills, { underLoad: 8, starting: 2 });
});
