import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PAGE, pageHeaders, readBuiltPage, sendError } from '@ptn-api/runtime';
import type { Snapshots } from '../snapshots/snapshots.ts';
import { sendStaticFile, staticFile } from '../static-file.ts';
import type { StaticFile } from '../static-file.ts';
import { addRoute } from './route.ts';

export interface DashboardContext {
  readonly snapshots: Pick<Snapshots, 'wsPort'>;
  readonly publicWsUrl: string | undefined;
  /** The folder of the built page; by default that of the installed package. */
  readonly files: string | undefined;
}

const HOST = /^([\w.-]+)(?::\d{1,5})?$/;
const IPV6_HOST = /^\[[\da-f:.]+\](?::\d{1,5})?$/i;

/**
 * `/dashboard`: the web dashboard. It needs no key: what it shows, it asks for with the key that is typed into it.
 */
export function addDashboardRoutes(app: FastifyInstance, context: DashboardContext): void {
  const pageFiles = readPage(context.files ?? builtPage());
  const headersFor = (request: FastifyRequest): Record<string, string> =>
    pageHeaders(streamOrigins(request.headers.host, context));

  const page = pageFiles.get(PAGE);
  const ifBuilt = (reply: FastifyReply, send: (file: StaticFile) => FastifyReply): FastifyReply =>
    page === undefined ? sendError(reply, 'PTN_ERR_DASHBOARD_NOT_BUILT') : send(page);
  // Its files are beside the page by relative addresses, which a proxy may show under a path of its own.
  addRoute(app, '/dashboard', (_request, reply) =>
    ifBuilt(reply, () => reply.header('Cache-Control', 'no-cache').redirect('dashboard/', 307)),
  );
  addRoute(app, '/dashboard/', (request, reply) =>
    ifBuilt(reply, (file) => sendStaticFile(request, reply.headers(headersFor(request)), file)),
  );
  for (const [name, file] of pageFiles) {
    addRoute(app, `/dashboard/${name}`, (request, reply) =>
      // A worker's policy is the one that its own script came with.
      sendStaticFile(request, reply.headers(headersFor(request)), file),
    );
  }
  addRoute(app, '/dashboard/config.json', (_request, reply) => {
    const { publicWsUrl, snapshots } = context;
    const { wsPort } = snapshots;
    if (wsPort === undefined) return sendError(reply, 'PTN_ERR_HTTP_LOADING');
    const body = { wsPort, ...(publicWsUrl === undefined ? {} : { wsUrl: publicWsUrl }) };
    return reply
      .headers({ 'Cache-Control': 'no-store', 'Content-Type': 'application/json' })
      .send(Buffer.from(JSON.stringify(body)));
  });
}

/** Where the page may open a stream: beside 'self', which is the REST port alone. */
function streamOrigins(
  host: string | undefined,
  { publicWsUrl, snapshots: { wsPort } }: DashboardContext,
): readonly string[] {
  if (publicWsUrl !== undefined) return [new URL(publicWsUrl).origin];
  // A policy cannot name an address of IPv6: every address of the schemes is the least that lets the stream through.
  if (IPV6_HOST.test(host ?? '')) return ['ws:', 'wss:'];
  const name = HOST.exec(host ?? '')?.[1];
  return name === undefined || wsPort === undefined
    ? []
    : [`ws://${name}:${wsPort}`, `wss://${name}:${wsPort}`];
}

/** The page's folder in the package beside this one, built or not. */
function builtPage(): string {
  const manifest = fileURLToPath(import.meta.resolve('@ptn-api/dashboard/package.json'));
  return join(dirname(manifest), 'dist', 'page');
}

function readPage(folder: string): ReadonlyMap<string, StaticFile> {
  return new Map(
    [...readBuiltPage(folder)].map(([name, { type, content, isImmutable }]) => [
      name,
      staticFile(type, content, isImmutable),
    ]),
  );
}
