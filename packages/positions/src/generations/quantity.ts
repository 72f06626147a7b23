import type { PositionGeneration } from './generation.ts';

const POSITION_MEMBERS = ['net_quantity', 'net_value'];

/** Since December 2025: counts in quantities, and is accounted by rules of its own. */
export const quantityGeneration: PositionGeneration = {
  name: 'quantity',
  recognises: (record, orders) =>
    POSITION_MEMBERS.some((member) => Object.hasOwn(record, member)) ||
    orders.some((order) => Object.hasOwn(order, 'quantity')),
  delayed: 'left-out',
};
