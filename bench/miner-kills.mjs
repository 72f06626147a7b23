// What becomes of 2,000 signals while the miner, or one of its parts, is killed 200 times at random moments, with five
// validators: one that is well, one that answers late or hangs up, one that is silent or answers twice, one that answers
// 500, and one that is away for a while.
import { setTimeout as delay } from 'node:timers/promises';
import { isRunning } from '../packages/testkit/dist/index.js';
import { makeMinerWorld, postSignal } from '../packages/miner/dist-test/miner-fixture.js';

const [KILLS, SIGNALS] = [200, 2_000];
const LATE_MS = 1_500;
const POST_EVERY_MS = 100;
const FLAGS = ['--second-attempt-after-ms', '50', '--third-attempt-after-ms', '50'];
FLAGS.push('--order-timeout-ms', '1000', '--signals-per-minute', '1000000');
const PAIRS = 'BTCUSD ETHUSD SOLUSD XRPUSD DOGEUSD EURUSD GBPUSD AUDUSD NZDUSD USDCAD USDCHF EURGBP'.split(
  ' ',
);

const sometimes =
  (...faults) =>
  () =>
    Math.random() < 0.2 ? faults[Math.floor(Math.random() * faults.length)] : 'accept';

const teardowns = [];
const world = await makeMinerWorld(
  { teardown: (fn) => teardowns.push(fn) },
  [
    () => 'accept',
    sometimes('late', 'hang up', 'garbage'),
    sometimes('silent', 'twice'),
    sometimes('error'),
    () => 'accept',
  ],
  LATE_MS,
);
const absent = world.validators[4];
let miner = world.start(...FLAGS);
await miner.ready();
const startedMs = performance.now();

let posted = 0;
let repeated = 0;
const posting = (async () => {
  while (posted < SIGNALS) {
    const signal = {
      trade_pair: PAIRS[posted % PAIRS.length],
      order_type: 'LONG',
      leverage: 0.001 * (posted + 1),
    };
    const isTaken = await postSignal(world.port, signal).then(
      ({ status }) => status === 200,
      () => false,
    );
    if (isTaken) posted += 1;
    else repeated += 1;
    // Signals arrive for as long as there are kills.
    await delay(isTaken ? POST_EVERY_MS : 20);
  }
})();

const killed = { miner: 0, part: 0 };
for (let number = 0; number < KILLS; number += 1) {
  await delay(100 + Math.random() * 2_500);
  const isMinersTurn = Math.random() < 0.3;
  // While the miner starts there is no part to kill.
  while (!isMinersTurn && miner.partPids().length === 0) {
    if (!isRunning(miner.pid)) throw new Error(`the miner has ended by itself: ${miner.printed()}`);
    await delay(20);
  }
  const parts = miner.partPids();
  const victim = isMinersTurn ? miner.pid : parts[Math.floor(Math.random() * parts.length)];
  try {
    process.kill(victim, 'SIGKILL');
  } catch (error) {
    // A part that has ended since it was looked up.
    if (error.code !== 'ESRCH' || isMinersTurn) throw error;
    number -= 1;
    continue;
  }
  killed[isMinersTurn ? 'miner' : 'part'] += 1;
  if (isMinersTurn) {
    await miner.exited;
    miner = world.start(...FLAGS);
  }
  if ((number + 1) % 20 === 0) process.stderr.write(`${number + 1} kills, ${posted} signals\n`);
  if (number === KILLS / 4) await absent.vanish();
  if (number === KILLS / 2) await absent.listen();
}
const killsMs = performance.now() - startedMs;
await posting;
while (world.filesOf('received').length > 0) await delay(200);
const totalMs = performance.now() - startedMs;

const [processed, failed] = [world.filesOf('processed'), world.filesOf('failed')];
const all = [...processed, ...failed];
const problems = [];
if (new Set(all).size !== all.length) problems.push('a signal has two outcomes');
for (const [index, { orders, refusals }] of world.validators.entries()) {
  const uuids = new Set(orders.map(({ uuid }) => uuid));
  if (uuids.size !== orders.length) problems.push(`validator ${index} has an order twice`);
  const lacks = all.filter((uuid) => !uuids.has(uuid));
  // Who was away, or answered 500 to every attempt, may lack an order: its signal has failed then.
  const mayLack = index >= 3 ? failed : [];
  const missing = lacks.filter((uuid) => !mayLack.includes(uuid));
  if (missing.length > 0) problems.push(`validator ${index} lacks ${missing.length} orders`);
  const bad = refusals.filter((text) => !text.includes('has already been processed'));
  if (bad.length > 0) problems.push(`validator ${index} refused ${bad.length} requests: ${bad[0]}`);
  const repeats = refusals.length - bad.length;
  process.stdout.write(`validator ${index}: ${orders.length} orders, ${repeats} repeats that it refused\n`);
}
process.stdout.write(
  `${killed.miner} kills of the miner, ${killed.part} of a part, in ${(killsMs / 1000).toFixed(0)} s; all done after ${(totalMs / 1000).toFixed(0)} s\n` +
    `${posted} signals answered with 200, ${repeated} requests cut off and made again\n` +
    `${processed.length} processed, ${failed.length} failed\n`,
);
for (const problem of problems) process.stdout.write(`WRONG: ${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
await miner.stop();
for (const teardown of teardowns.reverse()) await teardown();
