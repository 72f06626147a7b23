import { elementsOf, membersOf } from './compare-texts.ts';
import { streamedState } from './compare-states.ts';
import type { WireEvent } from './transcript.ts';

/** The orders of a batch, or the message. */
export function unitsOf(text: string): readonly string[] {
  const members = membersOf(text);
  if (members.get('type') !== '"batch"') return [text];
  return [...elementsOf(members.get('messages') ?? '[]').values()];
}

export function isOrder(text: string): boolean {
  return membersOf(text).has('sequence');
}

/** @throws Error where it is no number that orders have. */
export function sequenceOf(order: string): number {
  const { sequence } = JSON.parse(order) as { readonly sequence: unknown };
  if (!Number.isSafeInteger(sequence) || (sequence as number) < 1)
    throw new Error(`an order with the number ${JSON.stringify(sequence)}`);
  return sequence as number;
}

/** A position in an order's message. */
interface RecordedPosition {
  readonly uuid: unknown;
  readonly orderCount: number;
  readonly text: string;
}

/** @throws Error where it has no orders. */
function positionIn(data: string): RecordedPosition | undefined {
  const text = data.startsWith('{') ? membersOf(data).get('position') : undefined;
  if (text === undefined) return undefined;
  const { position_uuid: uuid, orders } = (JSON.parse(text) ?? {}) as Readonly<Record<string, unknown>>;
  if (!Array.isArray(orders)) throw new Error('an order with a position without orders');
  return { uuid, orderCount: orders.length, text };
}

/** The content of orders' messages as the feed makes it: from what the validator's file of a position holds at last. */
export class TranscriptOrders {
  readonly #latest = new Map<unknown, RecordedPosition>();

  constructor(events: readonly WireEvent[]) {
    const messages = events.flatMap(({ dir, text }) =>
      dir === 's' && text !== undefined ? unitsOf(text) : [],
    );
    for (const message of messages) {
      const position = positionIn(membersOf(message).get('data') ?? 'null');
      if (position === undefined) continue;
      const known = this.#latest.get(position.uuid);
      if (known === undefined || known.orderCount < position.orderCount)
        this.#latest.set(position.uuid, position);
    }
  }

  /** @param data What the message held under `data`. */
  contentOf(data: string): string {
    const position = positionIn(data);
    if (position === undefined) return data;
    const record = this.#latest.get(position.uuid) ?? position;
    const others = [...membersOf(data)].filter(([name]) => name !== 'position');
    const members = [['position', streamedState(record.text, position.orderCount)], ...others];
    return `{${members.map(([name, value]) => `${JSON.stringify(name)}: ${value ?? 'null'}`).join(', ')}}`;
  }
}
