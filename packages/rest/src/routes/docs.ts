import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { sendStaticFile, staticFile } from '../static-file.ts';
import type { StaticFile } from '../static-file.ts';
import { addRoute } from './route.ts';

/** Beside `dist/`, also in an installed package. */
const ASSETS = new URL('../../assets/docs/', import.meta.url);
/** Its plugin would read the files anew for every request, uncompressed, and name absolute paths. */
const SWAGGER_UI = new URL('static/', import.meta.resolve('@fastify/swagger-ui'));
const DOCUMENT_THREAD = new URL('../openapi/document-thread.js', import.meta.url);
/** In an installed package it lies with the other assets, in the sources where people read it. */
const ASYNCAPI_PLACES = [
  new URL('asyncapi.yaml', ASSETS),
  new URL('../../../../docs/asyncapi.yaml', import.meta.url),
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

const FILES: readonly (readonly [url: string, folder: URL, name: string, type: string])[] = [
  ['/docs', ASSETS, 'index.html', 'text/html; charset=utf-8'],
  ['/docs/docs.js', ASSETS, 'docs.js', 'text/javascript; charset=utf-8'],
  ['/docs/swagger-ui-bundle.js', SWAGGER_UI, 'swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['/docs/swagger-ui.css', SWAGGER_UI, 'swagger-ui.css', 'text/css; charset=utf-8'],
];

/**
 * `/openapi.json`, and `/docs`, a web page that shows it. Neither needs a key: they say how to ask, and hold no
 * data. `/docs/asyncapi.yaml` describes the stream.
 */
export async function addDocsRoutes(app: FastifyInstance, version: string): Promise<void> {
  // TLS, and so its headers, is for whoever ends it: nginx.
  await app.register(helmet, {
    contentSecurityPolicy: CONTENT_SECURITY_POLICY,
    strictTransportSecurity: false,
  });
  const files = new Map(
    FILES.map(([url, folder, name, type]) => [url, staticFile(type, readFileSync(new URL(name, folder)))]),
  );
  const asyncApi = ASYNCAPI_PLACES.find((place) => existsSync(place));
  if (asyncApi !== undefined) {
    files.set('/docs/asyncapi.yaml', staticFile('text/yaml; charset=utf-8', readFileSync(asyncApi)));
  }
  // Everything on the page is found by addresses relative to it: a proxy may show it under a path of its own.
  addRoute(app, '/docs/', (_request, reply) =>
    reply.header('Cache-Control', 'no-cache').redirect('../docs', 307),
  );
  for (const [url, file] of files) {
    addRoute(app, url, (request, reply) => sendStaticFile(request, reply, file));
  }

  let document: Promise<StaticFile> | undefined;
  addRoute(app, '/openapi.json', async (request, reply) => {
    document ??= makeDocument(version).catch((error: unknown) => {
      document = undefined;
      throw error;
    });
    return sendStaticFile(request, reply, await document);
  });
}

/**
 * When it is first asked for, and in a thread: the schemas and what reads them take longer to load than all else of the app,
 * and all other answers would wait.
 */
async function makeDocument(version: string): Promise<StaticFile> {
  const thread = new Worker(DOCUMENT_THREAD, { workerData: version });
  const [text] = (await once(thread, 'message')) as [string];
  return staticFile('application/json', Buffer.from(text));
}
