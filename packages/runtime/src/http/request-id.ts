import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const SANE = /^[A-Za-z0-9._-]{1,64}$/;

/** Of every answer. Never the client's own: that it is taken or not would disclose something. */
export function createRequestId(): string {
  return randomUUID();
}

/** The client's own id, for the log; `undefined` where it sent none, or one that does not belong into a log. */
export function clientRequestId(
  { headers }: Pick<IncomingMessage, 'headers'>,
  isKey: (text: string) => boolean,
): string | undefined {
  const given = headers['x-request-id'];
  return typeof given === 'string' && SANE.test(given) && !isKey(given) ? given : undefined;
}
