import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import rateLimit from '@fastify/rate-limit';
import { clientAddress, trustFunction } from '@ptn-api/access';
import { answerClientError, answerHalfClosed } from '@ptn-api/runtime';
import fastify, { LogController } from 'fastify';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { writeDurably } from '../folder/durable.ts';
import type { MiningFolder } from '../folder/mining-folder.ts';
import { allowedBlocks } from './allowed-blocks.ts';
import { receiveSignal } from './receive-signal.ts';
import type { SignalGeneration } from './receive-signal.ts';

const MAX_BODY_BYTES = 64 * 1024;
const REQUEST_TIMEOUT_MS = 15_000;
/** Node checks for requests that take too long only every 30 s by default, for which slow ones could hold all connections. */
const TIMEOUT_CHECKS_PER_TIMEOUT = 5;
const MAX_CONNECTIONS = 256;

export interface SignalsServerOptions {
  readonly folder: MiningFolder;
  readonly generation: SignalGeneration;
  readonly apiKeyDigest: Buffer;
  /** Addresses and blocks that may send signals, with `tradingview` for its four; all where none is named. */
  readonly allowedAddresses: readonly string[];
  /** Whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  /** Of one address, in a minute. */
  readonly requestsPerMinute: number;
  /** How long a request may take to come, by default 15 s. */
  readonly requestTimeoutMs?: number;
  readonly log: FastifyBaseLogger;
}

/** JSON as the Python server writes its errors. */
const error = (text: string): Buffer => Buffer.from(`${JSON.stringify({ error: text })}\n`);

/** Of what Fastify refuses, by the status that it has for it: the status and text that this server answers. */
const REFUSALS: Readonly<Record<number, readonly [status: number, text: string]>> = {
  413: [413, `A signal may have ${MAX_BODY_BYTES} bytes`],
  415: [400, 'Request must be JSON'],
  500: [500, 'Internal error'],
};

/**
 * The server that signals come to. A signal is on disk when it is answered with 200. The key is in the request's body,
 * which is therefore never logged.
 */
export async function signalsServer(options: SignalsServerOptions): Promise<FastifyInstance> {
  const { folder, log, allowedAddresses, trustedProxies, requestTimeoutMs = REQUEST_TIMEOUT_MS } = options;
  const isTrusted = trustFunction(trustedProxies);
  const isAllowed = trustFunction(allowedBlocks(allowedAddresses));
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: requestTimeoutMs,
    // Of what is idle; a request that is late is answered first.
    connectionTimeout: 2 * requestTimeoutMs,
    http: {
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: requestTimeoutMs / TIMEOUT_CHECKS_PER_TIMEOUT,
    },
    exposeHeadRoutes: false,
    // A server that stops does not wait for clients that keep their connection.
    forceCloseConnections: true,
    trustProxy: (address) => isTrusted(address),
    clientErrorHandler: answerClientError,
    // Of a path that cannot be read, which is one that there is not.
    frameworkErrors: (_fault, request, reply) => {
      void respond(request, reply);
    },
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  answerHalfClosed(app.server);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  app.addHook('onRequest', async (request, reply) => {
    if (allowedAddresses.length === 0 || isAllowed(clientAddress(request))) return;
    log.warn({ address: clientAddress(request) }, 'an address that is not allowed was refused');
    await reply.code(403).type('application/json').send(error('This address is not allowed'));
  });
  await app.register(rateLimit, {
    max: options.requestsPerMinute,
    timeWindow: '1 minute',
    keyGenerator: clientAddress,
    errorResponseBuilder: (_request, { after }) => ({
      statusCode: 429,
      text: `Too many requests, try again in ${after}`,
    }),
  });
  app.setErrorHandler((fault: { statusCode?: number; text?: string }, _request, reply) => {
    const { statusCode = 500, text = 'Bad request' } = fault;
    if (statusCode >= 500) log.error({ err: fault }, 'a request could not be answered');
    const [status, shown] = REFUSALS[statusCode] ?? [statusCode, text];
    return reply.code(status).type('application/json').send(error(shown));
  });
  app.all('/*', respond);
  // Of methods that Fastify has no routes for.
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, respond);
  return app;

  async function respond(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const answer = receiveSignal(
      {
        method: request.method,
        path: request.url,
        contentType: request.headers['content-type'],
        body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
      },
      { ...options, createUuid: randomUUID },
    );
    const { file } = answer;
    if (file !== undefined) {
      try {
        await writeDurably(join(folder.received, file.name), file.content, folder.temporary);
      } catch (fault) {
        log.error({ err: fault }, 'a signal could not be written');
        const { message } = fault as Error;
        return reply
          .code(500)
          .type('application/json')
          .send(error(`Error writing signal to file: ${message}`));
      }
    }
    log.info(
      { status: answer.status, signal: file?.name, address: clientAddress(request) },
      'signal request',
    );
    // As bytes: to text Fastify would add a charset.
    return reply.code(answer.status).headers(answer.headers).send(Buffer.from(answer.body));
  }
}
