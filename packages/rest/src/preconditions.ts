import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendError } from '@ptn-api/runtime';

/** What a representation is compared by. */
export interface Validators {
  /** Strong, with its quotes. */
  readonly etag: string;
  /** Unix ms; absent where only the ETag distinguishes versions. */
  readonly modifiedMs?: number | undefined;
}

/** Another version may follow in the same second, and reach another worker this much later. */
const SAME_SECOND_MS = 6000;

const secondOf = (ms: number): number => Math.floor(ms / 1000) * 1000;

/**
 * The Last-Modified header. HTTP has whole seconds only: while another version could still come with the same second, the
 * one before is given, so that If-Modified-Since never takes the later version for the one that the client has.
 */
export function lastModified(modifiedMs: number, nowMs = Date.now()): string {
  const second = secondOf(modifiedMs);
  return new Date(nowMs < second + SAME_SECOND_MS ? second - 1000 : second).toUTCString();
}

/**
 * Answers a request whose preconditions say that there is no body to send: 304 or 412, by RFC 9110, section 13.2.2.
 *
 * @returns `undefined` where the body is to be sent.
 */
export function answerPreconditions(
  { headers }: FastifyRequest,
  reply: FastifyReply,
  { etag, modifiedMs }: Validators,
): FastifyReply | undefined {
  const changedSince = (header: string | undefined): boolean | undefined => {
    const sinceMs = header === undefined ? NaN : Date.parse(header);
    return modifiedMs === undefined || Number.isNaN(sinceMs) ? undefined : secondOf(modifiedMs) > sinceMs;
  };
  const ifMatch = headers['if-match'];
  const isFailed =
    ifMatch === undefined
      ? changedSince(headers['if-unmodified-since']) === true
      : ifMatch.trim() !== '*' && !tagsOf(ifMatch).includes(etag);
  if (isFailed) return sendError(reply, 'PTN_ERR_HTTP_PRECONDITION');

  const ifNoneMatch = headers['if-none-match'];
  const isSame =
    ifNoneMatch === undefined
      ? changedSince(headers['if-modified-since']) === false
      : tagsOf(ifNoneMatch).some((tag) => tag === etag || tag === `W/${etag}`);
  return isSame ? reply.code(304).send() : undefined;
}

/** The ETags of a list. `*` in If-None-Match names none: existing clients send it always, and expect the body. */
function tagsOf(header: string): string[] {
  return header.match(/(?:W\/)?"[^"]*"/g) ?? [];
}
