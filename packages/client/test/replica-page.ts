import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { MinerPositions } from '@ptn-api/protocol';
import { makeTemporaryFolder } from '@ptn-api/testkit';
import type { RunningServer, TestScope } from '@ptn-api/testkit';
import { apiKey } from './replica-market.ts';

/** What the page's replica holds. */
interface PageState {
  readonly sequence: number;
  readonly epoch: string;
  readonly generation: number;
  readonly positions: Readonly<Record<string, MinerPositions>>;
}

export interface Page {
  readonly url: string;
  /** Up to where its replica said to be, 0 before it said anything. */
  readonly sequence: () => number;
  /** What went wrong in the page. */
  readonly faults: readonly string[];
  /** Has the page's replica brought up to date, and gives what it holds. */
  readonly state: () => Promise<PageState>;
}

const FOLDERS: Readonly<Record<string, string>> = {
  client: fileURLToPath(new URL('.', import.meta.resolve('@ptn-api/client'))),
  protocol: fileURLToPath(new URL('.', import.meta.resolve('@ptn-api/protocol'))),
};

function html(wsUrl: string): string {
  const options = JSON.stringify({ apiKey, url: wsUrl });
  return `<!doctype html>
<title>replica</title>
<script type="importmap">
  {"imports": {"@ptn-api/client": "/client/browser.js", "@ptn-api/protocol": "/protocol/index.js"}}
</script>
<script type="module">
  const post = (path, body) => fetch(path, { method: 'POST', body });
  addEventListener('unhandledrejection', ({ reason }) => post('/fault', String(reason?.stack ?? reason)));
  addEventListener('error', ({ message }) => post('/fault', message));
  const { PtnReplica } = await import('@ptn-api/client');
  const replica = new PtnReplica({
    ...${options},
    restUrl: location.origin + '/api',
    onChange: (_hotkeys, sequence) => void post('/sequence', String(sequence)),
  });
  void replica.finished.then((error) => post('/fault', 'ended: ' + error));
  await replica.start();
  for (;;) {
    await fetch('/wanted');
    const refreshed = await replica.refresh().then(() => true, () => false);
    const { sequence, epoch, generation, positions } = replica;
    const state = { sequence, epoch, generation, positions: Object.fromEntries(positions) };
    await post('/state', JSON.stringify(refreshed ? state : null));
  }
</script>`;
}

/** Passes a request on to the REST port: the page may only ask its own origin. */
function forward(url: string, incoming: IncomingMessage, response: ServerResponse): void {
  const outgoing = request(url, { headers: incoming.headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
    answer.once('error', () => response.destroy());
  });
  outgoing.once('error', () => {
    if (response.headersSent) response.destroy();
    else response.writeHead(502).end();
  });
  outgoing.end();
}

/** Serves a page with a replica of the server's positions. */
export async function servePage(scope: TestScope, { url, wsUrl }: RunningServer): Promise<Page> {
  let sequence = 0;
  const faults: string[] = [];
  /** The page, waiting to be asked; and the test, waiting for the answer. */
  let wanted: ServerResponse | undefined;
  let isWanted = false;
  let give: ((state: PageState | null) => void) | undefined;
  const askPage = (): void => {
    if (!isWanted || wanted === undefined) return;
    isWanted = false;
    wanted.end();
    wanted = undefined;
  };

  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = incoming.url ?? '/';
    const [, folder = '', file = ''] = path.split('/');
    const served = FOLDERS[folder];
    if (path.startsWith('/api/')) forward(`${url}${path.slice(4)}`, incoming, response);
    else if (path === '/') response.setHeader('Content-Type', 'text/html').end(html(wsUrl));
    else if (served !== undefined && /^[\w.-]+\.js$/.test(file)) {
      response.setHeader('Content-Type', 'text/javascript').end(await readFile(`${served}/${file}`));
    } else if (path === '/wanted') {
      wanted = response;
      askPage();
    } else if (incoming.method === 'POST') {
      const body = await text(incoming);
      if (path === '/sequence') sequence = Math.max(sequence, Number(body));
      else if (path === '/state') give?.(JSON.parse(body) as PageState | null);
      else faults.push(body);
      response.end();
    } else response.writeHead(404).end();
  };

  const server = createServer((incoming, response) => {
    answer(incoming, response).catch((error: unknown) => {
      faults.push(String(error));
      response.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  scope.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    sequence: () => sequence,
    faults,
    state: async () => {
      const given = new Promise<PageState | null>((resolve) => {
        give = resolve;
      });
      isWanted = true;
      askPage();
      const state = await given;
      if (state === null) throw new Error('the page could not bring its replica up to date');
      return state;
    },
  };
}

/** Opens a URL in a Chromium of its own, which ends with the test. */
export async function openInChromium(scope: TestScope, chromiumPath: string, url: string): Promise<void> {
  const profile = makeTemporaryFolder(scope);
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];
  const browser = spawn(chromiumPath, [...flags, ...quiet, `--user-data-dir=${profile}`, url], {
    // A group of its own: what it starts ends with it.
    detached: true,
    stdio: 'ignore',
  });
  await once(browser, 'spawn');
  const ended = once(browser, 'exit');
  scope.teardown(async () => {
    if (browser.pid !== undefined && browser.exitCode === null) process.kill(-browser.pid, 'SIGKILL');
    await ended;
  });
}
