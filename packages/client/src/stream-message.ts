import type {
  AuthenticationSuccess,
  PongMessage,
  StreamError,
  StreamOrder,
  StreamRefusal,
  SubscribeStatus,
} from '@ptn-api/protocol';

/** A message of the server, as far as a client has to know what it is. */
export type ServerMessage =
  | { readonly kind: 'authenticated'; readonly message: AuthenticationSuccess }
  | { readonly kind: 'refused'; readonly message: StreamRefusal }
  | { readonly kind: 'status'; readonly message: SubscribeStatus }
  | { readonly kind: 'pong'; readonly message: PongMessage }
  /** `broken`: how many further ones could not be read. */
  | { readonly kind: 'orders'; readonly orders: readonly StreamOrder[]; readonly broken: number }
  | { readonly kind: 'gap'; readonly from: number; readonly to: number }
  | { readonly kind: 'shutdown' }
  | { readonly kind: 'error'; readonly message: StreamError }
  /** Of a later server, and not needed. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'garbage'; readonly why: string };

type Members = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSequence(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** What the client relies on: number, time, the order that is new, and by what a filter judges it. */
export function isStreamOrder(value: unknown): value is StreamOrder {
  if (!isObject(value) || !isSequence(value['sequence']) || !Number.isFinite(value['timestamp']))
    return false;
  const data = value['data'];
  const position = isObject(data) ? data['position'] : undefined;
  if (!isObject(position) || typeof position['miner_hotkey'] !== 'string') return false;
  const { orders, trade_pair: tradePair } = position;
  if (!Array.isArray(tradePair) || typeof tradePair[0] !== 'string' || !Array.isArray(orders)) return false;
  const order: unknown = orders.at(-1);
  return isObject(order) && Number.isFinite(order['processed_ms']);
}

export function parseServerMessage(text: string): ServerMessage {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return { kind: 'garbage', why: 'a message that is not JSON' };
    throw error;
  }
  if (!isObject(value)) return { kind: 'garbage', why: 'a message that is not a JSON object' };
  if (value['type'] === undefined) return parseUntyped(value);
  return (
    parseTyped(value) ?? { kind: 'garbage', why: `a broken message of type ${JSON.stringify(value['type'])}` }
  );
}

function parseUntyped(value: Members): ServerMessage {
  if ('sequence' in value) return ordersOf([value]);
  if (value['status'] === 'error' && typeof value['message'] === 'string') {
    return { kind: 'refused', message: value as unknown as StreamRefusal };
  }
  if (value['status'] === 'success' && isSequence(value['current_sequence'])) {
    const { epoch } = value;
    if (epoch === undefined || typeof epoch === 'string') {
      return { kind: 'authenticated', message: value as unknown as AuthenticationSuccess };
    }
  }
  return { kind: 'garbage', why: 'a message without a known form' };
}

function parseTyped(value: Members): ServerMessage | null {
  const { from, to, messages } = value;
  switch (value['type']) {
    case 'batch':
      return Array.isArray(messages) ? ordersOf(messages) : null;
    case 'subscription_status':
      return { kind: 'status', message: value as unknown as SubscribeStatus };
    case 'pong':
      return Number.isFinite(value['server_timestamp'])
        ? { kind: 'pong', message: value as unknown as PongMessage }
        : null;
    case 'gap':
      return isSequence(from) && isSequence(to) ? { kind: 'gap', from, to } : null;
    case 'serverShutdown':
      return { kind: 'shutdown' };
    case 'error':
      return typeof value['message'] === 'string'
        ? { kind: 'error', message: value as unknown as StreamError }
        : null;
    default:
      return { kind: 'unknown' };
  }
}

function ordersOf(messages: readonly unknown[]): ServerMessage {
  const orders = messages.filter(isStreamOrder);
  return { kind: 'orders', orders, broken: messages.length - orders.length };
}
