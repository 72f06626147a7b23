import { PORTFOLIO } from '@ptn-api/scoring';
import type { Elimination, LedgerBundle } from '@ptn-api/scoring';
import { dashboardMember, takeDashboard } from './dashboard.ts';
import type { MinerPositions } from './dashboard.ts';
import { mapOf, members } from './text-parts.ts';
import { ledgerText } from './ledger-texts.ts';
import { eliminationsText, heading } from './scoring-texts.ts';

export interface CheckpointContent {
  /** Unix ms. */
  readonly nowMs: number;
  readonly version: string;
  /** JSON: who is where in the challenge period. */
  readonly challenge: string;
  readonly eliminations: readonly Elimination[];
  readonly miners: readonly MinerPositions[];
  readonly ledgers: ReadonlyMap<string, LedgerBundle>;
  /** Further members: JSON by name. */
  readonly more?: readonly (readonly [name: string, text: string])[];
}

/** Parts of `validator_checkpoint.json`. Of the ledgers it has the portfolios alone. */
export function checkpointParts(content: CheckpointContent): Iterable<string> {
  const { nowMs, version, challenge, eliminations, miners, ledgers, more = [] } = content;
  const times = miners.flatMap(({ positions }) =>
    positions.flatMap(({ orders }) => orders.map((order) => order.processed_ms)),
  );
  const portfolios = [...ledgers].flatMap(([hotkey, bundle]) => {
    const ledger = bundle.get(PORTFOLIO);
    return ledger === undefined ? [] : [[hotkey, ledger] as const];
  });
  return members([
    ...heading(version, nowMs),
    ['challengeperiod', [challenge]],
    ['eliminations', [eliminationsText(eliminations)]],
    // The names are swapped: validators write it so.
    ['youngest_order_processed_ms', [String(times.reduce((a, b) => Math.min(a, b), nowMs))]],
    ['oldest_order_processed_ms', [String(times.reduce((a, b) => Math.max(a, b), 0))]],
    ['positions', mapOf(takeDashboard(miners, nowMs), (miner) => dashboardMember(miner))],
    ['perf_ledgers', mapOf(portfolios, ([hotkey, ledger]) => [hotkey, ledgerText(ledger)])],
    ...more.map(([name, text]): [string, string[]] => [name, [text]]),
  ]);
}
