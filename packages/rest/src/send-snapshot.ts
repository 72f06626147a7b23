import type { FastifyReply, FastifyRequest } from 'fastify';
import { pipeline } from 'node:stream';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import { sendError } from '@ptn-api/runtime';
import type { ByteBudget } from './byte-budget.ts';
import { SMALL_BYTES } from './downloads.ts';
import type { Downloads } from './downloads.ts';
import { varyByEncoding } from './cors.ts';
import { negotiate } from './negotiate.ts';
import type { Encoding } from './negotiate.ts';
import { answerPreconditions, lastModified } from './preconditions.ts';
import type { RecentBodies } from './recent-bodies.ts';
import { sliced } from './slices.ts';
import type { Snapshot } from './snapshots/snapshot.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** What answers may cost. */
    answerLimits: { readonly downloads: Downloads; readonly bytes: ByteBudget };
    recentBodies: RecentBodies;
  }
}

const INFLATE_CHUNK_BYTES = 64 * 1024;

/**
 * Answers with a snapshot: negotiates the encoding, answers 304 where the client has it already, and HEAD as GET
 * without the body. Ranges are not served.
 *
 * @param withoutHeader What a request without Accept-Encoding gets.
 */
export async function sendSnapshot(
  request: FastifyRequest,
  reply: FastifyReply,
  snapshot: Snapshot,
  withoutHeader: Encoding = 'identity',
): Promise<FastifyReply> {
  const encoding = negotiate(request.headers['accept-encoding'], withoutHeader);
  // One ETag per encoding: a strong one stands for exact bytes.
  const etag = `"${snapshot.digest}-${encoding}"`;
  reply.headers({
    'Content-Type': 'application/json',
    'Cache-Control': 'private, no-cache',
    ETag: etag,
  });
  varyByEncoding(reply);
  const { modifiedMs } = snapshot;
  if (modifiedMs !== undefined) reply.header('Last-Modified', lastModified(modifiedMs));
  const answered = answerPreconditions(request, reply, { etag, modifiedMs });
  if (answered !== undefined) return answered;

  const isGzip = encoding === 'gzip';
  const sizeBytes = isGzip ? snapshot.gzipSizeBytes : snapshot.sizeBytes;
  const { grant } = request;
  const { downloads, bytes } = request.server.answerLimits;
  const isLarge = sizeBytes > SMALL_BYTES;
  if (request.method !== 'HEAD' && grant !== null) {
    const refusal = isLarge ? downloads.refusal(grant) : undefined;
    if (refusal !== undefined) {
      for (const name of ['ETag', 'Last-Modified']) reply.removeHeader(name);
      return sendError(reply, refusal);
    }
    // A text is decompressed for this answer alone.
    const waitMs = bytes.spend(grant.userId, isGzip ? sizeBytes : 2 * sizeBytes);
    if (isLarge) downloads.add(grant, reply.raw);
    if (isLarge && request.isLimited && waitMs > 0) await sleep(waitMs);
    if (isLarge && !isGzip) await downloads.inflationTurn(grant, reply.raw);
  }
  let file: Readable | undefined;
  try {
    file = request.method === 'HEAD' ? undefined : await snapshot.open?.();
  } catch (error) {
    // Its place is taken by the next one as soon as the feed has made it.
    request.log.error({ event: 'document-missing', err: error }, 'the copy of a document cannot be read');
    return sendError(reply, 'PTN_ERR_HTTP_LOADING');
  }
  if (isGzip) reply.header('Content-Encoding', 'gzip');
  reply.header('Content-Length', sizeBytes);
  if (request.method === 'HEAD') return reply.send();
  if (!isGzip) return reply.send(inflate(request, file ?? sliced(snapshot.pieces())));
  return reply.send(file ?? (isLarge ? sliced(snapshot.pieces()) : request.server.recentBodies.of(snapshot)));
}

/** The text as a stream: a body of 100 MB never lies in memory as text, however slowly it is read. */
function inflate(request: FastifyRequest, gzip: Readable) {
  const text = createGunzip({ chunkSize: INFLATE_CHUNK_BYTES });
  // Fastify cuts the connection then, so that the client does not take a part for the whole.
  text.on('error', (err) => {
    request.log.error({ event: 'damaged-snapshot', err }, 'a snapshot does not decompress');
  });
  pipeline(gzip, text, () => undefined); // What fails is the error of `text`.
  return text;
}
