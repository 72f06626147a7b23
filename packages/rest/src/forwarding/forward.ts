import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { sendError } from '@ptn-api/runtime';
import { readBounded } from './read-bounded.ts';

/** Where what only the validator's own server can answer is passed on to. */
export interface ForwardTarget {
  /** Scheme, host and port, as the operator gave them. */
  readonly origin: string;
  readonly timeoutMs: number;
}

export type Forward = (request: FastifyRequest, reply: FastifyReply) => FastifyReply | Promise<FastifyReply>;

const CONNECT_TIMEOUT_MS = 5000;
/** Requests under way in one worker; what is beyond them is refused, as it would wait. */
const MAX_UNDER_WAY = 32;
const MAX_ANSWER_BYTES = 16 * 2 ** 20;

/** Headers of one connection, and those that Node's client sets or refuses itself. */
const NOT_PASSED_ON = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** What of an answer is passed on besides its status and body. */
const PASSED_BACK = new Set([
  'content-type',
  'content-encoding',
  'cache-control',
  'etag',
  'last-modified',
  'retry-after',
  'vary',
]);
const TIMEOUTS = ['UND_ERR_BODY_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT'];
const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\b/i;

/** What is answered where the operator named no target. */
export const notForwarded: Forward = (request, reply) =>
  sendError(reply, 'PTN_ERR_FORWARD_OFF', { route: pathOf(request) });

/** The path of the route with its parameters, which it has checked: nothing else of what a client wrote as a path. */
function pathOf({ routeOptions, params }: FastifyRequest): string {
  const values = params as Readonly<Record<string, string>>;
  return (routeOptions.url ?? '/').replace(
    /:(\w+)(?:\([^)]*\))?/g,
    (_whole, name: string) => values[name] ?? '',
  );
}

/**
 * Passes requests on to the validator's own server, with their method, query, body and headers, and its answers back:
 * whole, up to a size, and JSON. The library is loaded only where there is a target.
 */
export function forwardTo(app: FastifyInstance, target: ForwardTarget): Forward {
  app.register(import('@fastify/reply-from'), {
    base: target.origin,
    disableCache: true,
    disableRequestLogging: true,
    destroyAgent: true,
    undici: {
      connections: MAX_UNDER_WAY,
      // By the library's own default any certificate is believed.
      connect: { timeout: CONNECT_TIMEOUT_MS, rejectUnauthorized: true },
    },
  });
  const reporter = new FailureReporter(app.log);
  let underWay = 0;
  return (request, reply) => {
    // Dots that a route of its own allows in a hotkey are parts of no path of the target.
    if (pathOf(request).includes('/.')) return sendError(reply, 'PTN_ERR_HTTP_NOT_FOUND');
    if (underWay >= MAX_UNDER_WAY) return sendError(reply, 'PTN_ERR_HTTP_OVERLOADED');
    underWay += 1;
    reply.raw.once('close', () => {
      underWay -= 1;
    });
    let isRefused = false;
    const refuse = (error: Error): void => {
      isRefused = true;
      const cause = causeOf(error);
      reporter.failed(cause);
      sendFailure(reply, cause, target);
    };
    const type = request.headers['content-type'];
    let answered: IncomingHttpHeaders = {};
    const body = request.method === 'GET' || request.method === 'HEAD' ? null : (request.body ?? null);
    return reply.from(pathOf(request), {
      timeout: target.timeoutMs,
      // What was asked for may have been done: asking again could do it twice.
      retryDelay: () => null,
      body,
      ...(body !== null && { contentType: type ?? 'application/octet-stream' }),
      rewriteRequestHeaders: (_request, headers) =>
        Object.fromEntries(
          Object.entries(headers).filter(
            ([name]) =>
              !NOT_PASSED_ON.has(name) &&
              (name !== 'content-type' || type !== undefined) &&
              (name !== 'content-length' || body !== null),
          ),
        ),
      // They come back once the answer is known to be one.
      rewriteHeaders: (headers) => {
        answered = headers;
        return {};
      },
      onResponse: (_request, _reply, response) => {
        // What is declared is the answer of Node's own client, and it is that of another.
        const { stream } = response as unknown as { stream: Readable };
        // Its status is none that can be passed on.
        if (isRefused) {
          stream.destroy();
          return;
        }
        passBack(request, reply, { stream, headers: answered }, target).then(() => {
          reporter.answered();
        }, refuse);
      },
      onError: (_reply, { error }) => {
        refuse(error);
      },
    });
  };
}

/** Says once that the target fails, and once that it answers again, however many ask. */
class FailureReporter {
  readonly #log: FastifyBaseLogger;
  #isFailing = false;

  constructor(log: FastifyBaseLogger) {
    this.#log = log;
  }

  failed(error: Error): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#log.warn({ event: 'forward-failed', err: error }, 'the target of --forward-to does not answer');
  }

  answered(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#log.info({ event: 'forward-works-again' }, 'the target of --forward-to answers again');
  }
}

/** @throws where the answer ends too early, or takes too long. */
async function passBack(
  request: FastifyRequest,
  reply: FastifyReply,
  { stream, headers }: { readonly stream: Readable; readonly headers: IncomingHttpHeaders },
  { timeoutMs }: ForwardTarget,
): Promise<void> {
  // Who is gone needs no answer, and the target's is not read to its end for nobody.
  reply.raw.once('close', () => stream.destroy());
  const timer = setTimeout(() => {
    stream.destroy(Object.assign(new Error('the answer takes too long'), { code: TIMEOUTS[0] }));
  }, timeoutMs);
  const body = await readBounded(stream, MAX_ANSWER_BYTES).finally(() => {
    clearTimeout(timer);
  });
  const problem = problemOf(reply.statusCode, headers, body);
  if (problem !== undefined) {
    sendError(reply, 'PTN_ERR_FORWARD_BAD_ANSWER', { problem });
    return;
  }
  if (request.grant !== null) request.server.answerLimits.bytes.spend(request.grant.userId, body.length);
  for (const name of PASSED_BACK) {
    // What the answers of this server vary by stays.
    const own = name === 'vary' ? reply.getHeader('vary') : undefined;
    const values = [own, headers[name]].filter((value) => value !== undefined);
    if (values.length > 0) reply.header(name, values.join(', '));
  }
  reply.send(body);
}

/** What is sent in place of an answer; undefined where it is one. */
function problemOf(
  status: number,
  { 'content-type': type = '' }: IncomingHttpHeaders,
  body: Buffer | 'too large',
): string | undefined {
  if (body === 'too large') return `more than ${MAX_ANSWER_BYTES / 2 ** 20} MiB`;
  // Where to, is not passed on: that is the target's own address, or one that nobody named.
  if (status >= 300 && status < 400 && status !== 304) return `a redirect, with status ${status}`;
  if (body.length > 0 && !JSON_TYPE.test(type)) return `something that is not JSON, with status ${status}`;
  return undefined;
}

/** What the library's errors are about. */
function causeOf(error: Error): Error & { code?: string } {
  return error.cause instanceof Error ? error.cause : error;
}

/** How the target fails, and its address, are for the operator: the client learns what that means for it. */
function sendFailure(
  reply: FastifyReply,
  { code = '' }: { code?: string },
  { timeoutMs }: ForwardTarget,
): void {
  if (reply.raw.destroyed) return;
  if (TIMEOUTS.includes(code)) sendError(reply, 'PTN_ERR_FORWARD_TIMEOUT', { seconds: timeoutMs / 1000 });
  else sendError(reply, 'PTN_ERR_FORWARD_UNREACHABLE');
}
