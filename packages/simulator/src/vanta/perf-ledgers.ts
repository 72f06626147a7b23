import { joinMembers, pythonJsonWriter, quote } from '@ptn-api/positions';
import type { PythonShape } from '@ptn-api/positions';
import { PORTFOLIO } from '@ptn-api/scoring';
import type { PerfLedger } from '@ptn-api/scoring';
import { CELL_FIELDS, enclosed, ledgerText } from '@ptn-api/validator-files';
import type { Parts } from '@ptn-api/validator-files';
import { ledgersOf } from '../statistics/portfolio.ts';
import { vantaCells } from './vanta-cells.ts';
import type { VantaCell } from './vanta-cells.ts';
import type { VantaHistory } from './vanta-history.ts';

const { last_update_ms, prev_portfolio_ret, ...others } = CELL_FIELDS;
const CELL: Readonly<Record<keyof VantaCell, PythonShape>> = {
  last_update_ms,
  prev_portfolio_ret,
  prev_portfolio_realized_pnl: 'float',
  prev_portfolio_unrealized_pnl: 'float',
  ...others,
  realized_pnl: 'float',
  unrealized_pnl: 'float',
};
const writeCell = pythonJsonWriter({ fields: CELL });

function textOf(ledger: PerfLedger, cells: readonly VantaCell[]): string {
  return ledgerText(ledger, cells.map(writeCell), [['last_known_prices', '{}']]);
}

/** Parts of `perf_ledgers.json.gz`: of each miner one ledger of all pairs, and before 2026 one of each pair as well. */
export function* perfLedgersFile(history: VantaHistory, withPairs: boolean): Generator<string> {
  const { written } = history;
  const cellsOf = new Map(history.ledgers.map((miner) => [miner.hotkey, miner.cells]));
  yield* enclosed('{', miners(), '}');

  function* miners(): Parts {
    for (const { hotkey, ledgers, positions } of history.scored.records) {
      const portfolio = ledgers?.get(PORTFOLIO);
      const cells = cellsOf.get(hotkey);
      if (portfolio === undefined || cells === undefined) continue;
      const whole = textOf(portfolio, cells);
      if (!withPairs) {
        yield `${quote(hotkey)}: ${whole}`;
        continue;
      }
      const untilMs = cells.at(-1)?.last_update_ms ?? 0;
      const accountSize = positions[0]?.account_size ?? 1;
      const pairs = [...new Set(positions.map(({ trade_pair: [id] }) => id))].flatMap((id) => {
        const ofPair = positions.filter(({ trade_pair: [other] }) => other === id);
        const name = `${hotkey}/${id}`;
        const ledger = ledgersOf(ofPair, untilMs, written.cells.of(name)).get(PORTFOLIO);
        if (ledger === undefined) return [];
        const own = vantaCells(ledger.cps, ofPair, accountSize, written.vantaCells.of(name));
        return [[id, textOf(ledger, own)] as const];
      });
      yield `${quote(hotkey)}: ${joinMembers([[PORTFOLIO, whole], ...pairs])}`;
    }
  }
}
