import { spawn } from 'node:child_process';
import { createServer, request } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { makePtnRoot, startServer, waitFor } from '@ptn-api/testkit';
import type { RunningServer } from '@ptn-api/testkit';
import t from 'tap';
import type { ServerStatus } from '../../supervisor/dist/monitoring/server-status.js';
import { HOUR_MS, trade } from '../../feed/dist-test/feed-fixture.js';

const CLI = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const KEY = 'a-key-that-must-not-be-seen';
const contents = {
  positions: [trade({ uuid: 'p', hotkey: 'miner', times: [Date.now() - HOUR_MS] })],
  keys: { ann: { key: KEY, tier: 100 } },
};

function adminPort(server: RunningServer): number | undefined {
  const line = server
    .output()
    .split('\n')
    .find((text) => text.includes('"listening-admin"'));
  return line === undefined ? undefined : (JSON.parse(line) as { port: number }).port;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

function ask(port: number, path: string, { host = '127.0.0.1', method = 'GET' } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method, agent: false, headers: { Host: host } };
    const asked = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('end', () => {
        resolve({ status: response.statusCode ?? 0, text });
      });
    });
    asked.once('error', reject);
    asked.end();
  });
}

async function statusOf(port: number): Promise<ServerStatus> {
  return JSON.parse((await ask(port, '/status')).text) as ServerStatus;
}

function runStatus(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('PTN_API_'));
  const child = spawn(process.execPath, [CLI, 'status', ...args], { env: Object.fromEntries(inherited) });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code, stdout, stderr });
    });
  });
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}

const holder = createServer();
const port = await listening(holder);
t.teardown(() => holder.close());
const root = makePtnRoot(t, contents);
const args = ['--admin-port', String(port), '--rest-workers', '2'];
const server = await startServer(t, { root: root.path, args });
/** What was shown of it. */
const shownTexts: string[] = [];

await t.test(
  'an admin port that is taken keeps nothing from serving, and is opened once it is free',
  async (t) => {
    t.equal((await fetch(`${server.url}/healthz`)).status, 200);
    t.match(server.output(), /"event":"admin-port-failed"/);
    holder.close();
    await waitFor(() => adminPort(server) === port, { what: 'the admin port is open' });
    t.equal((await statusOf(port)).status, 'ok');
    t.equal(
      server.output().match(/"event":"listening-admin"/g)?.length,
      1,
      'failed tries leave nothing behind',
    );
  },
);

await t.test('a client that ends its side behind its request is answered', async (t) => {
  const socket = connect(port, '127.0.0.1');
  socket.end('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
  t.match(await textOf(socket), /^HTTP\/1\.1 200 OK\r\n[^]*\nptn_api_miners/);
});

await t.test('a running server shows its metrics, its status and its usage', async (t) => {
  const headers = { Authorization: `Bearer ${KEY}` };
  const first = await fetch(`${server.url}/miner-positions/miner`, { headers });
  const etag = first.headers.get('etag') ?? '';
  const again = await fetch(`${server.url}/miner-positions/miner`, {
    headers: { ...headers, 'If-None-Match': etag },
  });
  t.equal(again.status, 304);
  t.equal((await fetch(`${server.url}/miner-hotkeys`)).status, 401);
  t.equal((await fetch(`${server.url}/nowhere/${KEY}`)).status, 404);

  const ann = 'user_id="ann",route="/miner-positions/:hotkey"';
  const usage = [
    ['user_requests_total', ann, 2],
    ['user_request_seconds_count', ann, 2],
    ['user_failures_total', 'user_id="",route="/miner-hotkeys"', 1],
    ['user_failures_total', 'user_id="",route="none"', 1],
  ] as const;
  const text = await waitFor(
    async () => {
      const metrics = (await ask(port, '/metrics')).text;
      // Each worker counts what it has answered.
      const sum = (name: string, labels: string): number =>
        metrics
          .split('\n')
          .filter((line) => line.startsWith(`ptn_api_${name}{`) && line.includes(`${labels}}`))
          .reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);
      return usage.every(([name, labels, count]) => sum(name, labels) === count) ? metrics : undefined;
    },
    { what: 'the usage is counted' },
  );
  t.match(text, /^ptn_api_http_requests_total\{.*route="\/miner-positions\/:hotkey",status="304"\} 1$/m);
  t.match(text, /^ptn_api_http_requests_total\{.*route="none",status="404"\} 1$/m);
  const expected = [
    ...['supervisor', 'feed', 'rest-1', 'rest-2', 'ws-1'].flatMap((worker) => [
      `ptn_api_process_resident_memory_bytes{process="${worker.replace(/-\d/, '')}",worker="${worker}"} `,
      `ptn_api_nodejs_eventloop_lag_p99_seconds{process="${worker.replace(/-\d/, '')}",worker="${worker}"} `,
    ]),
    'ptn_api_worker_restarts_total{process="feed",worker="feed"} 0\n',
    'ptn_api_feed_task_seconds_count{process="feed",worker="feed",task="encodeMiner"} ',
    'ptn_api_stream_open_connections{process="ws",worker="ws-1"} 0\n',
    'ptn_api_order_log_last_sequence{process="supervisor",worker="supervisor"} 0\n',
    'ptn_api_miners{process="supervisor",worker="supervisor"} 1\n',
  ];
  for (const series of expected) t.ok(text.includes(series), series);

  const status = await statusOf(port);
  t.match(status, {
    status: 'ok',
    positions: { source: 'tree', miners: 1 },
    orders: { last: 0 },
  });
  t.strictSame(status.reasons, []);
  t.strictSame(
    status.workers.map(({ id, state }) => [id, state]),
    [
      ['feed', 'ready'],
      ['rest-1', 'ready'],
      ['rest-2', 'ready'],
      ['ws-1', 'ready'],
    ],
  );
  for (const { id, memoryBytes } of status.workers) t.ok((memoryBytes ?? 0) > 10_000_000, `memory of ${id}`);
  t.ok((status.positionsUncheckedMs ?? NaN) < 15_000);
  t.equal(status.topUsers[0]?.user, 'ann');

  const shown = await runStatus('--admin-port', String(port));
  t.equal(shown.code, 0);
  t.match(shown.stdout, /: ok, up \d+ s\n/);
  t.match(shown.stdout, /^ {2}feed +\d+ +ready +\d+ s +0 +\d+ MiB +-$/m);
  t.match(shown.stdout, /^ {2}ann +\/miner-positions\/:hotkey +2 +0 /m);
  const asJson = await runStatus('--json', '--admin-port', String(port));
  t.equal((JSON.parse(asJson.stdout) as ServerStatus).pid, server.pid);

  t.equal((await ask(port, '/status', { host: `127.0.0.1:${port}` })).status, 200);
  t.equal((await ask(port, '/status', { host: 'rebound.example' })).status, 403);
  t.equal((await ask(port, '/status', { method: 'POST' })).status, 405);
  t.equal((await ask(port, '/other')).status, 404);
  shownTexts.push(text, JSON.stringify(status), shown.stdout, asJson.stdout);
});

