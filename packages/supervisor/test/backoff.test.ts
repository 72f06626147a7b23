import { backoffMs as backoffOf } from '@ptn-api/runtime';
import fc from 'fast-check';
import t from 'tap';
import { RESTART_BACKOFF } from '../dist/worker-slot.js';

const backoffMs = (attempt: number, random: number) => backoffOf(RESTART_BACKOFF, attempt, random);

void t.test('waits grow by half from 100 ms', (t) => {
  t.same(
    [0, 1, 2, 3].map((attempt) => backoffMs(attempt, 0)),
    [100, 150, 225, 337.5],
  );
  t.end();
});

void t.test('waits end at 15 s, also after very many attempts', (t) => {
  t.equal(backoffMs(12, 0), 100 * 1.5 ** 12);
  t.equal(backoffMs(13, 0), 15_000);
  t.equal(backoffMs(100_000, 0), 15_000);
  t.end();
});

void t.test('jitter takes off up to half and adds nothing', (t) => {
  fc.assert(
    fc.property(fc.nat({ max: 100 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
      const longest = backoffMs(attempt, 0);
      const waited = backoffMs(attempt, random);
      return waited <= longest && waited >= longest / 2;
    }),
  );
  t.equal(backoffMs(0, 0.5), 75);
  t.end();
});
