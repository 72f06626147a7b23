/** The proxy files of the documentation in the real programs, with TLS, before a real server and real clients. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import {
  freePort,
  makePosition,
  makePtnRoot,
  makeTemporaryFolder,
  startServer,
  waitFor,
} from '@ptn-api/testkit';
import type { PtnRoot, RunningServer } from '@ptn-api/testkit';
import t from 'tap';
import type { Test } from 'tap';
import { WebSocket } from 'ws';

const KEY = 'key-behind-a-proxy';
const DOCS = new URL('../../../docs/', import.meta.url);
const LEGACY_CLIENT = fileURLToPath(new URL('../test/python/legacy_client.py', import.meta.url));

function isMissing(command: string): boolean {
  return spawnSync('sh', ['-c', command], { stdio: 'ignore' }).status !== 0;
}

const hasPython = !isMissing('/usr/bin/python3 -c "import websockets"');

interface Certificate {
  readonly certificate: string;
  readonly key: string;
  /** Both in one file. */
  readonly both: string;
}

interface Place extends Certificate {
  readonly folder: string;
  readonly port: number;
  readonly rest: string;
  readonly ws: string;
}

interface Proxy {
  readonly name: string;
  readonly file: string;
  /** Makes the documented file fit the test: its ports and certificate. */
  readonly adapt: (text: string, place: Place) => string;
  /** The command that runs it in the foreground with the adapted file. */
  readonly command: (path: string, place: Place) => readonly [string, ...string[]];
  readonly limitsRequests: boolean;
}

const PROXIES: readonly Proxy[] = [
  {
    name: 'nginx',
    file: 'nginx/ptn-api.conf',
    limitsRequests: true,
    adapt: (text, { rest, ws, port, certificate, key }) =>
      text
        .replace('127.0.0.1:48888', rest)
        .replace('127.0.0.1:8765', ws)
        .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
        .replace(/ssl_certificate \S+;/, `ssl_certificate ${certificate};`)
        .replace(/ssl_certificate_key \S+;/, `ssl_certificate_key ${key};`),
    command: (path, { folder }) => {
      mkdirSync(join(folder, 'bodies'));
      writeFileSync(
        join(folder, 'nginx.conf'),
        `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
         events { worker_connections 256; }
         http { access_log off; client_body_temp_path ${folder}/bodies; include ${path}; }`,
      );
      return ['nginx', '-p', folder, '-c', join(folder, 'nginx.conf')];
    },
  },
  {
    name: 'caddy',
    file: 'caddy/Caddyfile',
    limitsRequests: false,
    adapt: (text, { rest, ws, port, certificate, key, folder }) =>
      `{\n\tadmin off\n\tauto_https off\n\tstorage file_system ${folder}\n}\n` +
      text
        .replaceAll('127.0.0.1:48888', rest)
        .replace('127.0.0.1:8765', ws)
        .replace(
          'validator.example {',
          `https://localhost:${port}, https://127.0.0.1:${port} {\n\tbind 127.0.0.1\n\ttls ${certificate} ${key}`,
        ),
    command: (path) => ['caddy', 'run', '--adapter', 'caddyfile', '--config', path],
  },
  {
    name: 'haproxy',
    file: 'haproxy/haproxy.cfg',
    limitsRequests: true,
    adapt: (text, { rest, ws, port, both }) =>
      text
        .replace('127.0.0.1:48888', rest)
        .replace('127.0.0.1:8765', ws)
        .replace(/bind :443 ssl crt \S+/, `bind 127.0.0.1:${port} ssl crt ${both}`),
    command: (path) => ['haproxy', '-db', '-f', path],
  },
];

function makeCertificate(folder: string): Certificate {
  const [certificate, key, both] = ['certificate.pem', 'key.pem', 'both.pem'].map((name) =>
    join(folder, name),
  );
  if (certificate === undefined || key === undefined || both === undefined) throw new Error('three names');
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const made = spawnSync(
    'openssl',
    // oxfmt-ignore
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-keyout', key, '-out', certificate, ...subject],
  );
  if (made.status !== 0) throw new Error(made.stderr.toString());
  writeFileSync(both, readFileSync(certificate, 'utf8') + readFileSync(key, 'utf8'));
  return { certificate, key, both };
}

interface Started {
  readonly port: number;
  readonly certificate: string;
}

