import type { Order, Position, StreamOrder } from '@ptn-api/protocol';
import type { PtnRestClient } from './rest-client.ts';
import type { StreamClock } from './stream-clock.ts';
import { isCursor } from './stream-cursor.ts';
import type { Cursor, CursorStore } from './stream-cursor.ts';

/** Which orders to receive; where both lists are given, an order must match both. */
export interface StreamFilter {
  /** Ids such as `BTCUSD`. */
  readonly tradePairs?: readonly string[];
  readonly minerHotkeys?: readonly string[];
}

/** A new order. Times are unix ms. */
export interface ReceivedOrder {
  readonly sequence: number;
  /** As the server sent it. */
  readonly message: StreamOrder;
  /** The new order: the last of `position.orders`. */
  readonly order: Order;
  /** As it stood after the order. */
  readonly position: Position;
  /** By this computer's clock. */
  readonly receivedAtMs: number;
  /** Since the order became available to the server, by the server's clock as far as it is known. */
  readonly lagFromQueueMs: number;
  /** Since the order was placed, likewise. */
  readonly lagFromOrderMs: number;
}

/** Orders that will not come; take a snapshot to know what they did. The stream goes on after `to`. */
export interface StreamGap {
  readonly from: number;
  /** Below `from` where a new log has no orders yet. */
  readonly to: number;
  /**
   * `expired`: the server keeps them no longer; `missing`: the server left them out and they could not be read over
   * REST; `new-log`: the server has another order log, whose numbers these are.
   */
  readonly reason: 'expired' | 'missing' | 'new-log';
}

/** `waiting`: the connection was lost or refused for now, and another try comes. `stopped` and `failed` are final. */
export type StreamState = 'idle' | 'connecting' | 'subscribed' | 'waiting' | 'stopped' | 'failed';

export interface StreamClientOptions {
  /** Of tier 100. */
  readonly apiKey: string;
  /** `ws://127.0.0.1:8765` */
  readonly url: string;
  /** `http://127.0.0.1:48888`, to read orders from that the stream left out. */
  readonly restUrl?: string;
  /** Everything by default. */
  readonly filter?: StreamFilter;
  /** Where to begin if the cursor store holds nothing. `live` by default: with the next order that is placed. */
  readonly start?: 'live' | Cursor;
  /** By default the place is kept for as long as the client runs. */
  readonly cursorStore?: CursorStore;
  /**
   * Is given every order once, in order, as many as wait. The next call comes after this one has resolved; so does the
   * saving of the cursor. What it throws ends the client, with the cursor before these orders.
   */
  readonly onOrders: (orders: readonly ReceivedOrder[]) => void | Promise<void>;
  /** Between two calls of `onOrders`. What it throws ends the client. Without it, a gap goes to `onError`. */
  readonly onGap?: (gap: StreamGap) => void | Promise<void>;
  readonly onState?: (state: StreamState) => void;
  /** What went wrong, whether the client overcomes it or ends by it. */
  readonly onError?: (error: Error) => void;
  /** Beyond it, reading stops until `onOrders` has caught up; in characters of JSON. 8 Mi by default. */
  readonly maxWaitingSize?: number;
  /** For tests. */
  readonly clock?: StreamClock;
  /** For tests: numbers from 0 up to 1. */
  readonly random?: () => number;
  /** For tests: in place of a REST client made from `restUrl`. */
  readonly rest?: Pick<PtnRestClient, 'orders'>;
}

const MAX_NAME_LENGTH = 128;

/** @throws TypeError or RangeError naming the option that cannot be used and what it should be. */
export function checkStreamOptions(options: StreamClientOptions): void {
  const {
    apiKey,
    url,
    filter = {},
    start = 'live',
    maxWaitingSize,
    cursorStore,
  }: Partial<StreamClientOptions> = options;
  if (typeof apiKey !== 'string' || apiKey === '') throw new TypeError('apiKey must be a text and not empty');
  checkUrl(url);
  checkNames('filter.tradePairs', filter.tradePairs);
  checkNames('filter.minerHotkeys', filter.minerHotkeys);
  if (start !== 'live' && !isCursor(start)) {
    throw new TypeError(
      'start must be "live" or {sequence, epoch}: a whole number of at least 0, and a text or null',
    );
  }
  if (cursorStore !== undefined) {
    const { load, save } = cursorStore as { readonly load?: unknown; readonly save?: unknown };
    checkFunction('cursorStore.load', load);
    checkFunction('cursorStore.save', save);
  }
  checkFunction('onOrders', options.onOrders);
  for (const name of ['onGap', 'onState', 'onError'] as const) {
    if (options[name] !== undefined) checkFunction(name, options[name]);
  }
  if (maxWaitingSize !== undefined && !(maxWaitingSize > 0)) {
    throw new RangeError('maxWaitingSize must be a number above 0');
  }
}

function checkUrl(url: unknown): void {
  let parsed: URL;
  try {
    parsed = new URL(String(url));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Without its cause, which repeats the whole input.
    // oxlint-disable-next-line preserve-caught-error
    throw new TypeError('url must be like ws://127.0.0.1:8765');
  }
  if (parsed.protocol !== 'ws:' && parsed.protocol !== 'wss:') {
    throw new TypeError(`url must begin with ws:// or wss://, not ${parsed.protocol}`);
  }
  if (parsed.search !== '' || parsed.hash !== '' || parsed.username !== '' || parsed.password !== '') {
    throw new TypeError('url must hold no user name, query or fragment: the key is given as apiKey');
  }
}

/** As the server checks them, which answers too late to be distinguished from other faults. */
function checkNames(option: string, names: unknown): void {
  if (names === undefined) return;
  const isName = (name: unknown): boolean =>
    typeof name === 'string' && name.length > 0 && name.length <= MAX_NAME_LENGTH;
  if (!Array.isArray(names) || names.length === 0 || !names.every(isName)) {
    throw new TypeError(
      `${option} must be a list of at least one text of 1 to ${MAX_NAME_LENGTH} characters`,
    );
  }
}

function checkFunction(option: string, value: unknown): void {
  if (typeof value !== 'function') throw new TypeError(`${option} must be a function`);
}
