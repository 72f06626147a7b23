import { CHECKPOINT_DEFAULTS, readPerfLedgers } from '@ptn-api/scoring';
import type { Checkpoint, LedgerBundle, PerfLedger, PerfLedgersFile } from '@ptn-api/scoring';
import { isObject } from './read-json.ts';

const MEMBERS = Object.keys(CHECKPOINT_DEFAULTS) as (keyof typeof CHECKPOINT_DEFAULTS)[];
const HOUR_MS = 3_600_000;

/** Performance ledgers by hotkey, and what is wrong with some of them: sentences. */
export interface LedgersReading {
  readonly ledgers: ReadonlyMap<string, LedgerBundle>;
  readonly problems: readonly string[];
}

function timeText(timeMs: number): string {
  return Number.isFinite(timeMs) && Math.abs(timeMs) < 8.64e15
    ? new Date(timeMs).toISOString()
    : String(timeMs);
}

/** Whether a stored value has the outline of a ledger, or of a map of ledgers. */
function hasOutline(stored: unknown): boolean {
  const isLedger = (value: unknown): boolean =>
    isObject(value) &&
    (value['cps'] === undefined || (Array.isArray(value['cps']) && value['cps'].every(isObject)));
  if (!isObject(stored)) return false;
  return typeof stored['initialization_time_ms'] === 'number'
    ? isLedger(stored)
    : Object.values(stored).every(isLedger);
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value);
}

/** What makes a ledger useless, as one phrase that goes on "the ledger ...". */
function damageOf({ cps, ...ledger }: PerfLedger): string | undefined {
  const { initialization_time_ms: startMs } = ledger;
  if (!isNumber(startMs)) return 'has an initialization_time_ms that is no number';
  const bad: [cell: Checkpoint, member: string][] = [];
  for (const cell of cps) {
    for (const member of MEMBERS) if (!isNumber(cell[member])) bad.push([cell, member]);
  }
  const [first] = bad;
  if (first !== undefined) {
    const [cell, member] = first;
    const others = bad.length === 1 ? '' : `, and ${bad.length - 1} more`;
    return `has a ${member} that is not a finite number in the cell of ${timeText(cell.last_update_ms)}${others}`;
  }
  const unordered = cps.find((cell, index) => cell.last_update_ms < (cps[index - 1]?.last_update_ms ?? 0));
  return unordered && `has its cells out of order at ${timeText(unordered.last_update_ms)}`;
}

/** Where a ledger misses time between two cells, as one phrase. */
function gapOf({ cps }: PerfLedger): string | undefined {
  const gaps = cps.flatMap((cell, index) => {
    const before = cps[index - 1];
    if (before === undefined) return [];
    const lengthMs = cell.last_update_ms - cell.accum_ms - before.last_update_ms;
    return lengthMs > 0 ? [{ lengthMs, endMs: before.last_update_ms }] : [];
  });
  const [first] = gaps;
  if (first === undefined) return undefined;
  const more = gaps.length === 1 ? '' : `, and ${gaps.length - 1} more`;
  return `has a gap of ${(first.lengthMs / HOUR_MS).toFixed(1)} h after ${timeText(first.endMs)}${more}`;
}

/**
 * The ledgers of `perf_ledgers.json`, of either form. A ledger with a value that is no number is left out, since it would
 * make the percentiles of every miner NaN; one with a gap stays, and its incomplete days do not count.
 *
 * @returns one phrase that goes on "the file ..." where it is no map of ledgers.
 */
export function readLedgers(value: unknown): LedgersReading | string {
  if (!isObject(value)) return 'is not a map from hotkeys to ledgers';
  const ledgers = new Map<string, LedgerBundle>();
  const problems: string[] = [];
  for (const [hotkey, stored] of Object.entries(value)) {
    if (!hasOutline(stored)) {
      problems.push(`${hotkey}: its entry among the ledgers is none, and left out`);
      continue;
    }
    const bundle =
      readPerfLedgers({ [hotkey]: stored } as PerfLedgersFile).get(hotkey) ?? new Map<string, PerfLedger>();
    const usable = [...bundle].filter(([pair, ledger]) => {
      const damage = damageOf(ledger);
      if (damage !== undefined) problems.push(`${hotkey}: its ledger ${pair} ${damage}; it is left out`);
      const gap = damage === undefined ? gapOf(ledger) : undefined;
      if (gap !== undefined) problems.push(`${hotkey}: its ledger ${pair} ${gap}; those days do not count`);
      return damage === undefined;
    });
    ledgers.set(hotkey, new Map(usable));
  }
  return { ledgers, problems };
}
