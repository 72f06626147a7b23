import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const SANE = /^[A-Za-z0-9._-]{1,64}$/;

export function createRequestId(): string {
  return randomUUID();
}

/** The client's own id where it is harmless in logs and headers, else a new one: one that is a key is not. */
export function requestIdOf(request: IncomingMessage, isKey: (text: string) => boolean): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && SANE.test(given) && !isKey(given) ? given : createRequestId();
}
