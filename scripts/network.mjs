// The network in one folder that is removed at the end: a validator with simulated miners, ptn-api, and one miner of yours.
import { execFileSync, fork, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { projectRoot } from './steps.mjs';

const DAY_MS = 86_400_000;
/** Of the months that validators keep, as much as is made up in some seconds. */
const HISTORY_DAYS = 14;
/** A day in a second, until it is now. */
const HISTORY_SPEED = 86_400;
const TIERS = [100, 50, 30, 0];
/** How long a part of the network may take to stop. */
const STOP_WITHIN_MS = 15_000;
const PAIR = 'BTCUSD';

const command = (name) => join(projectRoot, 'scripts', `${name}.mjs`);

/** `wanted` if nobody listens there, else any port that is free. */
export async function portOr(wanted) {
  for (const port of [wanted, 0]) {
    const server = createServer();
    const isFree = await new Promise((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    const { port: found } = server.address();
    await new Promise((resolve) => server.close(resolve));
    return found;
  }
  throw new Error('no port is free');
}

/** The port that the arguments ask for, with 0 for any; else the one that is documented, if it is free. */
function portOf(args, option, documented) {
  const at = args.findIndex((arg) => arg === option || arg.startsWith(`${option}=`));
  if (at === -1) return portOr(documented);
  const value = args[at] === option ? args[at + 1] : args[at].slice(option.length + 1);
  args.splice(at, args[at] === option ? 2 : 1);
  return portOr(Number(value));
}

/** A process of the network, with its log in a file. In a group of its own: Ctrl-C is for this process, which stops all. */
export function startPart(name, args, { log, env }) {
  const output = openSync(log, 'w');
  const child = fork(command(name), args, {
    detached: true,
    // None of this process, which may have been started in any way.
    execArgv: [],
    stdio: ['ignore', output, output, 'ipc'],
    env: { ...process.env, ...env },
  });
  closeSync(output);
  const ready = new Promise((resolve) => child.once('message', resolve));
  return { name, child, log, ready, ended: endOf(child) };
}

const endOf = (child) =>
  new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });

export async function stopPart({ child, ended }, signal = 'SIGTERM') {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  child.kill(signal);
  await ended;
  clearTimeout(timer);
}

/** A part ended by itself: what it wrote last says why. */
class PartEnded extends Error {
  constructor({ name, log }, how) {
    const text = log === undefined ? '' : `\n${readFileSync(log, 'utf8').split('\n').slice(-6).join('\n')}`;
    super(`${name} has ended: ${how}${text}`);
  }
}

const fault = async (part) => {
  throw new PartEnded(part, await part.ended);
};

/** What `part` sends when it is ready. @throws PartEnded */
export const readyOf = (part) => Promise.race([part.ready, fault(part)]);

function startValidator(root, own, historyDays) {
  const startMs = Date.now() - historyDays * DAY_MS;
  const history = ['--start-ms', `${startMs}`, '--speed', `${HISTORY_SPEED}`, '--catch-up'];
  const args = ['run', '--root', root, '--metagraph', own, '--axon-port', '0', '--miners', '12', ...history];
  return startPart('ptn-devnet', args, { log: join(root, '..', 'validator.log') });
}

/** Resolves when the validator's time is that of the world. */
async function caughtUp(validator, root) {
  const isReal = () => JSON.parse(readFileSync(join(root, 'devnet', 'state.json'), 'utf8')).isReal;
  const ended = fault(validator);
  ended.catch(() => undefined);
  while (!isReal()) await Promise.race([delay(200), ended]);
}

function writeKeys(root) {
  const keys = new Map(TIERS.map((tier) => [tier, `demo-tier-${tier}-${randomBytes(12).toString('hex')}`]));
  mkdirSync(join(root, 'ptn_api'), { recursive: true });
  const entries = [...keys].map(([tier, key]) => [`demo-tier-${tier}`, { key, tier }]);
  writeFileSync(join(root, 'ptn_api', 'api_keys.json'), JSON.stringify(Object.fromEntries(entries)), {
    mode: 0o600,
  });
  return keys;
}

/** Your miner before it runs: a wallet, a key for signals, and its place in the metagraph. */
export function prepareMiner(folder) {
  const wallet = ['--wallet.path', join(folder, 'wallets'), '--wallet.name', 'demo'];
  const [hotkey] = execFileSync(process.execPath, [command('ptn-miner'), 'wallet', 'new', ...wallet], {
    encoding: 'utf8',
  }).split('\n');
  const signalsKey = randomBytes(12).toString('hex');
  mkdirSync(join(folder, 'mining'), { recursive: true });
  writeFileSync(join(folder, 'mining', 'miner_secrets.json'), JSON.stringify({ api_key: signalsKey }), {
    mode: 0o600,
  });
  const own = join(folder, 'own.json');
  writeFileSync(own, JSON.stringify({ netuid: 8, neurons: [{ hotkey }] }));
  return { hotkey, wallet, signalsKey, own };
}

function networkText({ folder, rest, ws, keys, miner, parts }) {
  const page = /its page at ([^,\s]+)/.exec(parts.data ?? '')?.[1];
  const signals = /at (\S+)$/.exec(parts.signals ?? '')?.[1];
  const key = keys.get(100);
  return `
A validator with 12 simulated miners and your own trades in ${folder}
The server answers at ${rest} (WebSocket clients connect to ${ws})
Pages:
  what the network does   ${rest}/dashboard   (with the key of tier 100)
  what your miner does    ${page ?? 'none: its ports are in use'}

Keys:
${TIERS.map((tier) => `  tier ${String(tier).padEnd(3)}  ${keys.get(tier)}`).join('\n')}

Send an order of your own:
  curl -H 'Content-Type: application/json' -d '{"api_key": "${miner.signalsKey}", "trade_pair": "${PAIR}", "order_type": "LONG", "leverage": 0.1}' '${signals}'
and see it, in another terminal before you send it:
  npx ptn-stream ${key} 127.0.0.1 ${ws.split(':').at(-1)}
or afterwards:
  curl --compressed -H 'Authorization: Bearer ${key}' '${rest}/miner-positions/${miner.hotkey}'

Also:
  curl --compressed -H 'Authorization: Bearer ${key}' '${rest}/miner-hotkeys'
  curl --compressed -H 'Authorization: Bearer ${keys.get(30)}' '${rest}/miner-positions?tier=30'
  curl --compressed -H 'Authorization: Bearer ${keys.get(0)}' '${rest}/statistics?checkpoints=false'
  curl '${rest}/healthz'

Logs of validator and miner: ${join(folder, 'validator.log')}, ${join(folder, 'miner.log')}
Ctrl-C stops everything and removes the folder.

`;
}

/**
 * Runs the network until it is asked to stop or a part of it has ended.
 *
 * @param args of ptn-api
 * @returns the exit code
 */
export async function runNetwork(args, historyDays = HISTORY_DAYS) {
  if (args.includes('--help') || args.includes('--version')) {
    const shown = spawn(process.execPath, [command('ptn-api'), ...args], { stdio: 'inherit' });
    return (await endOf(shown)) === 'exit code 0' ? 0 : 1;
  }
  const stopping = new AbortController();
  const stopped = new Promise((resolve) =>
    stopping.signal.addEventListener('abort', () => resolve('stopped')),
  );
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stopping.abort());
  const folder = mkdtempSync(join(tmpdir(), 'ptn-demo-'));
  const started = [];
  try {
    const outcome = await Promise.race([
      stopped,
      startAll({ folder, args: [...args], historyDays }, started),
    ]);
    if (outcome === 'stopped') return 0;
    process.stdout.write(networkText(outcome));
    await Promise.race([stopped, ...started.map(fault)]);
    return 0;
  } catch (error) {
    if (!(error instanceof PartEnded)) throw error;
    if (stopping.signal.aborted) return 0;
    process.stderr.write(`${error.message}\n`);
    return 1;
  } finally {
    // The miner first: it sends to the validator; the server last, since it only reads.
    for (const part of started.toReversed()) await stopPart(part);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startAll({ folder, args, historyDays }, started) {
  const root = join(folder, 'validator');
  mkdirSync(root);
  const keys = writeKeys(root);
  const miner = prepareMiner(folder);
  const restPort = await portOf(args, '--api-rest-port', 48_888);
  const wsPort = await portOf(args, '--api-ws-port', 8765);

  process.stderr.write(`- ${historyDays} days of trading are made up, a day in a second\n`);
  const validator = startValidator(root, miner.own, historyDays);
  started.push(validator);
  const { metagraph } = await readyOf(validator);
  await caughtUp(validator, root);

  const ports = ['--api-rest-port', `${restPort}`, '--api-ws-port', `${wsPort}`];
  const serverArgs = [command('ptn-api'), '--serve', '--ptn-root', root, ...ports, ...args];
  const child = spawn(process.execPath, serverArgs, {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const server = {
    name: 'ptn-api',
    child,
    ready: new Promise((resolve) => child.once('message', resolve)),
    ended: endOf(child),
  };
  started.push(server);
  await readyOf(server);

  const signalsPort = await portOr(8088);
  const minerArgs = [
    ...['run', '--mining-dir', join(folder, 'mining'), '--metagraph', metagraph, '--start-dashboard'],
    ...['--signals-port', `${signalsPort}`, ...miner.wallet],
  ];
  const minerPart = startPart('ptn-miner', minerArgs, { log: join(folder, 'miner.log') });
  started.push(minerPart);
  const parts = await readyOf(minerPart);
  return {
    ...{ folder, keys, miner, parts },
    rest: `http://127.0.0.1:${restPort}`,
    ws: `ws://127.0.0.1:${wsPort}`,
  };
}
