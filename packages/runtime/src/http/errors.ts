import { ERRORS, errorText } from '@ptn-api/protocol';
import type { ErrorBody, ErrorCode, ErrorDefinition } from '@ptn-api/protocol';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { createRequestId } from './request-id.ts';

const RETRY_AFTER_SECONDS = 2;

/** What an error answer carries besides its body. */
const HEADERS: Partial<Record<ErrorCode, readonly [name: string, value: string]>> = {
  PTN_ERR_AUTH_UNAUTHORIZED: ['WWW-Authenticate', 'Bearer'],
  PTN_ERR_HTTP_METHOD: ['Allow', 'GET, HEAD'],
  PTN_ERR_HTTP_OVERLOADED: ['Retry-After', String(RETRY_AFTER_SECONDS)],
  PTN_ERR_DOWNLOADS_OF_KEY: ['Retry-After', String(RETRY_AFTER_SECONDS)],
  PTN_ERR_HTTP_LOADING: ['Retry-After', String(RETRY_AFTER_SECONDS)],
  PTN_ERR_ORDERS_UNAVAILABLE: ['Retry-After', String(RETRY_AFTER_SECONDS)],
};

/** What every answer carries. */
export function commonHeaders(requestId: string): Record<string, string> {
  return { 'X-Request-Id': requestId, 'X-Content-Type-Options': 'nosniff' };
}

function errorBody(text: string): string {
  return JSON.stringify({ error: text } satisfies ErrorBody);
}

/** Answers with an error of the table. `text` replaces the table's, for clients that know another one. */
export function sendError(
  reply: FastifyReply,
  code: ErrorCode,
  values: Readonly<Record<string, string | number>> = {},
  text = errorText(code, values),
): FastifyReply {
  const { httpStatus = 500 }: ErrorDefinition = ERRORS[code];
  const extra = HEADERS[code];
  // What a route says of itself stays.
  if (extra !== undefined && !reply.hasHeader(extra[0])) reply.header(extra[0], extra[1]);
  return (
    reply
      .code(httpStatus)
      .headers({ 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
      // As bytes: to text Fastify would add a charset, which JSON has none of.
      .send(Buffer.from(errorBody(text)))
  );
}

/** The second where the answer is a stream. */
const CODES_OF_A_CLIENT_GONE = ['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'];

/** Everything Fastify refuses or a route throws. What is not the client's doing is logged, and answered without detail. */
export function answerFault(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return sendError(reply, 'PTN_ERR_HTTP_BODY_TOO_LARGE');
  // Node notifies the request of it unless it was one of several on its connection.
  const isConnectionGone = request.raw.destroyed || request.raw.socket.destroyed;
  const isClientGone = isConnectionGone && CODES_OF_A_CLIENT_GONE.includes(error.code);
  const isRefused = error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500;
  if (isClientGone || isRefused) return sendError(reply, 'PTN_ERR_HTTP_BAD_REQUEST');
  request.log.error(
    {
      event: 'request-fault',
      code: 'PTN_ERR_HTTP_INTERNAL',
      err: error,
      method: request.method,
      route: request.routeOptions.url,
    },
    'a request could not be answered',
  );
  return sendError(reply, 'PTN_ERR_HTTP_INTERNAL');
}

/** What Node calls the requests that it refuses itself. */
const CLIENT_ERRORS: Readonly<Record<string, ErrorCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'PTN_ERR_HTTP_TIMEOUT',
  HPE_HEADER_OVERFLOW: 'PTN_ERR_HTTP_HEADERS_TOO_LARGE',
};

/**
 * Bytes that are no HTTP request, or one that takes too long: answered in JSON too, and the connection is closed.
 *
 * @param headers Of the answer, besides those that every such answer has.
 */
export function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Duplex,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const code = CLIENT_ERRORS[error.code ?? ''] ?? 'PTN_ERR_HTTP_BAD_REQUEST';
  const { httpStatus: status = 400 }: ErrorDefinition = ERRORS[code];
  const body = errorBody(errorText(code));
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...Object.entries({ ...commonHeaders(createRequestId()), ...headers }).map(
        ([name, value]) => `${name}: ${value}`,
      ),
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
    () => {
      socket.destroy();
    },
  );
}
