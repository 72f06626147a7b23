import type { AnyTransaction } from './messages.ts';

/**
 * Copies the bytes of received transactions out of the message they came in.
 *
 * Node hands out every array of an IPC message as a view into the buffer of that whole message. A worker keeps values
 * of single keys for hours; without a copy, each would hold on to all the bytes of the other keys it arrived with.
 * Objects that are shared within the transactions stay shared.
 */
export function ownBytes(transactions: readonly AnyTransaction[]): AnyTransaction[] {
  return copy(transactions, new Map()) as AnyTransaction[];
}

function copy(value: unknown, copies: Map<object, unknown>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const known = copies.get(value);
  if (known !== undefined) return known;
  if (value instanceof Uint8Array) {
    // `slice` of a Buffer would be a view again.
    const owned = Uint8Array.prototype.slice.call(value);
    copies.set(value, owned);
    return owned;
  }
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    copies.set(value, items);
    for (const item of value) items.push(copy(item, copies));
    return items;
  }
  const fields: Record<string, unknown> = {};
  copies.set(value, fields);
  for (const [name, field] of Object.entries(value)) fields[name] = copy(field, copies);
  return fields;
}
