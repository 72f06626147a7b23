import { positionsOf } from '../records/miners.ts';
import type { Elimination, Miner } from '../records/miners.ts';
import { maxDrawdown, performanceOf } from './portfolio.ts';

const PLAGIARISM_LIMIT = 0.8;
const DRAWDOWN_LIMIT = 0.1;

/** The entry of a miner that is taken out at `timeMs`, with the reason that fits best what it did. */
export function eliminationFor(miner: Miner, timeMs: number): Elimination {
  const entry = { hotkey: miner.hotkey, elimination_initiated_time_ms: timeMs };
  if (positionsOf(miner).some((position) => position.return_at_close === 0)) {
    return { ...entry, reason: 'LIQUIDATED', dd: 0 };
  }
  if (miner.plagiarism > PLAGIARISM_LIMIT) return { ...entry, reason: 'PLAGIARISM', dd: null };
  const dd = maxDrawdown(performanceOf(positionsOf(miner), timeMs));
  return dd > DRAWDOWN_LIMIT
    ? { ...entry, reason: 'MAX_TOTAL_DRAWDOWN', dd }
    : { ...entry, reason: 'FAILED_CHALLENGE_PERIOD_TIME', dd: null };
}
