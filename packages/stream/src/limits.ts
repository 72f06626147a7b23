export interface StreamLimits {
  readonly authenticationMs: number;
  /** How often a quiet connection is asked for a sign of life. */
  readonly pingMs: number;
  readonly pongMs: number;
  /** A connection that takes nothing of what waits for it is closed after this time. */
  readonly stallMs: number;
  /** A connection that neither takes what was sent before its closing nor answers the closing is cut after this time. */
  readonly closingMs: number;
  /** How often times are checked. */
  readonly checkMs: number;
  /** From this much unsent on, a connection gets nothing more, and is not listened to. */
  readonly maxUnsentBytes: number;
  /** After this much a ping is sent along, whose pong says that all before it was read. */
  readonly markBytes: number;
  /**
   * From this much on that was sent and is not known to be read, a connection gets nothing more: the first at the
   * beginning and for those who take seconds for it, the second for those who read at once.
   */
  readonly minUnreadBytes: number;
  readonly maxUnreadBytes: number;
  readonly maxMessageBytes: number;
  readonly maxFirstMessageBytes: number;
  /** Of one key, over all its connections of this process; what comes faster waits. */
  readonly messagesPerSecond: number;
  /** As many may come at once. */
  readonly messagesAtOnce: number;
  /** Where the key itself says nothing. */
  readonly connectionsPerKey: number;
  /** Of clients without a cursor of their own: orders that became available before this are not replayed. */
  readonly legacyReplayMs: number;
}

export const STREAM_LIMITS: StreamLimits = {
  authenticationMs: 10_000,
  pingMs: 30_000,
  pongMs: 10_000,
  stallMs: 60_000,
  closingMs: 5000,
  checkMs: 500,
  maxUnsentBytes: 1024 * 1024,
  markBytes: 16 * 1024,
  minUnreadBytes: 32 * 1024,
  maxUnreadBytes: 256 * 1024,
  maxMessageBytes: 64 * 1024,
  maxFirstMessageBytes: 4096,
  messagesPerSecond: 1000,
  messagesAtOnce: 2000,
  connectionsPerKey: 5,
  legacyReplayMs: 15 * 60_000,
};
