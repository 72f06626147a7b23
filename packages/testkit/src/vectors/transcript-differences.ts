/** What the order stream says and does other than the Python servers on purpose; decision 0009 has more of it. */
import type { Json } from '../stream/stream-client.ts';

/** A message of our own, where the Python server was silent. */
export interface OwnMessage {
  readonly reason: string;
  /** @param wanted What the Python server said next; absent where it said no more. */
  readonly is: (message: Json, wanted: Json | undefined) => boolean;
}

export const OWN_MESSAGES: readonly OwnMessage[] = [
  {
    reason: 'a message that is not understood is answered with an error, not with silence',
    is: ({ type }) => type === 'error',
  },
  {
    reason: 'who is refused is told why, not closed without a word',
    is: ({ status, code }, wanted) =>
      wanted === undefined && status === 'error' && /^PTN_/.test(String(code)),
  },
  {
    reason: 'a subscription that is not to all orders has a filter',
    is: ({ type, all }) => type === 'subscription_status' && all === false,
  },
  {
    reason: 'who wants to go on where the log no longer reaches is notified of the gap',
    is: ({ type }) => type === 'gap',
  },
  {
    reason: 'to unsubscribe twice is answered twice',
    is: ({ type, action }, wanted) =>
      type === 'subscription_status' && action === 'unsubscribe' && wanted?.['action'] !== 'unsubscribe',
  },
];

/** A member that no message of the Python server has. */
export interface OwnMember {
  readonly name: string;
  readonly reason: string;
  /** What its JSON text looks like. */
  readonly value: RegExp;
}

const MAY_RESUME = 'who logs in learns whether it may go on';

export const OWN_MEMBERS: readonly OwnMember[] = [
  { name: 'epoch', reason: MAY_RESUME, value: /^"/ },
  { name: 'oldest_sequence', reason: MAY_RESUME, value: /^\d+$/ },
  { name: 'resumed', reason: 'who cannot go on where it wanted to is told so', value: /^false$/ },
  { name: 'code', reason: 'every refusal has a code', value: /^"PTN_/ },
];

export const OWN_CLOSE_CODE = 'a refusal has a code of its own, 4000 and above, in place of 1000';

/** Scenarios that are no contract. */
export const NOT_REPLAYED: readonly { readonly scenario: RegExp; readonly reason: string }[] = [
  {
    scenario: /^auth: tier "\d+" as string/,
    reason: 'a tier that stands as text in the key file counts, with a warning; the Python server failed',
  },
  {
    scenario: /^auth: Authorization header only/,
    reason: 'a key in the handshake logs in as of 2026, and the record does not hold the header',
  },
  {
    scenario: /^session: 1 MiB/,
    reason: 'a message of a client has at most 64 KiB',
  },
  {
    scenario: /^restart: SIGKILL/,
    reason: 'no number is used again and no order is lost; the Python server did both',
  },
];
