import { formatFloat } from '../json/format-float.ts';

/** A number of a record; null stands for the NaN that Python wrote, and counts as it there. */
export function numberOf(value: unknown): number | undefined {
  if (value === null) return NaN;
  return typeof value === 'number' ? value : undefined;
}

/** Times are ints in Python where they are whole. */
export function formatMs(timeMs: number): string {
  return Number.isInteger(timeMs) ? String(timeMs) : formatFloat(timeMs);
}

/** The numbers of a record by their names, or the name of the first that is none. */
export function readNumbers<Name extends string>(
  values: Readonly<Record<Name, unknown>>,
): Record<Name, number> | Name {
  const numbers: Partial<Record<Name, number>> = {};
  for (const name of Object.keys(values) as Name[]) {
    const number = numberOf(values[name]);
    if (number === undefined) return name;
    numbers[name] = number;
  }
  return numbers as Record<Name, number>;
}

/** The kept ones of orders that were read, of which text names the member that cannot be used; or why they are none. */
export function keptOrders<Order extends object>(
  read: readonly (Order | string)[],
  kept: readonly number[],
):
  | { readonly ok: true; readonly orders: readonly Order[] }
  | { readonly ok: false; readonly reason: string } {
  const orders: Order[] = [];
  for (const index of kept) {
    const order = read[index] ?? 'order_type';
    if (typeof order === 'string') return { ok: false, reason: `order ${index} has no usable ${order}` };
    orders.push(order);
  }
  return { ok: true, orders };
}
