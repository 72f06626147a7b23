// A network of simulated miners for two months, in one process and without waiting: who is promoted, who fails, who is
// eliminated. Then `ptn-devnet score` must give what the validator set, and ptn-api must serve every file that it wrote.
//
// node bench/two-months.mjs [days] [miners] [seed]
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Simulation } from '@ptn-api/devnet';
import { SCORING_GENERATIONS } from '@ptn-api/scoring';
import { minersFiles, wholeFiles } from '@ptn-api/runtime';
import { row } from './lib/report.mjs';

const [days = 62, miners = 20, seed = 1] = process.argv.slice(2).map(Number);
/** The first of the two longest months that follow each other: 62 days. */
const START_MS = Date.UTC(2025, 6, 1);
const KEY = 'two-months';
/** Validators of this generation have none. */
const BUCKETS = '/challenge-period/{hotkey}';
const DEVNET = fileURLToPath(new URL('../scripts/ptn-devnet.mjs', import.meta.url));
const SERVER = fileURLToPath(new URL('../scripts/ptn-api.mjs', import.meta.url));

const root = mkdtempSync(join(tmpdir(), 'ptn-two-months-'));
const startedMs = performance.now();
let lastMs = startedMs;
const promoted = new Set();
const out = new Map();

const simulation = new Simulation({
  ...{ root, seed, miners, days, startMs: START_MS, generation: SCORING_GENERATIONS['2025-05'] },
  ...{ founders: Math.ceil(miners / 3), copiers: 1, leavers: 1 },
  onDay: (day) => {
    for (const row of simulation.validator.eliminated.values()) out.set(row.hotkey, row.reason);
    for (const [hotkey, { bucket }] of simulation.scoring.challenge) {
      if (bucket === 'MAINCOMP' && !simulation.founders.includes(hotkey)) promoted.add(hotkey);
    }
    if (day % 10 !== 0) return;
    const seconds = (performance.now() - lastMs) / 1000;
    lastMs = performance.now();
    process.stdout.write(
      `day ${day}: ${simulation.signals.accepted} orders, ${promoted.size} promoted, ${out.size} out (${seconds.toFixed(1)} s)\n`,
    );
  },
});

function count(...reasons) {
  return [...out.values()].filter((reason) => reasons.includes(reason)).length;
}

function score() {
  const args = ['score', '--root', root, '--at', String(simulation.nowMs), '--json'];
  return JSON.parse(
    execFileSync(process.execPath, [DEVNET, ...args], { encoding: 'utf8', maxBuffer: 2 ** 28 }),
  );
}

async function serve() {
  mkdirSync(join(root, 'ptn_api'), { recursive: true });
  writeFileSync(join(root, 'ptn_api/api_keys.json'), JSON.stringify({ bench: { key: KEY, tier: 500 } }));
  const args = [
    '--serve',
    '--ptn-root',
    root,
    '--api-host',
    '127.0.0.1',
    '--api-rest-port',
    '0',
    '--api-ws-port',
    '0',
  ];
  const server = spawn(process.execPath, [SERVER, ...args, '--admin-port', 'off', '--log-level', 'info'], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk) => (output += chunk));
  await new Promise((resolve, reject) => {
    server.once('message', resolve);
    server.once('exit', (code) => reject(new Error(`the server ended, code ${code}\n${output}`)));
  });
  const { host, port } = JSON.parse(output.split('\n').find((line) => line.includes('"event":"listening"')));
  return { server, url: `http://${host}:${port}` };
}

async function askAll(url, hotkey) {
  const ask = (path) => fetch(url + path, { headers: { Authorization: `Bearer ${KEY}` } });
  const routes = [
    ...wholeFiles.map(([, { places, route }]) => ({ places, route })),
    ...minersFiles.flatMap(([, { places, routes: own }]) => own.map(({ route }) => ({ places, route }))),
    { places: ['runnable/minerstatistics.json'], route: '/statistics' },
    { places: ['validation/miners'], route: '/miner-positions' },
    { places: ['validation/miners'], route: '/miner-positions/{hotkey}' },
  ];
  const answers = [];
  for (const { places, route } of routes) {
    if (route === BUCKETS || !places.some((place) => existsSync(join(root, place)))) continue;
    const { status } = await ask(route.replace('{hotkey}', hotkey));
    answers.push(`${route} ${status}`);
  }
  return answers;
}

simulation.run();
row(
  `${miners} miners for ${days} days`,
  'a few minutes',
  `${((performance.now() - startedMs) / 1000).toFixed(0)} s, ${simulation.signals.accepted} orders`,
);
row('promoted to the main competition', '>= 1', promoted.size);
row(
  'failed their challenge period',
  '>= 1',
  count('FAILED_CHALLENGE_PERIOD_TIME', 'FAILED_CHALLENGE_PERIOD_DRAWDOWN'),
);
row('eliminated otherwise', '>= 1', count('MAX_TOTAL_DRAWDOWN', 'LIQUIDATED', 'ZOMBIE'));

const report = score();
const weights = Object.entries(
  JSON.parse(readFileSync(join(root, 'validation/weights.json'), 'utf8')).weights,
);
const scored = report.miners
  .filter(({ rank }) => rank !== null)
  .map(({ hotkey, weight }) => [hotkey, weight]);
row(
  '`score` gives the weights that were set',
  'the same',
  JSON.stringify(scored) === JSON.stringify(weights) ? 'the same' : 'others',
);
const { testing, success } = JSON.parse(readFileSync(join(root, 'validation/challengeperiod.json'), 'utf8'));
const buckets = (bucket) =>
  report.miners
    .filter((one) => one.bucket === bucket)
    .map(({ hotkey }) => hotkey)
    .sort();
const isSame =
  JSON.stringify([buckets('CHALLENGE'), buckets('MAINCOMP')]) ===
  JSON.stringify([Object.keys(testing).sort(), Object.keys(success).sort()]);
row('and who stands where', 'the same', isSame ? 'the same' : 'others');

const { server, url } = await serve();
try {
  const answers = await askAll(url, weights[0][0]);
  const served = answers.filter((answer) => answer.endsWith(' 200')).length;
  row('routes of what was written', 'all of them answer', `${served} of ${answers.length}`);
  for (const answer of answers.filter((one) => !one.endsWith(' 200'))) process.stdout.write(`  ${answer}\n`);
} finally {
  server.kill('SIGTERM');
  await new Promise((resolve) => server.once('exit', resolve));
  rmSync(root, { recursive: true, force: true });
}
