// Ledgers of tens of megabytes: what reading them costs and how fast they are served by miner; and what forwarding adds.
import { once } from 'node:events';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { row } from './lib/report.mjs';
import {
  atEnd,
  cpuMs,
  finish,
  memoryMb,
  processTree,
  quantile,
  roleOf,
  startServer,
  temporaryFolder,
  until,
} from './lib/world.mjs';

const MINERS = 256;
const TEXT_BYTES = 60 * 2 ** 20;
const CONNECTIONS = 16;
const SECONDS = 5;
const FORWARDED = 2000;
const KEY = 'bench-key';
const HEADERS = { Authorization: `Bearer ${KEY}`, 'Accept-Encoding': 'gzip' };

const hotkeyOf = (index) => `5${String(index).padStart(4, '0')}${'A'.repeat(43)}`;

/** One checkpoint as validators of December 2025 write it; its numbers are as long as theirs. */
function checkpoint(seed, index) {
  const noise = (scale) => Number((Math.sin(seed * 97 + index * 13 + scale) * scale).toPrecision(16));
  return {
    last_update_ms: 1_765_000_000_000 + index * 43_200_000,
    prev_portfolio_ret: 1 + noise(0.01),
    prev_portfolio_realized_pnl: noise(1000),
    prev_portfolio_unrealized_pnl: noise(100),
    prev_portfolio_spread_fee: 1 - Math.abs(noise(0.001)),
    prev_portfolio_carry_fee: 1 - Math.abs(noise(0.002)),
    accum_ms: 43_200_000,
    open_ms: 43_000_000,
    n_updates: 8_000 + index,
    gain: Math.abs(noise(0.02)),
    loss: -Math.abs(noise(0.03)),
    spread_fee_loss: 0.0,
    carry_fee_loss: -Math.abs(noise(0.001)),
    mdd: 1 - Math.abs(noise(0.05)),
    mpv: 1 + Math.abs(noise(0.05)),
    realized_pnl: noise(500),
    unrealized_pnl: noise(50),
  };
}

/** The text of one miner's ledgers: `portfolio` and some pairs. */
function ledgersOf(miner, version, checkpoints) {
  const names = ['portfolio', 'BTCUSD', 'ETHUSD', 'EURUSD'];
  const ledger = (name, index) => ({
    initialization_time_ms: 1_760_000_000_000,
    max_return: 1.1,
    target_cp_duration_ms: 43_200_000,
    target_ledger_window_ms: 10_368_000_000,
    cps: Array.from({ length: checkpoints }, (_, at) => checkpoint(miner * 8 + index + version, at)),
    last_known_prices: {},
  });
  return JSON.stringify(Object.fromEntries(names.map((name, index) => [name, ledger(name, index)])));
}

function fileOf(texts) {
  return `{${texts.map((text, index) => `"${hotkeyOf(index)}": ${text}`).join(', ')}}`;
}

/** As the validator does: aside first, then renamed into place. */
function write(root, text) {
  const path = join(root, 'validation', 'perf_ledgers.json.gz');
  writeFileSync(`${path}.tmp`, gzipSync(text, { level: 1 }));
  renameSync(`${path}.tmp`, path);
}

function memory(server) {
  const tree = processTree(server.pid).map(({ pid, command }) => ({ role: roleOf(command), pid }));
  return {
    pss: tree.reduce((sum, { pid }) => sum + memoryMb(pid).pss, 0),
    feed: tree.find(({ role }) => role === 'feed')?.pid,
  };
}

/** Idle threads of the feed end after 5 s, and what they held with them. */
const rest = () => new Promise((resolve) => setTimeout(resolve, 8000));

const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

async function ask(url, headers = HEADERS) {
  const [answer] = await once(request(url, { headers, agent }).end(), 'response');
  let bytes = 0;
  for await (const piece of answer) bytes += piece.length;
  return { status: answer.statusCode, etag: answer.headers.etag, bytes };
}

