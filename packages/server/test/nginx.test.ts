/** docs/nginx/ptn-api.conf in the real nginx, with TLS, before a real server. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { makePosition, makePtnRoot, makeTemporaryFolder, startServer, waitFor } from '@ptn-api/testkit';
import type { RunningServer } from '@ptn-api/testkit';
import t from 'tap';
import type { Test } from 'tap';
import { WebSocket } from 'ws';

const KEY = 'key-behind-nginx';
const missing = ['nginx', 'openssl'].filter(
  (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0,
);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts nginx with the file of the documentation, at other ports and with a certificate of its own. Gives its port. */
async function startNginx(t: Test, server: RunningServer): Promise<number> {
  const folder = makeTemporaryFolder(t);
  const port = await freePort();
  const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const made = spawnSync(
    'openssl',
    // prettier-ignore
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-keyout', key, '-out', certificate, ...subject],
  );
  if (made.status !== 0) throw new Error(made.stderr.toString());
  const text = readFileSync(new URL('../../../docs/nginx/ptn-api.conf', import.meta.url), 'utf8')
    .replace('127.0.0.1:48888', new URL(server.url).host)
    .replace('127.0.0.1:8765', new URL(server.wsUrl).host)
    .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
    .replace(/ssl_certificate \S+;/, `ssl_certificate ${certificate};`)
    .replace(/ssl_certificate_key \S+;/, `ssl_certificate_key ${key};`);
  writeFileSync(join(folder, 'ptn-api.conf'), text);
  mkdirSync(join(folder, 'bodies'));
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
     events { worker_connections 256; }
     http { access_log off; client_body_temp_path ${folder}/bodies; include ${folder}/ptn-api.conf; }`,
  );
  const nginx = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' });
  const ended = once(nginx, 'exit');
  t.teardown(async () => {
    nginx.kill('SIGTERM');
    await ended;
  });
  await waitFor(
    () =>
      ask(port, '/api/healthz')
        .then(({ status }) => status === 200)
        .catch(() => false),
    { what: () => `nginx answers: ${readFileSync(join(folder, 'error.log'), 'utf8')}` },
  );
  return port;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

function ask(port: number, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, headers, rejectUnauthorized: false, agent: false };
    const asked = request(options, (response) => {
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

void t.test(
  'the documented nginx file: TLS, gzip as it is, ETags, the stream, limits by address',
  { skip: missing.length > 0 && `not installed: ${missing.join(', ')}` },
  async (t) => {
    const root = makePtnRoot(t, { keys: { user: { key: KEY, tier: 100 } } });
    root.writePosition(makePosition({ orders: [{ timeMs: Date.now() - 1000 }] }));
    const args = ['--rest-workers', '1', '--public-ws-url', 'wss://localhost/stream'];
    const server = await startServer(t, { root: root.path, args });
    const port = await startNginx(t, server);
    const headers = { Authorization: `Bearer ${KEY}`, 'Accept-Encoding': 'gzip' };

    const direct = await fetch(`${server.url}/miner-positions`, {
      headers: { Authorization: headers.Authorization },
    });
    const { status, headers: told, body } = await ask(port, '/api/miner-positions', headers);
    t.equal(status, 200);
    t.equal(told['content-encoding'], 'gzip');
    t.equal(gunzipSync(body).toString(), await direct.text());
    t.equal(told['x-sequence'], direct.headers.get('x-sequence'));
    const etag = String(told.etag);
    t.equal((await ask(port, '/api/miner-positions', { ...headers, 'If-None-Match': etag })).status, 304);
    t.equal((await ask(port, '/api/miner-positions')).status, 401);

    const page = await ask(port, '/api/dashboard');
    t.equal(page.status, 307);
    t.equal(page.headers.location, 'dashboard/', 'under the path that nginx shows it at');
    const { headers: pageHeaders } = await ask(port, '/api/dashboard/');
    t.match(pageHeaders['content-security-policy'], "connect-src 'self' wss://localhost;");
    const config = await ask(port, '/api/dashboard/config.json');
    t.match(JSON.parse(config.body.toString()), { wsUrl: 'wss://localhost/stream' });

    const socket = new WebSocket(`wss://127.0.0.1:${port}/stream`, {
      rejectUnauthorized: false,
      origin: `https://127.0.0.1:${port}`, // As of the page there.
    });
    t.teardown(() => {
      socket.terminate();
    });
    const received: { sequence?: number; status?: string; type?: string }[] = [];
    socket.on('message', (text: Buffer) =>
      received.push(JSON.parse(text.toString()) as (typeof received)[number]),
    );
    await once(socket, 'open');
    socket.send(JSON.stringify({ api_key: KEY }));
    socket.send(JSON.stringify({ type: 'subscribe', all: true }));
    await waitFor(() => received.some(({ type }) => type === 'subscription_status'), {
      what: 'the subscription',
    });
    root.writePosition(makePosition({ orders: [{ timeMs: Date.now() }], hotkey: 'another' }));
    await waitFor(() => received.some(({ sequence }) => sequence === 1), { what: 'an order through nginx' });

    const statuses = await Promise.all(
      Array.from({ length: 80 }, async () => (await ask(port, '/api/healthz')).status),
    );
    t.ok(statuses.includes(429), 'a flood is limited');
    t.ok(statuses.includes(200), 'and not all of it refused');
  },
);
