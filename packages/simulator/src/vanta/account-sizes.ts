import { pythonJsonWriter } from '@ptn-api/positions';
import type { Miner } from '../records/miners.ts';

const DAY_MS = 86_400_000;
/** US dollars of account for each theta of collateral. */
const DOLLARS_PER_THETA = 500;

const write = pythonJsonWriter({
  values: {
    items: {
      fields: {
        account_size: 'float',
        account_size_theta: 'float',
        update_time_ms: 'plain',
        valid_date_timestamp: 'plain',
      },
    },
  },
});

/** `miner_account_sizes.json`: each account as it was when its miner joined, valid from the next day on. */
export function accountSizesText(miners: readonly Miner[]): string {
  const entries = miners.map(({ hotkey, joinedMs, accountSize = 0 }) => [
    hotkey,
    [
      {
        account_size: accountSize,
        account_size_theta: accountSize / DOLLARS_PER_THETA,
        update_time_ms: joinedMs,
        valid_date_timestamp: (Math.floor(joinedMs / DAY_MS) + 1) * DAY_MS,
      },
    ],
  ]);
  return write(Object.fromEntries(entries));
}
