import type { Bucket } from '../challenge/buckets.ts';
import type { DebtCheckpoint } from './debt-checkpoint.ts';

const LOOK_BACK_MS = 30 * 86_400_000;
const WORST_SHARE = 0.25;
const MAX_WORST = 10;

/** How often a bucket gets the least weight, whatever its miners earned. */
const FLOOR: Readonly<Record<Bucket, number>> = {
  MAINCOMP: 3,
  PROBATION: 2,
  CHALLENGE: 1,
  PLAGIARISM: 1,
  unknown: 0,
};

export interface DustMiner {
  readonly hotkey: string;
  readonly bucket: Bucket;
  readonly debt: readonly DebtCheckpoint[];
  readonly accountSize: number | undefined;
}

/** What checkpoints earned in all after penalties, US dollars. */
export type Earned = (checkpoints: readonly DebtCheckpoint[]) => number;

function recent(debt: readonly DebtCheckpoint[], nowMs: number): DebtCheckpoint[] {
  return debt.filter(({ timestamp_ms: timeMs }) => timeMs >= nowMs - LOOK_BACK_MS && timeMs <= nowMs);
}

/**
 * Newcomers that get nothing at all: all without an account, and the worst by profit until a quarter of them gets nothing, at
 * most ten.
 */
function unpaid(newcomers: readonly DustMiner[], profits: ReadonlyMap<string, number>): Set<string> {
  const profitOf = ({ hotkey }: DustMiner): number => profits.get(hotkey) ?? 0;
  const none = newcomers.filter(({ accountSize }) => (accountSize ?? 0) === 0);
  const count = Math.min(Math.floor(newcomers.length * WORST_SHARE), MAX_WORST) - none.length;
  const worst = newcomers
    .filter((miner) => !none.includes(miner))
    .sort((a, b) => profitOf(a) - profitOf(b))
    .slice(0, Math.max(count, 0));
  return new Set([...none, ...worst].map(({ hotkey }) => hotkey));
}

/**
 * The least weight of each miner: a multiple of `dust` by its bucket, and up to one more by what was earned in the last 30 days
 * beside the best of the bucket.
 *
 * @param nowMs Unix ms.
 */
export function dustWeights(
  miners: readonly DustMiner[],
  nowMs: number,
  dust: number,
  earned: Earned,
): Map<string, number> {
  const profits = new Map(miners.map(({ hotkey, debt }) => [hotkey, earned(recent(debt, nowMs))]));
  const weights = new Map<string, number>();
  for (const bucket of Object.keys(FLOOR) as Bucket[]) {
    const members = miners.filter((miner) => miner.bucket === bucket);
    const best = members.reduce((most, { hotkey }) => Math.max(most, profits.get(hotkey) ?? 0), 0);
    const excluded = bucket === 'CHALLENGE' ? unpaid(members, profits) : new Set<string>();
    for (const { hotkey } of members) {
      const share = best > 0 ? Math.max(0, profits.get(hotkey) ?? 0) / best : 0;
      weights.set(hotkey, excluded.has(hotkey) ? 0 : FLOOR[bucket] * dust + share * dust);
    }
  }
  return weights;
}
