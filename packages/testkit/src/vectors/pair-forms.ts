import { carryFee, feeFactor, nextCarryMs, pairTerms, spreadFee } from '@ptn-api/positions';
import type { Position } from '@ptn-api/protocol';
import { GENERATION_2025_05, isMarketOpen, PAIRS } from '@ptn-api/rules';
import type { Difference } from './compare-texts.ts';
import { compareValues } from './compare-values.ts';
import { pairOf } from './pair-of.ts';
import { readText } from './read-text.ts';
import { fileForm, isNamed } from './vector-form.ts';
import type { VectorForm } from './vector-form.ts';

interface PairRow {
  readonly id: string;
  readonly label: string;
  readonly fees: number;
  readonly min_leverage: number;
  readonly max_leverage: number;
  readonly category: string;
  readonly multiplier: number;
}

function runTradePairs(path: string, difference: Difference): number {
  const rows = JSON.parse(readText(path)) as PairRow[];
  const known = [...PAIRS.values()].filter(({ id }) => GENERATION_2025_05.pairs.has(id));
  const got = known.map(({ id, label, fee, minLeverage, maxLeverage, assetClass, multiplier }) => ({
    ...{ id, label, fees: fee, min_leverage: minLeverage, max_leverage: maxLeverage },
    ...{ category: assetClass, multiplier },
  }));
  compareValues(got, rows, difference, 'pairs');
  return rows.length;
}

/** The columns of the table behind its two of time. */
const HOURS_OF = ['BTCUSD', 'EURUSD', 'XAUUSD', 'NVDA', 'SPX'];
/** The recording had sessions of NASDAQ for these years alone, and took every other weekday for one. */
const NASDAQ_YEARS = /^... 202[456]/;

interface HoursFile {
  readonly rows: readonly (readonly [number, string, boolean, boolean, boolean, boolean, boolean, string])[];
  readonly stateful_sequences: readonly {
    readonly name: string;
    readonly asks: readonly {
      readonly pair: string;
      readonly at_ms: number;
      readonly open: boolean;
      readonly open_asked_fresh: boolean;
    }[];
  }[];
}

function runMarketHours(path: string, difference: Difference): number {
  const { rows, stateful_sequences: sequences } = JSON.parse(readText(path)) as HoursFile;
  let cases = 0;
  for (const [timeMs, utc, ...answers] of rows) {
    for (const [index, id] of HOURS_OF.entries()) {
      const isOpen = isMarketOpen(pairOf(id), timeMs);
      cases += 1;
      if (isOpen === answers[index]) continue;
      if (id === 'NVDA' && !NASDAQ_YEARS.test(utc)) {
        difference.expected.push(`${utc} ${id}: a holiday that the recording has no session table for`);
      } else {
        difference.unequal.push(`${utc} ${id}: ${isOpen}`);
      }
    }
  }
  for (const { name, asks } of sequences) {
    for (const { pair, at_ms: timeMs, open, open_asked_fresh: openAskedFresh } of asks) {
      cases += 1;
      compareValues(
        isMarketOpen(pairOf(pair), timeMs),
        openAskedFresh,
        difference,
        `${name} ${pair} ${timeMs}`,
      );
      if (open !== openAskedFresh) {
        difference.expected.push(
          `${name} ${pair} ${timeMs}: the answer does not depend on earlier questions`,
        );
      }
    }
  }
  return cases;
}

interface CarryFile {
  readonly positions: Readonly<Record<string, Position>>;
  readonly cases: readonly {
    readonly tag: string;
    readonly position: string;
    readonly t_ms: number;
    readonly expect: unknown;
  }[];
}

function runCarryFee(path: string, difference: Difference): number {
  const { positions, cases } = JSON.parse(readText(path)) as CarryFile;
  for (const { tag, position: uuid, t_ms: askedMs, expect } of cases) {
    const position = positions[uuid];
    if (position === undefined) throw new Error(`there is no position ${uuid}`);
    const { open_ms: openMs, close_ms: closeMs, is_closed_position: isClosed } = position;
    const timeMs = isClosed ? Math.min(askedMs, closeMs ?? Infinity) : askedMs;
    const { assetClass, fee } = pairTerms(position.trade_pair);
    const subject = { orders: position.orders, assetClass, fee, isAccountSize: false, openMs };
    const got = {
      carry_fee: carryFee(subject, timeMs),
      next_update_ms: nextCarryMs(assetClass, openMs, timeMs),
      spread_fee: spreadFee(subject, timeMs),
      'return_with_fees_of_1.02': 1.02 * feeFactor(subject, timeMs),
    };
    compareValues(got, expect, difference, `${tag} at ${askedMs}`);
  }
  return cases.length;
}

/** Pairs, their hours and their carry fees. */
export const PAIR_FORMS: readonly VectorForm[] = [
  fileForm('trade_pairs.json', 'trade pairs', runTradePairs),
  {
    name: 'market hours',
    recognises: (path) => isNamed(path, 'market_hours', 'table.json'),
    run: runMarketHours,
  },
  fileForm('carry_fee.json', 'carry fees', runCarryFee),
];
