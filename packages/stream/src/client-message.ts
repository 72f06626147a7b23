import { errorText } from '@ptn-api/protocol';
import type { Echo, ErrorCode, StreamError } from '@ptn-api/protocol';
import type { Refusal } from './refusal.ts';

/** Where a client wants to go on. */
export interface ResumePoint {
  readonly lastSequence: number;
  readonly epoch?: string;
}

export type Authentication =
  | {
      readonly kind: 'authentication';
      readonly key: string;
      readonly resume?: ResumePoint;
      /**
       * It knows nothing of epochs, as no client of the Python server does: it saves its number seldom, and what it asks
       * for is mostly what it has acted on.
       */
      readonly isLegacy: boolean;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export type ClientMessage =
  | {
      readonly kind: 'subscribe';
      readonly senderTimestamp: Echo;
      /** Neither list: everything. */
      readonly tradePairs?: readonly string[];
      readonly hotkeys?: readonly string[];
    }
  | { readonly kind: 'unsubscribe' }
  | { readonly kind: 'ping'; readonly timestamp: Echo }
  | { readonly kind: 'invalid'; readonly error: StreamError };

type Members = Readonly<Record<string, unknown>>;

const MAX_NAME_CHARACTERS = 128;
/** What clients of the validator's own server ask for besides orders. */
const OF_SUBACCOUNTS = /^(?:un)?subscribe_subaccounts?$/;

export function parseAuthentication(text: string): Authentication {
  const value = parse(text);
  if (value === undefined) return refused('PTN_ERR_WS_AUTH_NOT_JSON');
  if (!isObject(value)) return refused('PTN_ERR_WS_AUTH_NOT_OBJECT');
  const key = member(value, 'api_key');
  if (key === undefined) return refused('PTN_ERR_WS_AUTH_REQUIRED');
  if (typeof key !== 'string') return refused('PTN_ERR_WS_AUTH_INVALID');
  const lastSequence = member(value, 'last_sequence') ?? -1;
  if (typeof lastSequence !== 'number' || !Number.isSafeInteger(lastSequence) || lastSequence < -1) {
    return refused('PTN_ERR_WS_AUTH_BAD_RESUME', {
      field: 'last_sequence',
      expected: 'a whole number, or -1 for live only',
    });
  }
  const epoch = member(value, 'epoch') ?? undefined;
  if (epoch !== undefined && typeof epoch !== 'string') {
    return refused('PTN_ERR_WS_AUTH_BAD_RESUME', {
      field: 'epoch',
      expected: 'the text of an earlier answer',
    });
  }
  const isLegacy = !Object.hasOwn(value, 'epoch');
  if (lastSequence < 0) return { kind: 'authentication', key, isLegacy };
  const resume = { lastSequence, ...(epoch !== undefined && { epoch }) };
  return { kind: 'authentication', key, resume, isLegacy };
}

export function parseClientMessage(text: string): ClientMessage {
  const value = parse(text);
  if (value === undefined) return invalid('PTN_ERR_WS_BAD_JSON');
  if (!isObject(value)) return invalid('PTN_ERR_WS_NOT_OBJECT');
  const type = member(value, 'type');
  if (typeof type === 'string' && OF_SUBACCOUNTS.test(type)) return invalid('PTN_ERR_WS_NO_SUBACCOUNTS');
  switch (type) {
    case 'subscribe':
      return parseSubscribe(value);
    case 'unsubscribe':
      return isTruthy(member(value, 'all')) ? { kind: 'unsubscribe' } : invalid('PTN_ERR_WS_BAD_UNSUBSCRIBE');
    case 'ping':
      return { kind: 'ping', timestamp: echoOf(member(value, 'timestamp')) };
    default:
      return invalid('PTN_ERR_WS_UNKNOWN_TYPE');
  }
}

function parseSubscribe(value: Members): ClientMessage {
  const senderTimestamp = echoOf(member(value, 'sender_timestamp'));
  // As existing clients know it, `all` is everything, whatever else is there.
  if (isTruthy(member(value, 'all'))) return { kind: 'subscribe', senderTimestamp };
  const tradePairs = member(value, 'trade_pairs') ?? undefined;
  const hotkeys = member(value, 'miner_hotkeys') ?? undefined;
  if (tradePairs === undefined && hotkeys === undefined) return invalid('PTN_ERR_WS_BAD_SUBSCRIBE');
  if (tradePairs !== undefined && !isNameList(tradePairs)) {
    return invalid('PTN_ERR_WS_BAD_FILTER', { field: 'trade_pairs' });
  }
  if (hotkeys !== undefined && !isNameList(hotkeys)) {
    return invalid('PTN_ERR_WS_BAD_FILTER', { field: 'miner_hotkeys' });
  }
  return {
    kind: 'subscribe',
    senderTimestamp,
    ...(tradePairs && { tradePairs }),
    ...(hotkeys && { hotkeys }),
  };
}

/** `undefined` where the text is no JSON; JSON itself has no such value. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Own members only: what an object inherits was not sent. */
function member(value: Members, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

/** As the Python server judges it: existing clients may send `"all": "yes"` or 1. */
function isTruthy(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return Boolean(value);
  return Object.keys(value).length > 0;
}

/** Lists and objects are not sent back: to write them down may exhaust the stack. */
function echoOf(value: unknown): Echo {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

function isNameList(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((name) => typeof name === 'string' && name !== '' && name.length <= MAX_NAME_CHARACTERS)
  );
}

function refused(code: ErrorCode, values?: Readonly<Record<string, string>>): Authentication {
  return { kind: 'refused', refusal: { code, ...(values && { values }) } };
}

function invalid(code: ErrorCode, values?: Readonly<Record<string, string>>): ClientMessage {
  return { kind: 'invalid', error: { type: 'error', code, message: errorText(code, values) } };
}
