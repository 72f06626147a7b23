import type { Position } from './position.ts';

/** A value of a client that is sent back to it as it came. */
export type Echo = string | number | boolean | null;

// --- client to server -----------------------------------------------------------------------------------------------

/** The first message of a connection, within 10 s. */
export interface StreamAuthentication {
  api_key: string;
  /** The last order the client has. Every order after it is sent first at `subscribe`; -1 or absent: live only. */
  last_sequence?: number;
  /** The order log that `last_sequence` belongs to. Of another log the number says nothing: then live only. */
  epoch?: string;
}

/** `all`, or at least one of the two filters; where both are given, an order must match both. */
export interface SubscribeMessage {
  type: 'subscribe';
  all?: boolean;
  trade_pairs?: readonly string[];
  miner_hotkeys?: readonly string[];
  /** Unix ms. */
  sender_timestamp?: number;
}

/** Ends the subscription, filtered or not. */
export interface UnsubscribeMessage {
  type: 'unsubscribe';
  all: true;
}

export interface PingMessage {
  type: 'ping';
  /** Unix ms. */
  timestamp?: number;
}

// --- server to client -----------------------------------------------------------------------------------------------

export interface AuthenticationSuccess {
  status: 'success';
  message: string;
  /** The newest order of the stream, 0 before the first. */
  current_sequence: number;
  tier: number;
  /** Identity of the order log; absent while there is none. */
  epoch?: string;
  /** The oldest order that can be replayed; absent while there is no order log. */
  oldest_sequence?: number;
}

/** Why the server closes the connection; the close code follows from the table of errors. */
export interface StreamRefusal {
  status: 'error';
  message: string;
  code?: string;
}

export interface SubscribeStatus {
  type: 'subscription_status';
  status: 'success';
  /** False where a filter is in force, which then follows. */
  all: boolean;
  action: 'subscribe';
  sender_timestamp: Echo;
  /** Unix ms. */
  received_timestamp: number;
  trade_pairs?: readonly string[];
  miner_hotkeys?: readonly string[];
  /** Present where `last_sequence` could not be used, which makes this subscription live only. */
  resumed?: false;
  /** Orders that are in the log and not replayed, as the client sent no `epoch` and they are not of the last minutes. */
  skipped?: { from: number; to: number };
}

export interface UnsubscribeStatus {
  type: 'subscription_status';
  status: 'success';
  all: true;
  action: 'unsubscribe';
}

export interface PongMessage {
  type: 'pong';
  client_timestamp: Echo;
  /** Unix ms, as is `timestamp`. */
  server_timestamp: number;
  timestamp: number;
}

/** One order: the last of `position.orders`, with the position as it stood after it. */
export interface StreamOrder {
  /** Rises by exactly 1 per order of the full stream. */
  sequence: number;
  /**
   * To filtered clients alone: the order before it in their own stream; for the first, where that stream began. A
   * jump of `sequence` is a loss only where this is not the last one that was received.
   */
  previous_sequence?: number;
  /** Unix ms at which the order became available to the server. */
  timestamp: number;
  data: { position: Position; miner_repo_version?: string };
}

export interface OrderBatch {
  type: 'batch';
  messages: readonly StreamOrder[];
  count: number;
}

/** The orders `from` to `to` are no longer there; what follows goes on after `to`. */
export interface GapMessage {
  type: 'gap';
  from: number;
  to: number;
}

/** The server stops; the connection is closed with 1001 next. */
export interface ServerShutdownMessage {
  type: 'serverShutdown';
}

/** A message of the client that was not understood; the connection stays. */
export interface StreamError {
  type: 'error';
  code: string;
  message: string;
}

export type StreamServerMessage =
  | AuthenticationSuccess
  | StreamRefusal
  | SubscribeStatus
  | UnsubscribeStatus
  | PongMessage
  | StreamOrder
  | OrderBatch
  | GapMessage
  | ServerShutdownMessage
  | StreamError;

/** True for the close codes of this server after which connecting again is of no use: 4500 to 4999. */
export function isTerminalCloseCode(code: number): boolean {
  return code >= 4500 && code <= 4999;
}
