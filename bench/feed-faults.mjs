// Makes every call of the feed that can fail do so at random, for minutes, while orders are placed: its tasks, its timers,
// what it asks of the file system, of inotify and of the order log. Then what REST, the stream and X-Sequence said must
// have been right, and every such call in the source must have failed once. Options: --minutes=10 --seed=<number>
import cluster from 'node:cluster';
import { once } from 'node:events';
import { randomInt } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FaultRun } from '../packages/cli/dist-test/fault-random-run.js';
import { row } from './lib/report.mjs';
import { atEnd, finish, projectRoot, until } from './lib/world.mjs';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } },
});
const seed = Number(values.seed ?? randomInt(2 ** 30));
const forMs = Number(values.minutes) * 60_000;
/** As few orders are kept as may be, so that some are pruned. */
const ARGS = [
  '--rest-workers',
  '1',
  '--admin-port',
  'off',
  '--rate-limit',
  '0',
  '--order-retention-count',
  '1000',
];
const START_MS = 60_000;
const STOP_MS = 30_000;
/** A start whose feed was made to fail ends the server; whoever keeps it running starts it again. */
const MAX_STARTS = 30;
/** Longer than the time between two prunings of the order log. */
const PRUNED_MS = 70_000;
/** More than are kept, and more than the order log takes in one go. */
const MANY_ORDERS = 5100;
const DIRECTED_ROUNDS = 60;
const ROUND_MS = 4000;

/** A server as pm2 starts it, so that a second one can take over from it. */
async function startServer(run, args = []) {
  cluster.setupPrimary({
    exec: join(projectRoot, 'packages/cli/dist/main.js'),
    args: [
      '--serve',
      '--ptn-root',
      run.root.path,
      '--api-rest-port',
      '0',
      '--api-ws-port',
      '0',
      ...ARGS,
      ...args,
    ],
    silent: true,
  });
  const worker = cluster.fork(run.env);
  let output = '';
  for (const stream of [worker.process.stdout, worker.process.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      output += chunk;
      if (process.env.PTN_BENCH_VERBOSE !== undefined) process.stderr.write(chunk);
    });
  }
  const exited = once(worker, 'exit');
  atEnd(async () => {
    worker.process.kill('SIGKILL');
    await exited;
  });
  let isReady = false;
  worker.on('message', (message) => (isReady ||= message === 'ready'));
  await until(() => isReady || worker.isDead(), START_MS, 'a server is ready, or has ended');
  if (worker.isDead()) return undefined;
  const addressOf = (event) => {
    const line = output.split('\n').find((text) => text.includes(`"event":"${event}"`));
    const { host, port } = JSON.parse(line);
    return `${host}:${port}`;
  };
  return {
    url: `http://${addressOf('listening')}`,
    wsUrl: `ws://${addressOf('listening-ws')}`,
    pid: worker.process.pid,
    output: () => output,
    async stop() {
      if (!worker.isDead()) worker.send('shutdown');
      await until(() => worker.isDead(), STOP_MS, `a server stops\n${output.slice(-2000)}`);
    },
  };
}

/** Starts servers until one is ready. */
async function startedServer(run, args) {
  for (let start = 1; start <= MAX_STARTS; start++) {
    const server = await startServer(run, args);
    if (server !== undefined) return server;
  }
  throw new Error(`${MAX_STARTS} starts failed, one after the other`);
}

/** As `pm2 reload`: a new server takes over while the calls of both feeds fail. */
async function reload(run, args) {
  const old = run.server;
  run.control({ isOn: true });
  const next = await startedServer(run, args);
  run.control({ isOn: false });
  await run.use(next);
  run.control({ isOn: true });
  await old.stop();
}

/** Makes those calls fail that never have, each the next time that it is made. */
async function aimAtUnmet(run, rounds, perRound) {
  for (let round = 0; round < rounds; round++) {
    const unmet = run.unmet();
    if (unmet.length === 0) break;
    run.control({ isOn: true, targets: unmet.map(({ key }) => key) });
    await perRound(round);
    run.control({ isOn: false, targets: [] });
  }
}

/** The order log is damaged while calls fail: a new one is made, of another epoch. */
async function damageLog(run) {
  const log = join(run.root.path, '.ptn-api', 'orders', 'data.mdb');
  await aimAtUnmet(run, DIRECTED_ROUNDS / 2, async () => {
    // Another file: readers go on with the one that they have mapped.
    rmSync(log, { force: true });
    writeFileSync(log, Buffer.alloc(100_000, 'damaged'));
    await run.restartFeed();
  });
}

let told = 0;
/** Where the run is, and what was wrong since it was last said. */
function tell(run, phase) {
  process.stderr.write(
    `${phase}: ${run.follower.last} orders, ${run.unmet().length} calls have never failed\n`,
  );
  for (const breach of run.breaches.slice(told)) process.stderr.write(`  WRONG: ${breach}\n`);
  told = run.breaches.length;
}

function printTable({ counts }) {
  for (const [{ name }, kinds] of counts) {
    const ways = [...kinds].map(([kind, count]) => `${kind} ${count}`).join(', ');
    process.stdout.write(`${name}: ${ways === '' ? 'NEVER' : ways}\n`);
  }
}

try {
  const run = new FaultRun(
    { scope: { teardown: atEnd }, seed, meanMs: 8000, stepMs: 120, killEveryMs: 45_000 },
    'outputs',
  );
  await run.use(await startedServer(run));
  await run.faulty(0.15 * forMs);
  tell(run, 'outputs file');
  run.validator.beginTree();
  await run.faulty(0.45 * forMs);
  tell(run, 'tree');
  await reload(run, ['--watch', 'poll']);
  await run.faulty(0.25 * forMs);
  tell(run, 'tree, polled, by a server that took over');
  await reload(run);
  await run.faulty(0.15 * forMs);
  tell(run, 'tree, by another one');
  await aimAtUnmet(run, DIRECTED_ROUNDS, async (round) => {
    if (round === 1) run.validator.openMany(MANY_ORDERS);
    else if (round % 3 === 0) await reload(run);
    else run.killFeed();
    await run.faulty(round === 1 ? PRUNED_MS : ROUND_MS);
    tell(run, `round ${round + 1} at what never failed`);
  });
  await damageLog(run);
  await run.follow();
  await run.faulty(ROUND_MS);
  tell(run, 'a new order log');

  const table = run.table();
  printTable(table);
  for (const [why, times] of run.ends()) process.stdout.write(`ended ${times} times: ${why}\n`);
  const faults = [
    ...run.faults(),
    ...table.unknown.map((site) => `a call that was not found in the source failed: ${site}`),
    ...run.unmet().map(({ name }) => `a call that never failed: ${name}`),
  ];
  const times = [...table.counts.values()].flatMap((kinds) => [...kinds.values()]).reduce((a, b) => a + b, 0);
  row(
    `seed ${seed}: ${table.counts.size} calls of the feed failed ${times} times in ${values.minutes} minutes, ` +
      `which ended it ${run.restarts() - run.kills} times, and it was killed ${run.kills} times`,
    'REST equals the files, every order once, in order, X-Sequence never ahead',
    faults.length === 0 ? `${run.orders} orders; ${run.checked} answers` : `FAULTS: ${faults.join('; ')}`,
  );
  if (faults.length > 0) process.exitCode = 1;
} finally {
  await finish();
}
