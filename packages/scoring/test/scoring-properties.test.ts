import { rebuildPosition } from '@ptn-api/positions';
import type { Position } from '@ptn-api/protocol';
import { FeeCache, PORTFOLIO, scoreRound, SCORING_GENERATIONS, updateLedgers } from '@ptn-api/scoring';
import type { BucketEntry, Generation, LedgerBundle, MinerRecord, PerfLedger, Round } from '@ptn-api/scoring';
import fc from 'fast-check';
import t from 'tap';
import { DAY_MS, MARKET, NOW_MS, orderOf, randomMiners } from './sample-miners.ts';

const GENERATIONS: readonly Generation[] = Object.values(SCORING_GENERATIONS);
const BURN = 'burn';
const MINUTE_MS = 60_000;

/** A round over miners of which those with an even number are in the main competition, whatever their order. */
function roundOf(miners: readonly MinerRecord[], generation: Generation): Round {
  const state = new Map(
    miners.map(({ hotkey }): [string, BucketEntry] => {
      const bucket = Number(hotkey.split('-').at(-1)) % 2 === 0 ? 'MAINCOMP' : 'CHALLENGE';
      return [hotkey, { bucket, startMs: NOW_MS - 80 * DAY_MS }];
    }),
  );
  const emissions = { burnHotkey: BURN, projectedDailyUsd: 10_000 };
  return scoreRound({ nowMs: NOW_MS, generation, miners, state, eliminations: [], emissions });
}

for (const generation of GENERATIONS) {
  void t.test(`weights of ${generation.name} add up to 1`, (t) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 1e6 }), (count, seed) => {
        const { weights, stateBefore } = roundOf(randomMiners(count, seed, 1 + (seed % 90)), generation);
        // Where the rest is burned all are counted, else the main competition: newcomers get next to nothing beside it.
        const isBurned = weights.some(([hotkey]) => hotkey === BURN);
        const counted = weights.filter(
          ([hotkey]) => isBurned || stateBefore.get(hotkey)?.bucket === 'MAINCOMP',
        );
        const sum = counted.reduce((total, [, weight]) => total + weight, 0);
        return counted.every(([, weight]) => weight >= 0) && Math.abs(sum - 1) < 1e-9;
      }),
      { numRuns: 20 },
    );
    t.end();
  });

  void t.test(
    `a round of ${generation.name} depends neither on the order nor on the names of the miners`,
    (t) => {
      const within = (a: number, b: number): boolean => Math.abs(a - b) < 1e-9;
      const decided = (
        { inspection, eliminations, stateAfter }: Round,
        rename: (name: string) => string,
      ) => ({
        promoted: inspection.promoted.map(rename).sort(),
        demoted: inspection.demoted.map(rename).sort(),
        failed: [...inspection.failed].map(([hotkey, { reason }]) => `${rename(hotkey)} ${reason}`).sort(),
        eliminated: eliminations.map(({ hotkey, reason }) => `${rename(hotkey)} ${reason}`).sort(),
        buckets: [...stateAfter].map(([hotkey, { bucket }]) => `${rename(hotkey)} ${bucket}`).sort(),
      });
      fc.assert(
        fc.property(fc.integer({ min: 2, max: 20 }), fc.integer({ min: 1, max: 1e6 }), (count, seed) => {
          // With all their days, since those that lack some are equal, and places of equals go by their order.
          const miners = randomMiners(count, seed);
          const renamed = [...miners].reverse().map((miner) => ({ ...miner, hotkey: `x${miner.hotkey}` }));
          const [round, other] = [roundOf(miners, generation), roundOf(renamed, generation)];
          const same = decided(round, (name) => name);
          if (JSON.stringify(decided(other, (name) => name.slice(1))) !== JSON.stringify(same)) return false;
          const scores = new Map(round.main.final);
          return other.main.final.every(([hotkey, score]) =>
            within(score, scores.get(hotkey.slice(1)) ?? NaN),
          );
        }),
        { numRuns: 20 },
      );
      t.end();
    },
  );
}

const PAIRS = {
  BTCUSD: ['BTCUSD', 'BTC/USD', 0.003, 0.01, 0.5],
  ETHUSD: ['ETHUSD', 'ETH/USD', 0.003, 0.01, 0.5],
  EURUSD: ['EURUSD', 'EUR/USD', 0.00007, 0.1, 5],
} as const;
type Pair = keyof typeof PAIRS;

const START_MS = NOW_MS - 4 * DAY_MS + 1234;

const trade = fc.record({
  pair: fc.constantFrom<Pair>('BTCUSD', 'ETHUSD', 'EURUSD'),
  waitMinutes: fc.integer({ min: 0, max: 900 }),
  heldMinutes: fc.integer({ min: 1, max: 1500 }),
  leverage: fc.double({ min: 0.05, max: 0.5, noNaN: true }),
  isShort: fc.boolean(),
});

