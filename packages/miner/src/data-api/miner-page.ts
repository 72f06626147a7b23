import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PAGE, pageHeaders, readBuiltPage } from '@ptn-api/runtime';
import fastify, { LogController } from 'fastify';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { ValidatorReports } from './validator-reports.ts';

/** The built page: of another package, of which the miner needs only these files. */
export function pageFolder(): string {
  const manifest = fileURLToPath(import.meta.resolve('@ptn-api/dashboard/package.json'));
  return join(dirname(manifest), 'dist', 'miner-page');
}

/** The page is not built. */
export class PageMissingError extends Error {
  override readonly name = 'PageMissingError';
}

export interface MinerPageOptions {
  readonly folder: string;
  readonly reports: Pick<ValidatorReports, 'body' | 'refresh' | 'status'>;
  readonly log: FastifyBaseLogger;
}

/**
 * The miner's page: the files of a folder, read once; `/status.json`, which has validators asked and says what they
 * answered the last time, without waiting for them; and `/miner-data`, what they said.
 *
 * @throws PageMissingError
 */
export function minerPage({ folder, reports, log }: MinerPageOptions): FastifyInstance {
  const files = readBuiltPage(folder);
  if (!files.has(PAGE)) {
    throw new PageMissingError(
      `the miner's page is not built: there is no ${join(folder, PAGE)}. Leave out --start-dashboard, or run npm run build`,
    );
  }
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    reply.headers({ 'X-Content-Type-Options': 'nosniff', ...pageHeaders() });
    if (!reply.hasHeader('Cache-Control')) reply.header('Cache-Control', 'no-store');
    done();
  });
  app.get('/status.json', (_request, reply) => {
    void reports.refresh();
    return reply.send(reports.status());
  });
  app.get('/miner-data', (_request, reply) => reply.type('application/json').send(Buffer.from(reports.body)));
  for (const [path, { type, content, isImmutable }] of files) {
    app.get(path === PAGE ? '/' : `/${path}`, (_request, reply) => {
      reply.header('Cache-Control', isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache');
      return reply.type(type).send(content);
    });
  }
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ detail: 'Not Found' }));
  return app;
}