async function startProxy(t: Test, proxy: Proxy, server: RunningServer): Promise<Started> {
  const folder = makeTemporaryFolder(t);
  const place: Place = {
    ...makeCertificate(folder),
    folder,
    port: await freePort(),
    rest: new URL(server.url).host,
    ws: new URL(server.wsUrl).host,
  };
  const path = join(folder, 'proxy.conf');
  writeFileSync(path, proxy.adapt(readFileSync(new URL(proxy.file, DOCS), 'utf8'), place));
  const [program, ...args] = proxy.command(path, place);
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => (output += data.toString()));
  const ended = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  await waitFor(async () => (await ask(place.port, '/api/healthz')).status === 200, {
    what: () => `${proxy.name} answers: ${output}`,
    timeoutMs: 20_000,
  });
  return { port: place.port, certificate: place.certificate };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

function ask(port: number, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, headers, rejectUnauthorized: false, agent: false };
    const asked = request({ ...options, servername: 'localhost' }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces) });
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}

let placed = 0;

function placeOrder(root: PtnRoot): void {
  placed += 1;
  root.writePosition(makePosition({ orders: [{ timeMs: Date.now() }], hotkey: `miner-${placed}` }));
}

async function checkRest(t: Test, port: number, server: RunningServer): Promise<void> {
  const headers = { Authorization: `Bearer ${KEY}`, 'Accept-Encoding': 'gzip' };
  const { direct, whole } = await waitFor(
    async () => {
      const direct = await fetch(`${server.url}/miner-positions`, {
        headers: { Authorization: headers.Authorization },
      });
      const whole = await direct.text();
      // Each order is that of another miner.
      return Object.keys(JSON.parse(whole) as object).length === placed && { direct, whole };
    },
    { what: 'all that was placed before is there' },
  );
  for (const prefix of ['', '/api']) {
    const { status, headers: told, body } = await ask(port, `${prefix}/miner-positions`, headers);
    t.equal(status, 200, prefix);
    t.equal(told['content-encoding'], 'gzip');
    t.equal(gunzipSync(body).toString(), whole);
    t.equal(told['x-sequence'], direct.headers.get('x-sequence'));
    const known = { ...headers, 'If-None-Match': String(told.etag) };
    t.equal((await ask(port, `${prefix}/miner-positions`, known)).status, 304);
    t.equal((await ask(port, `${prefix}/miner-positions`)).status, 401);
    t.equal((await ask(port, `${prefix}/validator-checkpoint`, headers)).status, 404);

    const page = await ask(port, `${prefix}/dashboard`);
    t.equal(page.status, 307);
    t.equal(page.headers.location, 'dashboard/', 'under the path at which the proxy shows it');
    const docs = await ask(port, `${prefix}/docs`);
    for (const [, link = ''] of docs.body.toString().matchAll(/(?:href|src)="([^"]+)"/g)) {
      if (link.startsWith('data:')) continue;
      const { pathname } = new URL(link, `https://localhost${prefix}/docs`);
      t.equal((await ask(port, pathname)).status, 200, pathname);
    }
  }
  const { headers: pageHeaders } = await ask(port, '/api/dashboard/');
  t.match(pageHeaders['content-security-policy'], "connect-src 'self' wss://localhost;");
  const config = await ask(port, '/api/dashboard/config.json');
  t.match(JSON.parse(config.body.toString()), { wsUrl: 'wss://localhost/stream' });
}

async function checkStream(t: Test, port: number, path: string, root: PtnRoot): Promise<void> {
  const socket = new WebSocket(`wss://127.0.0.1:${port}${path}`, {
    rejectUnauthorized: false,
    origin: `https://127.0.0.1:${port}`, // As of the page there.
  });
  t.teardown(() => {
    socket.terminate();
  });
  const received: { sequence?: number; type?: string }[] = [];
  socket.on('message', (text: Buffer) =>
    received.push(JSON.parse(text.toString()) as (typeof received)[number]),
  );
  await once(socket, 'open');
  socket.send(JSON.stringify({ api_key: KEY }));
  socket.send(JSON.stringify({ type: 'subscribe', all: true }));
  await waitFor(() => received.some(({ type }) => type === 'subscription_status'), {
    what: 'the subscription',
  });
  placeOrder(root);
  await waitFor(() => received.some(({ sequence }) => sequence !== undefined), { what: 'an order' });
}

interface Event {
  readonly event: string;
  readonly sequence?: number;
  readonly batch?: number;
  readonly detail?: string;
}

