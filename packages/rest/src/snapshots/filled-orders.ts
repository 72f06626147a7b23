import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  deflateSegment,
  inflateSegment,
  lastMembers,
  skipValue,
  sliceArray,
  sliceObject,
} from '@ptn-api/positions';
import type { Segment } from '@ptn-api/positions';
import type { MinerState } from './miner-state.ts';

/** A list of orders as JSON text. */
export interface OrderList {
  readonly count: number;
  readonly segments: readonly Segment[];
}

/** Other requests wait no longer than this for one that asks for the orders of a miner with thousands of positions. */
const MAX_TURN_MS = 5;
const CHUNK_CHARACTERS = 128 * 1024;
const LEVEL = 3;
/** What every miner's value begins with. */
const OPENING = '{"positions": [';

/** Lives as long as the state of the miner: a change of the miner makes a new one. */
const kept = new WeakMap<MinerState, Promise<OrderList>>();

/**
 * All orders of all positions of a miner as they are in the records, in real time, by the time at which they were filled.
 * Worked out once for each state of the miner.
 */
export function filledOrders(miner: MinerState): Promise<OrderList> {
  let orders = kept.get(miner);
  if (orders === undefined) {
    orders = collect(miner.segments[100]);
    kept.set(miner, orders);
    // The next request tries again.
    orders.catch(() => kept.delete(miner));
  }
  return orders;
}

async function collect(segments: readonly Segment[]): Promise<OrderList> {
  const turns = new Turns();
  const texts: string[] = [];
  for (const segment of segments) {
    texts.push(inflateSegment(segment).toString('utf8'));
    await turns.next();
  }
  const orders: { text: string; processedMs: number }[] = [];
  for (const position of positionTexts(texts.join(''))) {
    orders.push(...ordersOf(position));
    await turns.next();
  }
  orders.sort((a, b) => a.processedMs - b.processedMs);
  const joined: Segment[] = [];
  let chunk = '[';
  for (const [index, { text }] of orders.entries()) {
    chunk += index === 0 ? text : `, ${text}`;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    joined.push(deflateSegment(chunk, LEVEL));
    chunk = '';
    await turns.next();
  }
  joined.push(deflateSegment(`${chunk}]`, LEVEL));
  return { count: orders.length, segments: joined };
}

/** @throws Error where the value of a miner is none. */
function* positionTexts(value: string): Generator<string> {
  if (!value.startsWith(OPENING)) throw new Error('the value of a miner does not begin with its positions');
  let at = OPENING.length;
  while (value[at] === '{') {
    const end = skipValue(value, at);
    yield value.slice(at, end);
    at = value.startsWith(', ', end) ? end + 2 : end;
  }
}

function ordersOf(position: string): { text: string; processedMs: number }[] {
  const list = lastMembers(sliceObject(position)).get('orders');
  if (list === undefined) return [];
  return sliceArray(position, list.valueStart).map(({ start, end }) => {
    const text = position.slice(start, end);
    const time = lastMembers(sliceObject(text)).get('processed_ms');
    return { text, processedMs: time === undefined ? 0 : Number(text.slice(time.valueStart, time.valueEnd)) };
  });
}

/** Lets others have their turn whenever this has taken long enough. */
class Turns {
  #startedMs = performance.now();

  async next(): Promise<void> {
    if (performance.now() - this.#startedMs < MAX_TURN_MS) return;
    await nextTurn();
    this.#startedMs = performance.now();
  }
}
