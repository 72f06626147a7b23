import helmet from '@fastify/helmet';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { namesEtag } from '../negotiate.ts';
import { addRoute } from './route.ts';

/** Beside `dist/`, also in an installed package. */
const ASSETS = new URL('../../../assets/docs/', import.meta.url);
/** In an installed package it lies with the other assets, in the sources where people read it. */
const ASYNCAPI_PLACES = [
  new URL('asyncapi.yaml', ASSETS),
  new URL('../../../../../docs/asyncapi.yaml', import.meta.url),
];

/** The page loads what lies beside it and asks this server, and nothing else. */
const CONTENT_SECURITY_POLICY = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    connectSrc: ["'self'"],
    // The page has no icon.
    imgSrc: ['data:'],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
};

interface PublicFile {
  readonly type: string;
  readonly bytes: Buffer;
  readonly etag: string;
}

function publicFile(type: string, bytes: Buffer): PublicFile {
  const digest = createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
  return { type, bytes, etag: `"${digest}"` };
}

function asset(name: string, type: string): PublicFile {
  return publicFile(type, readFileSync(new URL(name, ASSETS)));
}

/**
 * `/openapi.json`, and `/docs`, a page for people that shows it. Neither needs a key: they tell how to ask, and hold no
 * data. `/docs/asyncapi.yaml` describes the stream.
 */
export async function addDocsRoutes(app: FastifyInstance): Promise<void> {
  // TLS, and so its headers, is for whoever ends it: nginx.
  await app.register(helmet, {
    contentSecurityPolicy: CONTENT_SECURITY_POLICY,
    strictTransportSecurity: false,
  });
  const files = new Map([
    ['/docs', asset('index.html', 'text/html; charset=utf-8')],
    ['/docs/docs.js', asset('docs.js', 'text/javascript; charset=utf-8')],
    ['/docs/docs.css', asset('docs.css', 'text/css; charset=utf-8')],
  ]);
  const asyncApi = ASYNCAPI_PLACES.find((place) => existsSync(place));
  if (asyncApi !== undefined) {
    files.set('/docs/asyncapi.yaml', publicFile('text/yaml; charset=utf-8', readFileSync(asyncApi)));
  }
  for (const [url, file] of files) {
    addRoute(app, url, (request, reply) => sendFile(reply, file, request.headers['if-none-match']));
  }

  let openApi: PublicFile | undefined;
  addRoute(app, '/openapi.json', (request, reply) => {
    openApi ??= publicFile('application/json', Buffer.from(JSON.stringify(app.swagger())));
    return sendFile(reply, openApi, request.headers['if-none-match']);
  });
}

function sendFile(reply: FastifyReply, { type, bytes, etag }: PublicFile, known?: string): FastifyReply {
  reply.headers({ 'Content-Type': type, 'Cache-Control': 'no-cache', ETag: etag });
  return namesEtag(known, etag) ? reply.code(304).send() : reply.send(bytes);
}
