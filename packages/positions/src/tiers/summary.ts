import { formatFloat } from '../json/format-float.ts';
import type { PositionFacts } from '../read-position.ts';
import { DAY_MS } from './tier-filter.ts';

/** 120 days since mid-2025 (90 before); the field keeps its name for the clients that know it. */
const LOOK_BACK_MS = 120 * DAY_MS;
/** Positions that were open for less do not count. */
const SHORTEST_MS = 60_000;

/** The summary of a miner's positions, which is the same in every tier. */
export interface SummaryFields {
  /** Product of the returns of positions opened within the last 120 days. */
  readonly thirty_day_returns: number;
  /** Product of all returns. */
  readonly all_time_returns: number;
  readonly n_positions: number;
  /** Share, 0 to 1. */
  readonly percentage_profitable: number;
  /** Unix ms from which on the first field is another, as a position leaves its 120 days; Infinity if never. */
  readonly changeMs: number;
}

/** What the summary needs of a position. */
export type SummarizedPosition = Pick<PositionFacts, 'openMs' | 'closeMs' | 'returnAtClose'>;

/**
 * The summary of a miner's positions; open ones and those that were open for less than 60 s do not count.
 *
 * @param positions in the order of the dashboard, which the products depend on in their last digit.
 * @param now Unix ms.
 * @param lookBackMs how far back positions count for `thirty_day_returns`.
 */
export function summaryFields(
  positions: Iterable<SummarizedPosition>,
  now: number,
  lookBackMs = LOOK_BACK_MS,
): SummaryFields {
  let recent = 1;
  let all = 1;
  let count = 0;
  let profitable = 0;
  let changeMs = Infinity;
  for (const { openMs, closeMs, returnAtClose } of positions) {
    if (closeMs === null || closeMs - openMs < SHORTEST_MS) continue;
    count += 1;
    all *= returnAtClose;
    if (returnAtClose > 1) profitable += 1;
    if (openMs > now - lookBackMs) {
      recent *= returnAtClose;
      changeMs = Math.min(changeMs, Math.ceil(openMs + lookBackMs));
    }
  }
  return {
    thirty_day_returns: recent,
    all_time_returns: all,
    n_positions: count,
    percentage_profitable: count === 0 ? 0 : profitable / count,
    changeMs,
  };
}

/** The summary as members of a dashboard value, as Python writes them, without braces. */
export function summaryText(fields: Omit<SummaryFields, 'changeMs'>): string {
  return (
    `"thirty_day_returns": ${formatFloat(fields.thirty_day_returns)}, ` +
    `"all_time_returns": ${formatFloat(fields.all_time_returns)}, ` +
    `"n_positions": ${fields.n_positions}, ` +
    `"percentage_profitable": ${formatFloat(fields.percentage_profitable)}`
  );
}

/**
 * The order of a miner's positions on the dashboard: closed ones by close time, then open ones. Ties are broken by the
 * time of opening and the uuid, so that the same files always give the same bytes.
 */
export function comparePositions(
  a: Pick<PositionFacts, 'openMs' | 'closeMs' | 'positionUuid'>,
  b: Pick<PositionFacts, 'openMs' | 'closeMs' | 'positionUuid'>,
): number {
  if (a.closeMs !== b.closeMs) return (a.closeMs ?? Infinity) - (b.closeMs ?? Infinity);
  if (a.openMs !== b.openMs) return a.openMs - b.openMs;
  if (a.positionUuid === b.positionUuid) return 0;
  return a.positionUuid < b.positionUuid ? -1 : 1;
}