await t.test(
  'a feed that is killed degrades the status until it is back, and its end is reported',
  async (t) => {
    const pid = (await statusOf(port)).workers[0]?.pid ?? NaN;
    process.kill(pid, 'SIGKILL');
    const degraded = await waitFor(
      async () => {
        const status = await statusOf(port);
        return status.status === 'degraded' ? status : undefined;
      },
      { what: 'the status is degraded' },
    );
    t.ok(degraded.reasons.includes('the feed is down'), degraded.reasons.join());
    const ready = await fetch(`${server.url}/readyz`);
    if (ready.status === 503) t.match(await ready.json(), { status: 'degraded' });
    const after = await waitFor(
      async () => {
        const status = await statusOf(port);
        return status.status === 'ok' ? status : undefined;
      },
      { what: 'the status is ok again' },
    );
    t.match(after.workers[0], { id: 'feed', restarts: 1, lastExit: /SIGKILL/ });
    t.match(after.lastErrors[0], { process: 'supervisor', event: 'worker-crashed' });
  },
);

await t.test('the usage is in the log, and nowhere is a key', async (t) => {
  await server.stop();
  const report = server
    .output()
    .split('\n')
    .find((line) => line.includes('"event":"usage"'));
  const ann = { user: 'ann', route: '/miner-positions/:hotkey', requests: 2, failures: 0 };
  t.match((JSON.parse(report ?? '{}') as { usage: unknown[] }).usage[0], ann);
  t.ok(shownTexts.every((text) => text.length > 0));
  t.notOk([...shownTexts, server.output()].join('').includes(KEY));
});

await t.test(
  'status tells a degraded server by its exit code, and something else from a server',
  async (t) => {
    let body = '';
    const fake = createServer((_request, response) => response.end(body));
    const port = String(await listening(fake));
    t.teardown(() => fake.close());
    const status: ServerStatus = {
      status: 'degraded',
      reasons: ['the feed is down'],
      version: '1',
      pid: 1,
      startedAtMs: 0,
      nowMs: 90_000_000,
      ptnRoot: '/root\u001b[31m',
      addresses: { rest: { host: 'h', port: 1 }, ws: { host: 'h', port: 2 } },
      workers: [],
      sources: [{ name: 'positions', modifiedMs: null }],
      positionsUncheckedMs: null,
      positions: null,
      orders: null,
      connections: { rest: { waiting: 0, dropped: 0, open: 0 }, ws: { waiting: 0, dropped: 0, open: 0 } },
      topUsers: [],
      lastErrors: [{ timeMs: 0, process: 'feed', event: 'e', message: 'm' }],
    };
    body = JSON.stringify(status);
    const shown = await runStatus('--admin-port', port);
    t.equal(shown.code, 1);
    t.match(shown.stdout, ': degraded, up 25 h 0 min\n  ! the feed is down\n  serves /root?[31m\n');
    t.match(shown.stdout, '1970-01-01T00:00:00.000Z feed e: m\n');
    body = '<html>';
    t.match(await runStatus('--admin-port', port), { code: 2, stderr: /is not the admin port of ptn-api/ });
    t.match(await runStatus('--admin-port', 'off'), {
      code: 2,
      stderr: /--admin-port \(PTN_API_ADMIN_PORT\) has to name the port/,
    });
    t.match(await runStatus('--admin-port', '70000'), {
      code: 2,
      stderr: /allowed is a whole number .*, or off/,
    });
    t.match(await runStatus('--jsn'), { code: 2, stderr: /Unknown argument: jsn/ });
  },
);
