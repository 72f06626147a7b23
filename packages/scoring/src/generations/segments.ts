import { assetClassOf } from '@ptn-api/positions';
import type { AssetClass } from '@ptn-api/positions';
import { PORTFOLIO } from '../ledger/checkpoint.ts';
import type { Checkpoint, LedgerBundle, PerfLedger } from '../ledger/checkpoint.ts';
import type { Segment } from './segment.ts';

/** One competition over everything that a miner trades. */
export function wholePortfolio(daysInYear: number): readonly Segment[] {
  return [{ name: PORTFOLIO, share: 1, daysInYear, ledgerOf: (ledgers) => ledgers?.get(PORTFOLIO) }];
}

/** A cell that covers what two ledgers did at the same time: sums, and for the rest the first one's. */
function addCells(first: Checkpoint, second: Checkpoint): Checkpoint {
  return {
    ...first,
    gain: first.gain + second.gain,
    loss: first.loss + second.loss,
    spread_fee_loss: first.spread_fee_loss + second.spread_fee_loss,
    carry_fee_loss: first.carry_fee_loss + second.carry_fee_loss,
    n_updates: first.n_updates + second.n_updates,
    pnl_gain: (first.pnl_gain ?? 0) + (second.pnl_gain ?? 0),
    pnl_loss: (first.pnl_loss ?? 0) + (second.pnl_loss ?? 0),
  };
}

/** The ledger of all pairs of a class, cells of the same end added up; undefined where the miner traded none. */
export function classLedger(
  ledgers: LedgerBundle | undefined,
  assetClass: AssetClass,
): PerfLedger | undefined {
  const members = [...(ledgers ?? [])].flatMap(([pair, ledger]) =>
    assetClassOf(pair) === assetClass ? [ledger] : [],
  );
  const [first] = members;
  if (first === undefined || members.length === 1) return first;
  const cells = new Map<number, Checkpoint>();
  for (const { cps } of members) {
    for (const cell of cps) {
      const other = cells.get(cell.last_update_ms);
      cells.set(cell.last_update_ms, other === undefined ? cell : addCells(other, cell));
    }
  }
  return { ...first, cps: [...cells.values()].sort((a, b) => a.last_update_ms - b.last_update_ms) };
}

/** A competition for each of two asset classes, which give out half of the scores each. */
export const CRYPTO_AND_FOREX: readonly Segment[] = [
  { name: 'crypto', share: 0.5, daysInYear: 365, ledgerOf: (ledgers) => classLedger(ledgers, 'crypto') },
  { name: 'forex', share: 0.5, daysInYear: 252, ledgerOf: (ledgers) => classLedger(ledgers, 'forex') },
];
