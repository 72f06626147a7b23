import { joinMembers, pythonJsonWriter, quote } from '@ptn-api/positions';
import type { PythonShape } from '@ptn-api/positions';
import type { Checkpoint, LedgerBundle, PerfLedger } from '@ptn-api/scoring';

/** The members of a cell, in the order in which validators write them. */
export const CELL_FIELDS: Readonly<Record<keyof Omit<Checkpoint, 'pnl_gain' | 'pnl_loss'>, PythonShape>> = {
  last_update_ms: 'plain',
  prev_portfolio_ret: 'float',
  prev_portfolio_spread_fee: 'float',
  prev_portfolio_carry_fee: 'float',
  accum_ms: 'plain',
  open_ms: 'plain',
  n_updates: 'plain',
  gain: 'float',
  loss: 'float',
  spread_fee_loss: 'float',
  carry_fee_loss: 'float',
  mdd: 'float',
  mpv: 'float',
};

/** A cell with the return of the ledger up to it. */
export const CUMULATIVE_CELL_SHAPE: PythonShape = { fields: { ...CELL_FIELDS, overall_returns: 'float' } };

const writeCell = pythonJsonWriter({ fields: CELL_FIELDS });
const writeFloat = pythonJsonWriter('float');

/** Texts of cells: all but the last of a ledger never change again. */
const texts = new WeakMap<Checkpoint, string>();

function cellText(cell: Checkpoint): string {
  let text = texts.get(cell);
  if (text === undefined) texts.set(cell, (text = writeCell(cell)));
  return text;
}

/**
 * A ledger as the validator stores it.
 *
 * @param cells their texts, where they are of another form
 * @param more members behind the cells, as texts
 */
export function ledgerText(
  ledger: PerfLedger,
  cells: readonly string[] = ledger.cps.map(cellText),
  more: readonly (readonly [key: string, text: string])[] = [],
): string {
  return joinMembers([
    ['initialization_time_ms', String(ledger.initialization_time_ms)],
    ['max_return', writeFloat(ledger.max_return)],
    ['target_cp_duration_ms', String(ledger.target_cp_duration_ms)],
    ['target_ledger_window_ms', String(ledger.target_ledger_window_ms)],
    ['cps', `[${cells.join(', ')}]`],
    ...more,
  ]);
}

/** Parts of `perf_ledgers.json`: a ledger for each pair of each miner, and its portfolio's. */
export function* ledgersFile(ledgers: ReadonlyMap<string, LedgerBundle>): Generator<string> {
  let before = '{';
  for (const [hotkey, bundle] of ledgers) {
    const byPair = joinMembers([...bundle].map(([pair, ledger]) => [pair, ledgerText(ledger)]));
    yield `${before}${quote(hotkey)}: ${byPair}`;
    before = ', ';
  }
  yield before === '{' ? '{}' : '}';
}
