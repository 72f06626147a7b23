/** What the documents show to programmers, taken out of them and run against a real server. */
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { promisify } from 'node:util';
import {
  addOrder,
  killAtOnce,
  makePosition,
  makePtnRoot,
  makeTemporaryFolder,
  startServer,
  waitFor,
  workersOf,
} from '@ptn-api/testkit';
import type { TestScope } from '@ptn-api/testkit';
import t from 'tap';
import { openInChromium } from './replica-page.ts';

const KEY = 'the-key';
const DOCUMENTS = ['README.md', 'docs/clients.md']
  .map((name) => readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8'))
  .join('\n');
const CHROMIUM = process.env['PTN_TEST_CHROMIUM'] ?? '/usr/bin/chromium';
const COMPILER = fileURLToPath(new URL('../../../node_modules/typescript-native/bin/tsc', import.meta.url));
const PYTHON = '/usr/bin/python3';
const PACKAGES: Readonly<Record<string, string>> = {
  '/client/node_modules/@ptn-api/protocol/dist/': fileURLToPath(
    new URL('.', import.meta.resolve('@ptn-api/protocol')),
  ),
  '/client/dist/': fileURLToPath(new URL('.', import.meta.resolve('@ptn-api/client'))),
};

function isMissing(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status !== 0;
}

/** The first block of that language which has `mark` in it. */
function example(language: string, mark: string): string {
  const blocks = [...DOCUMENTS.matchAll(/^```(\w+)\n([^]*?)^```$/gm)];
  const found = blocks.find(([, name, code]) => name === language && code?.includes(mark));
  if (found?.[2] === undefined) throw new Error(`there is no block of ${language} with ${mark}`);
  return found[2];
}

/** With other values in place of those of the text; one that is not there is an error. */
function fill(code: string, values: Readonly<Record<string, string>>): string {
  return Object.entries(values).reduce((filled, [shown, value]) => {
    if (!filled.includes(shown)) throw new Error(`the documents no longer have ${shown}`);
    return filled.replaceAll(shown, value);
  }, code);
}

/** A program that runs until the test ends, and what it has printed. */
function start(
  scope: TestScope,
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): () => string {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (printed += chunk));
  }
  const ended = once(child, 'exit');
  scope.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return () => printed;
}

let position = makePosition({ hotkey: 'miner-a', uuid: 'p-1', orders: [{ timeMs: Date.now() - 3_600_000 }] });
/** A file of today's validators as it was recorded, with the miner of this root in it. */
function recorded(name: string): string {
  const bytes = readFileSync(new URL(`../../rest/fixtures/vanta/root/validation/${name}`, import.meta.url));
  const content = name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
  return content.toString().replaceAll(/5A{47}/g, 'miner-a');
}

const recordedFiles = Object.fromEntries(
  [
    'asset_selections.json',
    'challengeperiod.json',
    'debt_ledger.json.gz',
    'miner_account_sizes.json',
    'perf_ledgers.json.gz',
  ].map((name) => [`validation/${name}`, name.endsWith('.gz') ? gzipSync(recorded(name)) : recorded(name)]),
);
const WAITING = 'limit_orders/BTCUSD/unfilled/cd5f8781-c8f9-406a-ad6d-0705f702f2f5';
const root = makePtnRoot(t, {
  positions: [position],
  keys: { all: { key: KEY, tier: 200 } },
  files: {
    ...recordedFiles,
    'validation/entities.json': '{}',
    [`validation/miners/miner-a/${WAITING}`]: recorded(`miners/5${'A'.repeat(47)}/${WAITING}`),
  },
});
const pageOfExample = createServer();
pageOfExample.listen(0, '127.0.0.1');
await once(pageOfExample, 'listening');
t.teardown(() => {
  pageOfExample.closeAllConnections();
  pageOfExample.close();
});
const pageUrl = `http://127.0.0.1:${(pageOfExample.address() as AddressInfo).port}`;
const server = await startServer(t, { root: root.path, args: ['--cors-origin', pageUrl] });
let placed = 0;

function place(): void {
  placed += 1;
  position = addOrder(position, { timeMs: Date.now(), uuid: `order-${placed}`, leverage: 0.01 });
  root.writePosition(position);
}

/** Places orders, some in a second, until one was seen: when a client has subscribed is known to it alone. */
async function seesOrders(hasSeen: () => boolean, what: () => string): Promise<void> {
  const placing = setInterval(place, 250);
  try {
    await waitFor(hasSeen, { timeoutMs: 30_000, what });
  } finally {
    clearInterval(placing);
  }
}

/** A folder in which a program finds the client as if it were installed. */
function folderWithClient(scope: TestScope): string {
  const folder = makeTemporaryFolder(scope);
  mkdirSync(join(folder, 'node_modules/@ptn-api'), { recursive: true });
  symlinkSync(
    fileURLToPath(new URL('..', import.meta.resolve('@ptn-api/client'))),
    join(folder, 'node_modules/@ptn-api/client'),
  );
  return folder;
}

