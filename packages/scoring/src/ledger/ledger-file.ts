import { CHECKPOINT_DEFAULTS, PORTFOLIO } from './checkpoint.ts';
import type { Checkpoint, LedgerBundle, PerfLedger } from './checkpoint.ts';

/** A ledger as `perf_ledgers.json` has it; members may be missing. */
type StoredLedger = Partial<Omit<PerfLedger, 'cps'>> & { readonly cps?: readonly Partial<Checkpoint>[] };

/** `perf_ledgers.json`: by hotkey, a ledger for each pair and the portfolio; in its first form the portfolio's alone. */
export type PerfLedgersFile = Readonly<Record<string, StoredLedger | Readonly<Record<string, StoredLedger>>>>;

const CELL_MS = 43_200_000;
const WINDOW_MS = 90 * 86_400_000;

function isLedger(value: StoredLedger | Readonly<Record<string, StoredLedger>>): value is StoredLedger {
  return typeof value.initialization_time_ms === 'number';
}

function ledgerOf({ cps = [], ...stored }: StoredLedger): PerfLedger {
  return {
    initialization_time_ms: 0,
    max_return: 1,
    target_cp_duration_ms: CELL_MS,
    target_ledger_window_ms: WINDOW_MS,
    ...stored,
    cps: cps.map((cell) => ({ ...CHECKPOINT_DEFAULTS, ...cell })),
  };
}

/** The ledgers of a file by hotkey; members that are missing get their defaults. */
export function readPerfLedgers(file: PerfLedgersFile): Map<string, LedgerBundle> {
  return new Map(
    Object.entries(file).map(([hotkey, stored]): [string, LedgerBundle] => {
      const byPair = isLedger(stored) ? { [PORTFOLIO]: stored } : stored;
      return [hotkey, new Map(Object.entries(byPair).map(([pair, ledger]) => [pair, ledgerOf(ledger)]))];
    }),
  );
}

/** The file of ledgers by hotkey, for each pair and the portfolio. */
export function perfLedgersFile(
  ledgers: ReadonlyMap<string, LedgerBundle>,
): Record<string, Record<string, PerfLedger>> {
  return Object.fromEntries([...ledgers].map(([hotkey, byPair]) => [hotkey, Object.fromEntries(byPair)]));
}
