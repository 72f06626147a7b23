import type { OrderLogReader, OrderLogState } from '@ptn-api/order-log';
import { buildFrame } from './frame.ts';
import type { CursorPosition, Frame } from './frame.ts';
import { MessageCache, READ_BYTES, READ_COUNT } from './message-cache.ts';
import { NO_FILTER } from './order-filter.ts';
import type { OrderFilter } from './order-filter.ts';
import { OrderIndex } from './order-index.ts';

/** What comes next for a cursor: a frame, a range that is lost, or nothing yet. */
export type NextPart =
  | { readonly kind: 'frame'; readonly frame: Frame }
  | { readonly kind: 'gap'; readonly from: number; readonly to: number }
  | undefined;

/** Frames that are kept for the next connections with the same cursor: most stand at the end of the stream. */
const KEPT_FRAMES = 16;

/** One order log as all connections of this process read it. */
export class OrderLogCursor {
  readonly #reader: OrderLogReader;
  readonly #cache: MessageCache;
  readonly #index: OrderIndex;
  readonly #frames = new Map<string, Frame>();
  #state: OrderLogState;
  #isReplaced = false;

  constructor(reader: OrderLogReader) {
    this.#reader = reader;
    this.#cache = new MessageCache(reader);
    this.#index = new OrderIndex(reader);
    this.#state = reader.state();
  }

  /** As of the last `refresh`. */
  get state(): OrderLogState {
    return this.#state;
  }

  /** True once the reader was found to read another log than this stream began with, which it then has left. */
  get isReplaced(): boolean {
    return this.#isReplaced;
  }

  refresh(): OrderLogState {
    const state = this.#reader.state();
    if (state.epoch === this.#state.epoch) this.#state = state;
    else this.#isReplaced = true;
    return this.#state;
  }

  /** @param maxCount orders in one frame. */
  next(cursor: CursorPosition, filter: OrderFilter, maxCount = Infinity): NextPart {
    const { last, oldest } = this.#state;
    if (this.#isReplaced || cursor.after >= last) return undefined;
    if (filter !== NO_FILTER && last - cursor.after > READ_COUNT)
      return this.#search(cursor, filter, maxCount);
    // With the limit of what was read: more may have been appended since the same frame was built for another.
    const key = `${cursor.after} ${last} ${maxCount} ${filter === NO_FILTER ? '' : `${cursor.previous} ${filter.key}`}`;
    const kept = this.#frames.get(key);
    if (kept !== undefined) return { kind: 'frame', frame: kept };
    const messages = this.#cache.read(cursor.after, last);
    // The log may have been pruned since its state was read.
    const first = messages[0]?.sequence ?? oldest;
    if (first > cursor.after + 1) return { kind: 'gap', from: cursor.after + 1, to: first - 1 };
    if (messages.length === 0) return undefined;
    const frame = buildFrame(messages, cursor, filter, maxCount);
    this.#keep(key, frame);
    return { kind: 'frame', frame };
  }

  /** The number before the first order that became available at `sinceMs` (Unix ms) or later; `last` if none did. */
  before(sinceMs: number): number {
    return this.#reader.before(sinceMs);
  }

  /** Of who wants some of many orders: those alone are read. */
  #search(cursor: CursorPosition, filter: OrderFilter, maxCount: number): NextPart {
    const { after } = cursor;
    const range = { after, last: this.#state.last };
    const { sequences, upTo } = this.#index.search(range, filter, Math.min(READ_COUNT, maxCount));
    const messages = this.#reader.readEach(sequences, READ_BYTES);
    // As of now: the log may have been pruned since its state was read, and since it was searched.
    const { oldest } = this.#reader.state();
    this.#index.forgetBelow(oldest);
    if (oldest > after + 1) return { kind: 'gap', from: after + 1, to: oldest - 1 };
    // Another log stands in its place, which the next `refresh` sees.
    if (upTo === after) return undefined;
    const frame = buildFrame(messages, cursor, filter);
    const isWhole = frame.count === sequences.length;
    return { kind: 'frame', frame: isWhole ? { ...frame, after: upTo } : frame };
  }

  #keep(key: string, frame: Frame): void {
    this.#frames.set(key, frame);
    const [oldest] = this.#frames.keys();
    if (this.#frames.size > KEPT_FRAMES && oldest !== undefined) this.#frames.delete(oldest);
  }
}
