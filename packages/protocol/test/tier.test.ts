import t from 'tap';
import { keyTierAtMost } from '../dist/index.js';

void t.test('an access between two tiers gives the lower one', (t) => {
  for (const [access, tier] of [
    [0, 0],
    [29.9, 0],
    [30, 30],
    [49, 30],
    [50, 50],
    [75, 50],
    [99.9, 50],
    [100, 100],
    [250, 200],
    [1000, 500],
  ] as const)
    t.equal(keyTierAtMost(access), tier, String(access));
  t.end();
});
