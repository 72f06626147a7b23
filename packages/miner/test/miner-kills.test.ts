import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { API_KEY, makeMinerWorld, postSignal } from './miner-fixture.ts';
import type { MinerWorld, RunningMiner } from './miner-fixture.ts';
import type { Behaviour } from './strict-validator.ts';

const KILLS = 20;
const SIGNALS = 120;
const LATE_MS = 700;
/** The validator that answers 500 now and then. */
const ERRS = 2;
const QUICK = [
  '--second-attempt-after-ms',
  '50',
  '--third-attempt-after-ms',
  '50',
  '--order-timeout-ms',
  '400',
];
const PAIRS = ['BTCUSD', 'ETHUSD', 'SOLUSD', 'EURUSD', 'GBPUSD', 'AUDUSD', 'USDCAD', 'NZDUSD'];

/** Every third request meets a fault. */
function sometimes(...faults: readonly Behaviour[]): (request: number) => Behaviour {
  return (request) =>
    request % 3 === 1 ? (faults[Math.floor(request / 3) % faults.length] ?? 'accept') : 'accept';
}

async function postUntilTaken(world: MinerWorld, index: number): Promise<void> {
  const signal = {
    trade_pair: PAIRS[index % PAIRS.length],
    order_type: 'LONG',
    leverage: 0.001 * (index + 1),
  };
  await waitFor(async () => (await postSignal(world.port, signal)).status === 200, {
    what: `signal ${index} is taken`,
  });
}

/** One part at random, or the miner itself, which is started again then. */
async function kill(world: MinerWorld, miner: RunningMiner, random: number): Promise<RunningMiner> {
  const victims = [miner.pid, ...miner.partPids()];
  const victim = victims[Math.floor(random * victims.length)] ?? miner.pid;
  process.kill(victim, 'SIGKILL');
  if (victim !== miner.pid) return miner;
  await miner.exited;
  return world.start(...QUICK, '--signals-per-minute', '100000');
}

void t.test(
  'whatever is killed, whenever: each signal has one outcome, and each validator each order once',
  async (t) => {
    const world = await makeMinerWorld(
      t,
      [
        () => 'accept',
        sometimes('late', 'hang up', 'garbage'),
        sometimes('silent', 'error', 'twice'),
        () => 'accept',
      ],
      LATE_MS,
    );
    let miner = world.start(...QUICK, '--signals-per-minute', '100000');
    await miner.ready();
    const [, , , absent] = world.validators;
    let isOver = false;
    const posting = (async () => {
      for (let index = 0; index < SIGNALS; index += 1) await postUntilTaken(world, index);
      isOver = true;
    })();
    // A fixed sequence, so that a failure can be repeated.
    let random = 0.37;
    for (let number = 0; number < KILLS; number += 1) {
      random = (random * 997 + 0.123) % 1;
      await delay(50 + random * 350);
      miner = await kill(world, miner, random);
      if (number === 5) await absent?.vanish();
      if (number === 12) await absent?.listen();
    }
    await posting;
    t.ok(isOver);
    await waitFor(() => world.filesOf('received').length === 0, {
      what: 'every signal has its outcome',
      timeoutMs: 60_000,
    });
    const [processed, failed] = [world.filesOf('processed'), world.filesOf('failed')];
    t.same(
      processed.filter((uuid) => failed.includes(uuid)),
      [],
      'none has two outcomes',
    );
    // A request whose answer a kill took away is made again, under a name of its own.
    t.ok(
      processed.length + failed.length >= SIGNALS,
      `${processed.length} processed, ${failed.length} failed`,
    );

    for (const [index, validator] of world.validators.entries()) {
      const uuids = validator.orders.map(({ uuid }) => uuid);
      t.equal(new Set(uuids).size, uuids.length, `validator ${index} has no order twice`);
      const bad = validator.refusals.filter((text) => !text.includes('has already been processed'));
      t.same(bad, [], `validator ${index} found nothing wrong`);
      const without = [...processed, ...failed].filter((uuid) => !uuids.includes(uuid));
      // One that was absent, or answered 500 three times, may lack an order: that signal has failed then.
      const mayLack = validator === absent || index === ERRS ? failed : [];
      t.same(
        without.filter((uuid) => !mayLack.includes(uuid)),
        [],
        `validator ${index} has every order`,
      );
    }
    for (const uuid of processed) {
      t.equal(Object.keys(world.processed(uuid).created_orders).length, world.validators.length, uuid);
    }
    t.notMatch(world.output, API_KEY);
    await miner.stop();
  },
);
