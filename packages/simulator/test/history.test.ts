import fc from 'fast-check';
import t from 'tap';
import { generateHistory, positionsOf } from '@ptn-api/simulator';
import { GENERATIONS } from '../dist/generation.js';
import { END_MS } from './history-fixture.ts';

void t.test('exactly as many miners and positions as asked for, at most one open of a pair', (t) => {
  const options = {
    seed: fc.nat({ max: 1000 }),
    miners: fc.integer({ min: 1, max: 12 }),
    positions: fc.nat({ max: 120 }),
    months: fc.double({ min: 0.1, max: 6, noNaN: true }),
    endMs: fc.integer({ min: END_MS - 8 * 86_400_000, max: END_MS }),
    generation: fc.constantFrom(...GENERATIONS),
  };
  fc.assert(
    fc.property(fc.record(options), (chosen) => {
      const { miners } = generateHistory(chosen);
      const positions = miners.flatMap(positionsOf);
      if (miners.length !== chosen.miners || positions.length !== chosen.positions) return false;
      for (const miner of miners) {
        const byPair = new Map<string, number>();
        for (const position of positionsOf(miner).toSorted((a, b) => a.open_ms - b.open_ms)) {
          const pair = position.trade_pair[0];
          const freeMs = byPair.get(pair) ?? 0;
          if (position.open_ms <= freeMs) return false;
          byPair.set(pair, position.close_ms ?? Infinity);
        }
        if (miner.elimination !== undefined && miner.open.size > 0) return false;
      }
      return true;
    }),
    { numRuns: 60, seed: 7 },
  );
  t.end();
});

void t.test('more positions make larger histories of the same miners', (t) => {
  const base = { seed: 3, months: 3, endMs: END_MS, generation: '2025' as const };
  const small = generateHistory({ ...base, miners: 20, positions: 100 });
  const large = generateHistory({ ...base, miners: 20, positions: 5000 });
  t.strictSame(
    small.miners.map(({ hotkey }) => hotkey),
    large.miners.map(({ hotkey }) => hotkey),
  );
  t.equal(large.miners.flatMap(positionsOf).length, 5000);
  t.end();
});
