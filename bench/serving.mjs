// REST throughput against nginx sending the same bytes as a file, on the same machine in the same run.
import { execFileSync, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, gunzipSync } from 'node:zlib';
import {
  atEnd,
  finish,
  KEYS,
  makeRoot,
  projectRoot,
  quantile,
  startServer,
  temporaryFolder,
  treeSize,
  until,
} from './lib/world.mjs';
import { row } from './lib/report.mjs';

const CONNECTIONS = 16;
const SECONDS = 5;
const ROUNDS = 3;

/** Customers in turns: one has no more than 8 large answers under way. */
const CUSTOMERS = ['a', 'b', 'c', 'd'].map((name) => `bench-customer-${name}`);
const SCRIPT = `
local keys, turn = { ${CUSTOMERS.map((key) => `"Bearer ${key}"`).join(', ')} }, 0
function request()
  turn = turn % #keys + 1
  wrk.headers["Authorization"] = keys[turn]
  return wrk.format()
end
`;

/** Requests and bytes per second of one run of wrk. */
function load(script, url, headers) {
  // 16 bodies of 23 MB take longer than wrk's 2 s where a machine is slow.
  const args = ['-t', '1', '-c', String(CONNECTIONS), '-d', `${SECONDS}s`, '--timeout', '20s', '-s', script];
  for (const [name, value] of Object.entries(headers)) args.push('-H', `${name}: ${value}`);
  const text = execFileSync('wrk', [...args, url], { encoding: 'utf8' });
  const requests = Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]);
  const [, amount, unit] = /Transfer\/sec:\s+([\d.]+)([KMG]?)B/.exec(text) ?? [];
  const errors = /Socket errors: .*|Non-2xx or 3xx responses: .*/.exec(text)?.[0];
  const bytes = Number(amount) * { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[unit];
  return { requests, bytes, errors };
}

async function startNginx(body) {
  const folder = temporaryFolder('nginx');
  mkdirSync(join(folder, 'www'));
  writeFileSync(join(folder, 'www', 'body'), body);
  const port = 20_000 + (process.pid % 20_000);
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; user root; worker_processes 2; pid ${folder}/pid; error_log ${folder}/error.log;
     events { worker_connections 256; }
     http { access_log off; sendfile on; tcp_nopush on; default_type application/json;
       server { listen 127.0.0.1:${port}; root ${folder}/www; } }`,
  );
  const nginx = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'inherit' });
  atEnd(async () => {
    nginx.kill('SIGTERM');
    if (nginx.exitCode === null) await once(nginx, 'exit');
  });
  const url = `http://127.0.0.1:${port}/body`;
  await until(
    async () =>
      fetch(url, { method: 'HEAD' }).then(
        () => true,
        () => false,
      ),
    5000,
    'nginx answers',
  );
  return url;
}

/** The body as it is sent: fetch would decompress it. */
function compressedBody(url, { Authorization }) {
  const sent = ['-H', `Authorization: ${Authorization}`, '-H', 'Accept-Encoding: gzip'];
  return execFileSync('curl', ['-sf', ...sent, url], { maxBuffer: 1 << 30 });
}

/** Where a bare Fastify route sends the body. */
async function startBareRoute(body) {
  const file = join(temporaryFolder('bare'), 'body');
  writeFileSync(file, body);
  const child = fork(join(projectRoot, 'bench', 'lib', 'bare-route.mjs'), [file]);
  atEnd(() => child.disconnect());
  const [port] = await once(child, 'message');
  return `http://127.0.0.1:${port}`;
}