/** Positions one after the other in each pair, those of different pairs side by side; the last of a pair may be open. */
function positionsOf(
  trades: readonly (typeof trade extends fc.Arbitrary<infer T> ? T : never)[],
): Position[] {
  const freeMs = new Map<Pair, number>();
  return trades.map(({ pair, waitMinutes, heldMinutes, leverage, isShort }, index) => {
    const openMs = (freeMs.get(pair) ?? START_MS) + waitMinutes * MINUTE_MS;
    const closeMs = openMs + heldMinutes * MINUTE_MS;
    freeMs.set(pair, closeMs + MINUTE_MS);
    const price = (timeMs: number): number => MARKET.close(pair, timeMs, 'minute') ?? NaN;
    const signed = isShort ? -leverage : leverage;
    const first = orderOf({
      order_uuid: `${index}-open`,
      order_type: isShort ? 'SHORT' : 'LONG',
      leverage: signed,
      price: price(openMs),
      processed_ms: openMs,
    });
    const last = orderOf({
      order_uuid: `${index}-close`,
      order_type: 'FLAT',
      leverage: -signed,
      price: price(closeMs),
      processed_ms: closeMs,
    });
    const identity = { miner_hotkey: 'hk', position_uuid: `position-${index}`, trade_pair: PAIRS[pair] };
    const orders = closeMs < NOW_MS ? [first, last] : [first];
    return rebuildPosition(identity, orders);
  });
}

/** What was placed up to a time, as it stood then. */
function knownAt(positions: readonly Position[], timeMs: number): Position[] {
  return positions.flatMap((position) => {
    const orders = position.orders.filter((order) => order.processed_ms <= timeMs);
    return orders.length === 0 ? [] : [rebuildPosition(position, orders)];
  });
}

void t.test('ledgers of many positions built in one go equal those built in steps', (t) => {
  const isNear = (a: number, b: number, within: number): boolean => Math.abs(a - b) < within;
  // The fee of a moment depends on when in its interval it was asked for first, and an update asks at its end: a carry fee
  // may be taken a sample earlier, with another price.
  const isSame = (a: PerfLedger | undefined, b: PerfLedger | undefined): boolean => {
    let carried = 0;
    return (
      a !== undefined &&
      b !== undefined &&
      a.cps.length === b.cps.length &&
      a.cps.every((cell, index) => {
        const other = b.cps[index];
        const carry = Math.abs(cell.carry_fee_loss);
        carried += carry;
        return (
          other?.last_update_ms === cell.last_update_ms &&
          other.accum_ms === cell.accum_ms &&
          other.open_ms === cell.open_ms &&
          isNear(other.prev_portfolio_ret, cell.prev_portfolio_ret, 1e-12) &&
          isNear(other.gain + other.loss, cell.gain + cell.loss, 1e-10) &&
          isNear(other.gain, cell.gain, 1e-10 + carry) &&
          isNear(other.loss, cell.loss, 1e-10 + carry) &&
          isNear(other.mdd, cell.mdd, 1e-12 + carried)
        );
      })
    );
  };
  const common = { hotkey: 'hk', market: MARKET, terms: SCORING_GENERATIONS['2025-05'].ledger };
  const steps = fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.array(trade, { minLength: 1, maxLength: 6 }), steps, (trades, minutes) => {
      const positions = positionsOf(trades).filter(({ open_ms: openMs }) => openMs < NOW_MS);
      if (positions.length === 0) return true;
      const wallClockMs = NOW_MS + 600_000;
      const whole = updateLedgers({
        ...common,
        ledgers: undefined,
        positions,
        nowMs: NOW_MS,
        wallClockMs,
        fees: new FeeCache(),
      });
      const fees = new FeeCache();
      let ledgers: LedgerBundle | undefined;
      let nowMs = START_MS;
      for (const length of [...minutes, Infinity]) {
        nowMs = Math.min(NOW_MS, nowMs + length * MINUTE_MS + 17);
        const known = knownAt(positions, nowMs);
        if (known.length === 0) continue;
        ({ ledgers } = updateLedgers({ ...common, ledgers, positions: known, nowMs, wallClockMs, fees }));
      }
      return isSame(whole.ledgers.get(PORTFOLIO), ledgers?.get(PORTFOLIO));
    }),
    {
      numRuns: 40,
      examples: [
        [
          [
            { pair: 'EURUSD', waitMinutes: 343, heldMinutes: 6, leverage: 0.05, isShort: false },
            { pair: 'EURUSD', waitMinutes: 856, heldMinutes: 1494, leverage: 0.05, isShort: false },
            { pair: 'BTCUSD', waitMinutes: 0, heldMinutes: 1, leverage: 0.05, isShort: false },
          ],
          [1180, 19, 1104, 163, 1],
        ],
      ],
    },
  );
  t.end();
});
