import { readFileSync, readdirSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastify, { LogController } from 'fastify';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';

/** The built page: another package, of which the miner needs only these files. */
export const PAGE_FOLDER = fileURLToPath(new URL('../../../miner-dashboard/dist', import.meta.url));

/** The page is not built. */
export class PageMissingError extends Error {
  override readonly name = 'PageMissingError';
}

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

function pageFiles(folder: string): Map<string, { readonly type: string; readonly content: Buffer }> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return new Map(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      const type = TYPES[extname(name)] ?? 'application/octet-stream';
      return [`/${relative(folder, path).split(sep).join('/')}`, { type, content: readFileSync(path) }];
    }),
  );
}

/**
 * The miner's page: the files of a folder, read once, and `/miner-url.json`, which says where the data is.
 *
 * @throws PageMissingError
 */
export function minerPage(folder: string, minerUrl: string, log: FastifyBaseLogger): FastifyInstance {
  let files: ReturnType<typeof pageFiles>;
  try {
    files = pageFiles(folder);
  } catch (error) {
    const text = `the miner's page is not built: there is no ${folder}. Leave out --start-dashboard, or build it`;
    throw new PageMissingError(text, { cause: error });
  }
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
  });
  app.get('/miner-url.json', (_request, reply) => reply.send({ miner_url: minerUrl }));
  app.get('/*', (request, reply) => {
    const path = request.url.split('?')[0] ?? '/';
    const file = files.get(path === '/' ? '/index.html' : path);
    if (file === undefined) return reply.code(404).send({ detail: 'Not Found' });
    return reply.type(file.type).header('x-content-type-options', 'nosniff').send(file.content);
  });
  return app;
}