try {
  for (const program of ['nginx', 'wrk']) {
    if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0) {
      process.stdout.write(`skipped: ${program} is not installed (apt-get install ${program})\n`);
      process.exit(0);
    }
  }
  const root = await makeRoot({ miners: 256, positions: 100_000 });
  const keys = Object.fromEntries(CUSTOMERS.map((key) => [key, { key, tier: 100 }]));
  writeFileSync(
    join(root, 'ptn_api', 'api_keys.json'),
    JSON.stringify({ ...keys, u100: { key: KEYS[100], tier: 100 } }),
    {
      mode: 0o600,
    },
  );
  const script = join(temporaryFolder('wrk'), 'customers.lua');
  writeFileSync(script, SCRIPT);
  const server = await startServer(root);
  const compressed = { 'Accept-Encoding': 'gzip' };
  const headers = { Authorization: `Bearer ${KEYS[100]}`, ...compressed };
  const url = `${server.url}/miner-positions?tier=100`;
  const response = await fetch(url, { headers: { ...headers, 'Accept-Encoding': 'identity' } });
  const text = Buffer.from(await response.arrayBuffer());
  const body = compressedBody(url, headers);
  if (!gunzipSync(body).equals(text)) throw new Error('gzip and identity differ');
  const { files, bytes } = treeSize(root);
  process.stdout.write(
    `${files} files, ${(bytes / 1e6).toFixed(1)} MB; body ${(body.byteLength / 1e6).toFixed(1)} MB gzip\n\n`,
  );

  row(
    'full gzip size against whole-body gzip -6',
    '<= 1.08',
    (body.byteLength / gzipSync(text, { level: 6 }).byteLength).toFixed(3),
  );

  const nginx = await startNginx(body);
  const ratios = [];
  const speeds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const ours = load(script, url, compressed);
    const theirs = load(script, nginx, {});
    if (ours.errors ?? theirs.errors) throw new Error(`${ours.errors} ${theirs.errors}`);
    ratios.push(ours.bytes / theirs.bytes);
    speeds.push(`${(ours.bytes / 1e9).toFixed(2)}/${(theirs.bytes / 1e9).toFixed(2)}`);
  }
  row(
    `full body, ${CONNECTIONS} connections, against nginx sending the same file`,
    '>= 0.8',
    `${quantile(ratios, 0.5).toFixed(2)} (${ROUNDS} rounds, GB/s ours/nginx: ${speeds.join(', ')})`,
  );
  await server.stop();

  const single = await startServer(root, ['--rest-workers', '1']);
  const hotkeys = await (await fetch(`${single.url}/miner-hotkeys`, { headers })).json();
  // Positions change by themselves, when 24 hours have passed.
  const { headers: known } = await fetch(`${single.url}/miner-hotkeys`, { method: 'HEAD', headers });
  const path = `/miner-positions/${hotkeys[Math.floor(hotkeys.length / 2)]}`;
  const bare = await startBareRoute(compressedBody(`${single.url}${path}`, headers));
  const same = { ...compressed, 'If-None-Match': known.get('etag') };
  const rows = [
    ['304', '>= 0.4', '/miner-hotkeys', same, '/same'],
    ['one miner', '>= 0.5', path, compressed, '/body'],
  ];
  for (const [title, goal, ourPath, sent, theirPath] of rows) {
    const rounds = Array.from({ length: ROUNDS }, () => {
      const ours = load(script, single.url + ourPath, sent);
      const theirs = load(script, bare + theirPath, {});
      for (const { errors } of [ours, theirs]) if (errors) throw new Error(errors);
      return { ratio: ours.requests / theirs.requests, ours, theirs };
    });
    const ratio = quantile(
      rounds.map((round) => round.ratio),
      0.5,
    );
    const rates = rounds.map(
      ({ ours, theirs }) => `${Math.round(ours.requests)}/${Math.round(theirs.requests)}`,
    );
    const kilobytes = Math.round(rounds[0].ours.bytes / rounds[0].ours.requests / 1000);
    row(
      `${title}, one worker, against a bare Fastify route with the same answer`,
      goal,
      `${ratio.toFixed(2)} (${kilobytes} KB each; requests/s ours/bare: ${rates.join(', ')})`,
    );
  }
} finally {
  await finish();
}
