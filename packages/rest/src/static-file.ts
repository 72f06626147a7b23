import type { FastifyReply, FastifyRequest } from 'fastify';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { varyByEncoding } from './cors.ts';
import { negotiate } from './negotiate.ts';
import { answerPreconditions } from './preconditions.ts';

/** A file of the package that is served from memory, so that no path of a request is ever looked up in the file system. */
export interface StaticFile {
  readonly type: string;
  readonly identity: Buffer;
  readonly gzip: () => Buffer;
  readonly digest: () => string;
  /** Its name changes with its content, and its headers with nothing. */
  readonly isImmutable: boolean;
}

export function staticFile(type: string, identity: Buffer, isImmutable = false): StaticFile {
  // When it is first asked for: most workers never send most files.
  let compressed: Buffer | undefined;
  const gzip = (): Buffer => (compressed ??= gzipSync(identity));
  let sum: string | undefined;
  const digest = (): string =>
    (sum ??= createHash('sha256').update(identity).digest('base64url').slice(0, 22));
  return { type, identity, gzip, digest, isImmutable };
}

export function sendStaticFile(request: FastifyRequest, reply: FastifyReply, file: StaticFile): FastifyReply {
  const encoding = negotiate(request.headers['accept-encoding'], 'identity');
  const etag = `"${file.digest()}-${encoding}"`;
  reply.headers({
    'Content-Type': file.type,
    'Cache-Control': file.isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    ETag: etag,
  });
  varyByEncoding(reply);
  const answered = answerPreconditions(request, reply, { etag });
  if (answered !== undefined) return answered;
  if (encoding === 'gzip') reply.header('Content-Encoding', 'gzip');
  const body = encoding === 'gzip' ? file.gzip() : file.identity;
  reply.header('Content-Length', body.length);
  return request.method === 'HEAD' ? reply.send() : reply.send(body);
}
