import type { FastifyReply, FastifyRequest } from 'fastify';
import { createGunzip } from 'node:zlib';
import { negotiate } from './negotiate.ts';
import type { Encoding } from './negotiate.ts';
import { answerPreconditions, lastModified } from './preconditions.ts';
import type { Snapshot } from './snapshots/snapshot.ts';

const INFLATE_CHUNK_BYTES = 64 * 1024;

/**
 * Answers with a snapshot: negotiates the encoding, answers 304 where the client has it already, and HEAD as GET
 * without the body. Ranges are not served.
 *
 * @param withoutHeader What a request without Accept-Encoding gets.
 */
export function sendSnapshot(
  request: FastifyRequest,
  reply: FastifyReply,
  snapshot: Snapshot,
  withoutHeader: Encoding = 'identity',
): FastifyReply {
  const encoding = negotiate(request.headers['accept-encoding'], withoutHeader);
  // One ETag per encoding: a strong one stands for exact bytes.
  const etag = `"${snapshot.digest}-${encoding}"`;
  reply.headers({
    'Content-Type': 'application/json',
    'Cache-Control': 'private, no-cache',
    Vary: 'Accept-Encoding',
    ETag: etag,
    'Last-Modified': lastModified(snapshot.modifiedMs),
  });
  const answered = answerPreconditions(request, reply, { etag, modifiedMs: snapshot.modifiedMs });
  if (answered !== undefined) return answered;

  if (encoding === 'gzip') reply.header('Content-Encoding', 'gzip');
  reply.header('Content-Length', encoding === 'gzip' ? snapshot.gzipSizeBytes : snapshot.sizeBytes);
  if (request.method === 'HEAD') return reply.send();
  return reply.send(encoding === 'gzip' ? snapshot.gzip() : inflate(request, snapshot));
}

/** The text as a stream: a body of 100 MB never lies in memory as text, however slowly it is read. */
function inflate(request: FastifyRequest, snapshot: Snapshot) {
  const text = createGunzip({ chunkSize: INFLATE_CHUNK_BYTES });
  // Fastify cuts the connection then, so that the client does not take a part for the whole.
  text.on('error', (err) => {
    request.log.error({ event: 'damaged-snapshot', err }, 'a snapshot does not decompress');
  });
  text.end(snapshot.gzip());
  return text;
}
