import { PAIRS } from '@ptn-api/rules';
import type { RulesPair } from '@ptn-api/rules';

/** The pair of that id. @throws Error where there is none. */
export function pairOf(id: string): RulesPair {
  const pair = PAIRS.get(id);
  if (pair === undefined) throw new Error(`there is no trade pair ${id}`);
  return pair;
}
