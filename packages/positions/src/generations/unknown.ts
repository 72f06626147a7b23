import { generation2026 } from './2026.ts';
import type { JsonRecord, PositionGeneration } from './generation.ts';
import { quantityGeneration } from './quantity.ts';

/** The generations that validators still add to. */
const CURRENT = [generation2026, quantityGeneration];

function holdsOther(record: JsonRecord, known: ReadonlySet<string>): boolean {
  for (const member in record) if (!known.has(member)) return true;
  return false;
}

/**
 * Newer than all that are known: a record that counts in quantities and holds what none of them does. Nobody can say by
 * which rules it was accounted.
 */
export const unknownGeneration: PositionGeneration = {
  name: 'unknown',
  recognises: (record, orders) => {
    const closest = CURRENT.find(({ recognises }) => recognises(record, orders));
    if (closest?.delayed !== 'cut') return false;
    const { positionMembers, orderMembers } = closest.rules;
    return holdsOther(record, positionMembers) || orders.some((order) => holdsOther(order, orderMembers));
  },
  delayed: 'left-out',
  delayedByYoungest: true,
};
