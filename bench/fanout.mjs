// One stream to many clients: steady load, a client that stops reading, and a burst beside nginx's nchan module.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { startCrowd } from './lib/crowd.mjs';
import { placeOrder, streamUrl } from './lib/orders.mjs';
import { row } from './lib/report.mjs';
import {
  atEnd,
  cpuMs,
  finish,
  makeRoot,
  memoryMb,
  processTree,
  roleOf,
  startServer,
  temporaryFolder,
  until,
} from './lib/world.mjs';

const STEADY = { rate: 300, seconds: 10, crowds: [1, 100, 250, 1000] };
const BURST = { messages: 2000, crowds: [100, 1000] };
const NCHAN_MODULE = '/usr/lib/nginx/modules/ngx_nchan_module.so';
const CLIENTS_PER_KEY = 5;
const KEYS = Array.from({ length: 1000 / CLIENTS_PER_KEY + 1 }, (_, index) => `fanout-key-${index}`);
const HELLOS = KEYS.map((key) => [
  JSON.stringify({ api_key: key }),
  JSON.stringify({ type: 'subscribe', all: true }),
]);

/** All subscribed. Client i has key i % keys, so that nobody has more than its connections. */
async function crowdOf(server, count) {
  const crowd = await startCrowd({ url: streamUrl(server), count, hellos: HELLOS });
  await until(async () => (await crowd.report()).answers === 2, 30_000, 'all are subscribed');
  return crowd;
}

const wsPid = (server) => processTree(server.pid).find(({ command }) => roleOf(command) === 'ws').pid;

async function place(root, rate, count, sizeBytes) {
  const startedMs = performance.now();
  for (let index = 0; index < count; index++) {
    placeOrder(root, sizeBytes);
    const waitMs = startedMs + ((index + 1) * 1000) / rate - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}

/** Waits until every client but the first `skip` has so many messages. */
async function complete(crowd, count, skip = 0) {
  await until(
    async () => (await crowd.report(skip)).least >= count,
    120_000,
    `${count} messages at every client`,
  );
  return crowd.report(skip);
}

async function steady(root, server, count, { isOneStopped = false } = {}) {
  const crowd = await crowdOf(server, count);
  if (isOneStopped) crowd.pauseOne();
  const skip = isOneStopped ? 1 : 0;
  const messages = STEADY.rate * STEADY.seconds;
  const pid = wsPid(server);
  const beforeMs = cpuMs(pid);
  const startedMs = performance.now();
  await place(root, STEADY.rate, messages, 1500);
  const { p50, p99, total } = await complete(crowd, messages, skip);
  const cpu = (cpuMs(pid) - beforeMs) / (performance.now() - startedMs);
  const memory = Math.round(memoryMb(pid).rss);
  if (isOneStopped) crowd.resumeOne();
  // Reads on, and has everything in the end.
  await complete(crowd, messages);
  row(
    `${count} clients, ${STEADY.rate} messages/s of 1.5 KB${isOneStopped ? ', one of them not reading until the end' : ''}`,
    count === 250 ? 'no gap, p99 <= 20 ms, below one core' : '-',
    `${total === messages * (count - skip) ? 'every message' : `${total} OF ${messages * (count - skip)}`}, ` +
      `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${cpu.toFixed(2)} cores of the WebSocket worker, ` +
      `which has ${memory} MB${isOneStopped ? '; that one then has everything, too' : ''}`,
  );
  await crowd.close();
}

/** Deliveries per second from the first to the last of a burst, all of whose orders are found at once. */
async function burst(root, server, count) {
  const crowd = await crowdOf(server, count);
  const feed = processTree(server.pid).find(({ command }) => roleOf(command) === 'feed').pid;
  process.kill(feed, 'SIGSTOP');
  for (let index = 0; index < BURST.messages; index++) placeOrder(root, 3000);
  process.kill(feed, 'SIGCONT');
  const { total, firstMs, lastMs } = await complete(crowd, BURST.messages);
  await crowd.close();
  return { total, perSecond: total / ((lastMs - firstMs) / 1000), spanMs: lastMs - firstMs };
}

async function startNchan() {
  const folder = temporaryFolder('nchan');
  const port = 20_000 + (process.pid % 20_000);
  writeFileSync(
    join(folder, 'nginx.conf'),
    `load_module ${NCHAN_MODULE};
     daemon off; user root; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
     events { worker_connections 4096; }
     http { access_log off; nchan_shared_memory_size 256M;
       server { listen 127.0.0.1:${port};
         location /sub { nchan_subscriber websocket; nchan_channel_id burst; nchan_subscriber_first_message newest; }
         location /pub { nchan_publisher; nchan_channel_id burst; nchan_message_buffer_length 4000; }
       } }`,
  );
  const nginx = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'inherit' });
  atEnd(async () => {
    nginx.kill('SIGTERM');
    if (nginx.exitCode === null) await once(nginx, 'exit');
  });
  const url = `http://127.0.0.1:${port}`;
  await until(
    () =>
      fetch(`${url}/pub`).then(
        () => true,
        () => false,
      ),
    5000,
    'nchan answers',
  );
  return url;
}

/** The same messages through nchan, over 16 connections that publish as fast as they are answered. */
async function nchanBurst(url, count) {
  const crowd = await startCrowd({ url: `${url}/sub`, count, hellos: [[]] });
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const body = (index) => {
    const head = `{"sequence":${index},"timestamp":${Date.now()},"data":"`;
    return `${head}${'x'.repeat(3000 - head.length - 2)}"}`;
  };
  let next = 0;
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      while (next < BURST.messages) {
        const text = body((next += 1));
        await new Promise((resolve, reject) => {
          const asked = request(`${url}/pub`, { method: 'POST', agent }, (response) => {
            response.resume().once('end', resolve);
          });
          asked.once('error', reject);
          asked.end(text);
        });
      }
    }),
  );
  agent.destroy();
  const { total, firstMs, lastMs } = await complete(crowd, BURST.messages);
  await crowd.close();
  return { total, perSecond: total / ((lastMs - firstMs) / 1000), spanMs: lastMs - firstMs };
}

try {
  delete process.env.PTN_BENCH_ROOT;
  const root = await makeRoot({ miners: 16, positions: 640, name: 'fanout' });
  writeFileSync(
    join(root, 'ptn_api', 'api_keys.json'),
    JSON.stringify(Object.fromEntries(KEYS.map((key) => [key, { key, tier: 100 }]))),
    { mode: 0o600 },
  );
  const server = await startServer(root);
  for (const count of STEADY.crowds) await steady(root, server, count);
  await steady(root, server, 250, { isOneStopped: true });

  const hasNchan = spawnSync('sh', ['-c', 'command -v nginx']).status === 0 && existsSync(NCHAN_MODULE);
  if (!hasNchan) process.stdout.write('nchan is not installed (apt-get install nginx libnginx-mod-nchan)\n');
  const nchan = hasNchan ? await startNchan() : undefined;
  for (const count of BURST.crowds) {
    const ours = await burst(root, server, count);
    const theirs = nchan === undefined ? undefined : await nchanBurst(nchan, count);
    row(
      `burst of ${BURST.messages} orders of 3 KB to ${count} clients`,
      'at least as many deliveries/s as nchan',
      `${Math.round(ours.perSecond)}/s (${(ours.spanMs / 1000).toFixed(2)} s)` +
        (theirs === undefined
          ? ''
          : `, nchan ${Math.round(theirs.perSecond)}/s (${(theirs.spanMs / 1000).toFixed(2)} s)`),
    );
  }
} finally {
  await finish();
}
