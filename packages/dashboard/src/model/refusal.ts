/** What the page shows for an error of the client, and the codes by which it recognises a refused key. */
export interface Refused {
  /** Of a REST answer. */
  readonly status?: number | null;
  /** Of a WebSocket. */
  readonly closeCode?: number | null;
  readonly code?: string | null;
  /** Of a stream: connecting again is of no use. */
  readonly isTerminal?: boolean;
}

export type RefusalKind = 'unknown-key' | 'low-tier' | 'too-many-connections';

const KINDS: readonly (readonly [RefusalKind, readonly unknown[]])[] = [
  ['unknown-key', [401]],
  ['low-tier', [403, 4502, 'INSUFFICIENT_TIER', 'PTN_ERR_WS_TIER_ACCESS']],
  ['too-many-connections', [4504, 'MAX_CONNECTIONS_EXCEEDED', 'PTN_ERR_WS_MAX_CONNECTIONS']],
];

/** Why the server refuses a key; `null` where it is about something else. The code counts before the number. */
export function refusalKind({ status, closeCode, code, isTerminal = false }: Refused): RefusalKind | null {
  for (const sign of [code, closeCode, status]) {
    const found = KINDS.find(([, signs]) => signs.includes(sign));
    if (found !== undefined) return found[0];
  }
  // What else ends a stream for good is about the key itself; servers name no code for some of it.
  return isTerminal ? 'unknown-key' : null;
}

/** The same as a sentence for the reader; `wasGood`: the page has worked with that key before. */
export function refusalText(kind: RefusalKind, wasGood: boolean): string {
  switch (kind) {
    case 'unknown-key':
      return wasGood
        ? 'This key is no longer valid: it was removed, replaced or has expired. Ask the operator for a new one.'
        : 'This server does not know that key. Check that all of it was pasted.';
    case 'low-tier':
      return wasGood
        ? 'The tier of this key was lowered. The page needs a key of tier 100.'
        : 'This key is of a lower tier. The page needs a key of tier 100.';
    case 'too-many-connections':
      return 'Too many connections use this key, so the server ended this one, which was the oldest. Close other tabs or programs that use it, or ask the operator for a key of your own.';
  }
}