function startTypeScript(scope: TestScope, values: Readonly<Record<string, string>>): () => string {
  const cwd = folderWithClient(scope);
  writeFileSync(join(cwd, 'example.mts'), fill(example('ts', 'PtnStreamClient'), values));
  execFileSync(process.execPath, [COMPILER, '--noCheck', '--module', 'nodenext', 'example.mts'], { cwd });
  return start(scope, process.execPath, ['example.mjs'], { cwd, env: { ...process.env, KEY } });
}

await t.test('TypeScript: prints orders', async (t) => {
  const printed = startTypeScript(t, {
    'ws://127.0.0.1:8765': server.wsUrl,
    'http://127.0.0.1:48888': server.url,
  });
  await seesOrders(() => /^\d+ miner-a \w+ 0\.01 -?\d+ ms$/m.test(printed()), printed);
  t.pass(printed());
});

await t.test('TypeScript: says what is wrong with an address', async (t) => {
  const printed = startTypeScript(t, { 'ws://127.0.0.1:8765': 'ws://127.0.0.1:1' });
  await waitFor(() => printed().includes('ECONNREFUSED'), { timeoutMs: 20_000, what: printed });
  t.pass(printed());
});

const noPython = isMissing(PYTHON, '-c', 'import websockets') ? 'no Python with websockets' : false;

await t.test('Python: prints orders, also after the server was away', { skip: noPython }, async (t) => {
  const code = fill(example('python', 'websockets'), {
    'ws://127.0.0.1:8765': server.wsUrl,
    '<the key for tier 100>': KEY,
  });
  const printed = start(t, PYTHON, ['-u', '-c', code], { cwd: root.path });
  const numbers = (): number[] => [...printed().matchAll(/^(\d+) \{/gm)].map(([, number]) => Number(number));
  await seesOrders(() => numbers().length > 0, printed);
  for (const pid of workersOf(server, 'ws')) killAtOnce(pid);
  await waitFor(() => printed().includes('again in a second'), { what: printed });
  const before = numbers().length;
  await seesOrders(() => numbers().length > before, printed);
  const [first = 0] = numbers();
  t.same(
    numbers(),
    numbers().map((_, index) => first + index),
    'no number is missing, none comes twice',
  );
});

const noChromium = existsSync(CHROMIUM) ? false : `no Chromium at ${CHROMIUM}: apt-get install chromium`;

await t.test(
  'browser: shows how many miners there are',
  { skip: noChromium, timeout: 120_000 },
  async (t) => {
    const page = fill(example('html', 'PtnReplica'), {
      'wss://validator.example/stream': server.wsUrl,
      'https://validator.example/api': server.url,
      "prompt('key')": `'${KEY}'`,
    });
    let shown = 'nothing';
    const tell = `<script>
    const tell = (body) => fetch('/shown', { method: 'POST', body });
    addEventListener('error', ({ message }) => tell(message));
    addEventListener('unhandledrejection', ({ reason }) => tell(String(reason)));
    new MutationObserver(() => tell(document.querySelector('#out').textContent)).observe(document, {
      subtree: true, childList: true, characterData: true,
    });
  </script>`;
    pageOfExample.on('request', (incoming, response) => {
      const path = normalize(incoming.url ?? '/');
      const [prefix, folder] = Object.entries(PACKAGES).find(([prefix]) => path.startsWith(prefix)) ?? [];
      if (path === '/shown') {
        void text(incoming).then((body) => {
          if (body !== '') shown = body;
          response.end();
        });
      } else if (prefix !== undefined && folder !== undefined) {
        response.setHeader('Content-Type', 'text/javascript');
        response.end(readFileSync(join(folder, path.slice(prefix.length))));
      } else response.setHeader('Content-Type', 'text/html').end(`<!doctype html>${page}${tell}`);
    });
    await openInChromium(t, CHROMIUM, pageUrl);
    await seesOrders(
      () => /^1 miners at order \d+$/.test(shown),
      () => shown,
    );
    t.pass(shown);
  },
);

const noCurl = isMissing('curl', '--version') ? 'no curl' : false;

await t.test('the lines to paste', { skip: noCurl }, async (t) => {
  const lines = [...DOCUMENTS.matchAll(/^\| .+? \| `(curl .+?)`/gm)].map(([, line = '']) => line);
  t.ok(lines.length > 10, `${lines.length} lines`);
  // Of the others there is no file in this root.
  const withData = lines.filter(
    (line) => !/statistics|eliminations|miner-copying|validator-checkpoint/.test(line),
  );
  for (const line of withData) {
    const command = line
      .replace('<hotkey>', 'miner-a')
      .replace('since=<X-Generation>', 'since=1')
      .replace(/^curl/, "curl -sS -w ' %{http_code}'");
    const { stdout } = await promisify(execFile)('sh', ['-c', command], {
      env: { ...process.env, URL: server.url, KEY },
    });
    // An old generation is 410, and says so.
    t.match(stdout, line.includes('/changes') ? /(?:200|410)$/ : /200$/, line);
  }
});