async function measureLedgers() {
  const root = temporaryFolder('ledgers');
  mkdirSync(join(root, 'validation', 'miners'), { recursive: true });
  mkdirSync(join(root, 'vanta_api'));
  writeFileSync(join(root, 'vanta_api', 'api_keys.json'), JSON.stringify({ u: { key: KEY, tier: 100 } }), {
    mode: 0o600,
  });
  const checkpoints = Math.round(TEXT_BYTES / MINERS / (ledgersOf(0, 0, 100).length / 100));
  const texts = Array.from({ length: MINERS }, (_, index) => ledgersOf(index, 0, checkpoints));
  const server = await startServer(root);
  const before = memory(server);
  const url = (index) => `${server.url}/perf-ledger/${hotkeyOf(index)}`;

  async function change(what, text, isThere) {
    const cpuBefore = cpuMs(before.feed);
    const startedMs = performance.now();
    write(root, text);
    await until(isThere, 60_000, what);
    const ms = performance.now() - startedMs;
    // What the feed still does behind the first worker's answer.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    row(
      what,
      '',
      `${(ms / 1000).toFixed(1)} s, ${((cpuMs(before.feed) - cpuBefore) / 1000).toFixed(1)} s CPU of the feed`,
    );
  }
  const text = fileOf(texts);
  row('perf ledgers', '', `${(text.length / 2 ** 20).toFixed(0)} MiB, ${MINERS} miners`);
  await change('written, until served', text, async () => (await ask(url(0))).status === 200);
  const { etag, bytes } = await ask(url(0));
  await rest();
  const after = memory(server);
  row('memory of all processes, shared pages once', '', `${(after.pss - before.pss).toFixed(0)} MB more`);
  texts[0] = ledgersOf(0, 1, checkpoints);
  await change('one miner changed', fileOf(texts), async () => (await ask(url(0))).etag !== etag);
  const changed = await ask(url(MINERS - 1));
  const all = texts.map((_, index) => ledgersOf(index, 2, checkpoints));
  await change('all changed', fileOf(all), async () => (await ask(url(MINERS - 1))).etag !== changed.etag);
  await rest();
  row('memory after that', '', `${(memory(server).pss - before.pss).toFixed(0)} MB more`);

  let count = 0;
  const deadline = performance.now() + SECONDS * 1000;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async (_, index) => {
      for (let at = index; performance.now() < deadline; at += CONNECTIONS) {
        await ask(url(at % MINERS));
        count += 1;
      }
    }),
  );
  row(
    `requests by miner, ${CONNECTIONS} connections`,
    '',
    `${(count / SECONDS).toFixed(0)}/s of ${(bytes / 1024).toFixed(0)} KB`,
  );
  await server.stop();
}

/** The validator's own server, in a process of its own. */
async function startTarget() {
  const child = fork(fileURLToPath(new URL('./lib/forward-target.mjs', import.meta.url)));
  atEnd(() => child.kill());
  const [port] = await once(child, 'message');
  return `http://127.0.0.1:${port}`;
}

async function measureForwarding() {
  const target = await startTarget();
  const root = temporaryFolder('forward');
  mkdirSync(join(root, 'validation', 'miners'), { recursive: true });
  mkdirSync(join(root, 'vanta_api'));
  writeFileSync(join(root, 'vanta_api', 'api_keys.json'), JSON.stringify({ u: { key: KEY, tier: 100 } }), {
    mode: 0o600,
  });
  const server = await startServer(root, ['--forward-to', target, '--max-connections-per-address', '0']);
  const timed = async (url) => {
    const startedMs = performance.now();
    const { status } = await ask(url);
    if (status !== 200) throw new Error(`${url} answered ${status}`);
    return performance.now() - startedMs;
  };
  const direct = [];
  const forwarded = [];
  for (let turn = 0; turn < FORWARDED + 200; turn++) {
    const [one, other] = [await timed(`${target}/miner/x`), await timed(`${server.url}/miner/x`)];
    // The first ones open connections and compile.
    if (turn >= 200) {
      direct.push(one);
      forwarded.push(other);
    }
  }
  for (const q of [0.5, 0.99]) {
    const [one, other] = [quantile(direct, q), quantile(forwarded, q)];
    row(
      `forwarding, p${q * 100}`,
      '',
      `${one.toFixed(2)} ms directly, ${other.toFixed(2)} ms passed on: ${(other - one).toFixed(2)} ms added`,
    );
  }
}

try {
  await measureLedgers();
  await measureForwarding();
} finally {
  agent.destroy();
  await finish();
}
