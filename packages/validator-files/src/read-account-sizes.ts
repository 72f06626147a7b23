import { isObject } from './read-json.ts';

/** The last account size of each miner, US dollars, of what `miner_account_sizes.json` holds; none where it holds none. */
export function readAccountSizes(value: unknown): Map<string, number> {
  const sizes = new Map<string, number>();
  if (!isObject(value)) return sizes;
  for (const [hotkey, records] of Object.entries(value)) {
    const last: unknown = Array.isArray(records) ? records.at(-1) : undefined;
    if (isObject(last) && typeof last['account_size'] === 'number') sizes.set(hotkey, last['account_size']);
  }
  return sizes;
}