function startLegacyClient(t: Test, { port, certificate }: Started, ...more: string[]) {
  const url = `wss://localhost:${port}/`;
  const child = spawn('/usr/bin/python3', [LEGACY_CLIENT, url, KEY, '--ca', certificate, ...more], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => {
    child.kill('SIGKILL');
  });
  const events: Event[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => events.push(JSON.parse(line) as Event));
  const count = (name: string): number => events.filter(({ event }) => event === name).length;
  return {
    events,
    count,
    sequences: () => events.flatMap(({ sequence }) => (sequence === undefined ? [] : [sequence])),
    say: (line: string) => child.stdin.write(`${line}\n`),
  };
}

/** As the Python client with `secure=True`: it knows no other address than wss://host:port/. */
async function checkLegacyClient(t: Test, started: Started, root: PtnRoot): Promise<void> {
  const client = startLegacyClient(t, started);
  await waitFor(() => client.count('subscribed') === 1, { what: () => JSON.stringify(client.events) });
  placeOrder(root);
  await waitFor(() => client.sequences().length === 1, { what: 'a live order' });
  client.say('drop');
  placeOrder(root);
  placeOrder(root);
  await waitFor(() => client.sequences().length === 3, { what: 'what it missed', timeoutMs: 20_000 });
  const [first = 0] = client.sequences();
  t.same(client.sequences(), [first, first + 1, first + 2], 'once each, in order');
  t.equal(client.count('subscribed'), 2);

  const restarted = startLegacyClient(t, started, '--last', String(first));
  await waitFor(() => restarted.sequences().length === 2, { what: 'a restart with an old number' });
  t.same(restarted.sequences(), [first + 1, first + 2]);
}

const missingFor = ({ name }: Proxy): string[] =>
  [name, 'openssl'].filter((program) => isMissing(`command -v ${program}`));
const isNoneThere = PROXIES.every((proxy) => missingFor(proxy).length > 0);

await t.test('behind a proxy', { skip: isNoneThere && 'no proxy is installed' }, async (whole) => {
  const root = makePtnRoot(whole, { keys: { user: { key: KEY, tier: 100 } } });
  placeOrder(root);
  const args = ['--public-ws-url', 'wss://localhost/stream', '--trust-proxy', 'loopback'];
  const server = await startServer(whole, { root: root.path, args });
  const ports = new Map<string, number>();

  for (const proxy of PROXIES) {
    const missing = missingFor(proxy);
    await whole.test(
      `${proxy.name}, as documented: TLS, REST and the stream on one port, JSON whatever happens`,
      { skip: missing.length > 0 && `not installed: ${missing.join(', ')}` },
      async (t) => {
        const started = await startProxy(whole, proxy, server);
        const { port } = started;
        ports.set(proxy.name, port);
        await checkRest(t, port, server);
        for (const path of ['/', '/stream']) await checkStream(t, port, path, root);
        if (hasPython) await checkLegacyClient(t, started, root);
        else t.comment('python3-websockets is not installed: its protocol is not tried');

        // The address that counts is the client's own, whatever it says; this machine's is exempt.
        t.notMatch(server.output(), 'untrusted-proxy');
        if (proxy.limitsRequests) {
          const answers = await Promise.all(
            Array.from({ length: 120 }, () => ask(port, '/healthz', { 'X-Forwarded-For': '203.0.113.9' })),
          );
          const refused = answers.find(({ status }) => status === 429);
          t.match(refused?.headers, { 'content-type': /^application\/json/, 'retry-after': /^\d+$/ });
          t.match(JSON.parse(String(refused?.body)), { error: /Too many requests/ });
          t.ok(
            answers.some(({ status }) => status === 200),
            'not all of a flood is refused',
          );
        }
      },
    );
  }

  await server.stop();
  for (const [name, port] of ports) {
    await whole.test(`${name} says that the server is down`, async (t) => {
      const down = await waitFor(
        async () => {
          // Seldom enough for the limit of the flood before to end.
          await delay(300);
          const answer = await ask(port, '/miner-hotkeys');
          return answer.status === 503 || answer.status === 502 ? answer : undefined;
        },
        { what: 'the server is down', timeoutMs: 20_000 },
      );
      t.match(down.headers, { 'content-type': /^application\/json/, 'retry-after': /^\d+$/ });
      t.match(JSON.parse(down.body.toString()), { error: /does not answer/ });
    });
  }
});
