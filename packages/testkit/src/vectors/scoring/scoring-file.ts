import type { Position } from '@ptn-api/protocol';
import { CHECKPOINT_DEFAULTS, minerRecord, PORTFOLIO } from '@ptn-api/scoring';
import type { Checkpoint, MinerRecord, PerfLedger } from '@ptn-api/scoring';
import type { Difference } from '../compare-texts.ts';
import { numberOf } from '../compare-values.ts';
import { readText } from '../read-text.ts';
import { fileForm } from '../vector-form.ts';
import type { VectorForm } from '../vector-form.ts';

/** A ledger as vectors write it: a row for each cell, its members in the order of `cols`. */
export interface LedgerRows {
  readonly initialization_time_ms?: number;
  readonly max_return?: number;
  readonly cols: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

export type Positions = readonly Position[];

/** The rows as objects; what is no number stays as it is. */
export function objectsOf({ cols, rows }: Pick<LedgerRows, 'cols' | 'rows'>): Record<string, unknown>[] {
  return rows.map((row) => Object.fromEntries(cols.map((name, index) => [name, row[index]])));
}

export function ledgerOf(rows: LedgerRows): PerfLedger {
  const cps = objectsOf(rows).map((row) => {
    const numbers = Object.entries(row).map(([name, value]) => [name, numberOf(value) ?? NaN]);
    return { ...CHECKPOINT_DEFAULTS, ...(Object.fromEntries(numbers) as Partial<Checkpoint>) };
  });
  return {
    initialization_time_ms: rows.initialization_time_ms ?? 0,
    max_return: rows.max_return ?? 1,
    target_cp_duration_ms: 43_200_000,
    target_ledger_window_ms: 7_776_000_000,
    cps,
  };
}

/** A miner with a portfolio ledger. */
export function minerOf(
  hotkey: string,
  rows: LedgerRows | undefined,
  positions: Positions = [],
): MinerRecord {
  const ledgers = rows === undefined ? undefined : new Map([[PORTFOLIO, ledgerOf(rows)]]);
  return minerRecord({ hotkey, ledgers, positions });
}

/** A form that is known by the name of its file, whose content is one JSON. */
// The type parameter says what the caller expects the file to hold.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function jsonForm<T>(
  file: string,
  name: string,
  run: (content: T, difference: Difference, path: string) => number,
): VectorForm {
  return fileForm(file, name, (path, difference) => run(JSON.parse(readText(path)) as T, difference, path));
}
