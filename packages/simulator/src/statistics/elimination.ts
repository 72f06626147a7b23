import { drawdownState, PORTFOLIO } from '@ptn-api/scoring';
import type { Elimination } from '@ptn-api/scoring';
import { positionsOf } from '../records/miners.ts';
import type { Miner } from '../records/miners.ts';
import { ledgersOf } from './portfolio.ts';

const PLAGIARISM_LIMIT = 0.8;

/** The entry of a miner that is taken out at `timeMs` (Unix ms), with the reason that fits best what it did. */
export function eliminationFor(miner: Miner, timeMs: number): Elimination {
  const row = (dd: number, reason: Elimination['reason']): Elimination => ({
    hotkey: miner.hotkey,
    elimination_initiated_time_ms: timeMs,
    dd,
    reason,
  });
  const positions = positionsOf(miner);
  if (positions.some((position) => position.return_at_close === 0)) return row(0, 'LIQUIDATED');
  if (miner.plagiarism > PLAGIARISM_LIMIT) return row(miner.plagiarism, 'PLAGIARISM');
  const { isBeyondLimit, percent } = drawdownState(ledgersOf(positions, timeMs).get(PORTFOLIO));
  return row(percent, isBeyondLimit ? 'MAX_TOTAL_DRAWDOWN' : 'FAILED_CHALLENGE_PERIOD_TIME');
}
