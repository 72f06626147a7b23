import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '@ptn-api/simulator';
import { Keypair, parseMetagraph } from '@ptn-api/wire';
import { makeTemporaryFolder, waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { SimulatedClock } from '../dist/validator/clock.js';
import { DurableFolder } from '../dist/validator/durable-folder.js';
import { Network } from '../dist/validator/network.js';
import { settingsOf, startTimeOf } from '../dist/validator/run-settings.js';
import { Schedule } from '../dist/validator/schedule.js';
import { readState, writeState } from '../dist/validator/state-file.js';
import { MINER, OTHER, UNREGISTERED, VALIDATOR, WEDNESDAY_MS } from './validator-fixture.ts';

const fileError = (): Error => Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' });

void t.test('a clock runs at its speed, and never goes back', (t) => {
  let realMs = 5000;
  const reserved: number[] = [];
  const clock = new SimulatedClock({
    ...{ startMs: 1_000_000, speed: 60, realMs: () => realMs },
    reserve: (untilMs) => reserved.push(untilMs),
    onReserveError: (error) => {
      throw error;
    },
  });
  t.equal(clock.nowMs(), 1_000_000);
  realMs += 1000;
  t.equal(clock.nowMs(), 1_060_000);
  t.strictSame(reserved, [1_180_000], 'two real seconds ahead');
  realMs += 1999;
  t.equal(clock.nowMs(), 1_179_940);
  t.equal(reserved.length, 1);
  realMs -= 1500;
  t.equal(clock.nowMs(), 1_179_940, 'the machine was set back');
  realMs += 1502;
  t.equal(clock.nowMs(), 1_180_060);
  t.strictSame(reserved, [1_180_000, 1_300_060]);
  clock.stop();
  t.equal(reserved.at(-1), 1_180_060, 'what was not used is given back');
  t.end();
});

void t.test(
  'a clock that catches up ends at the time of the world, and reserves little of its future',
  (t) => {
    let realMs = 10_000_000;
    const reserved: number[] = [];
    const clock = new SimulatedClock({
      ...{ startMs: 0, speed: 1000, realMs: () => realMs, latestMs: () => realMs },
      reserve: (untilMs) => reserved.push(untilMs),
      onReserveError: (error) => {
        throw error;
      },
    });
    realMs += 9000;
    t.equal(clock.nowMs(), 9_000_000);
    t.equal(clock.speed, 1000);
    t.equal(reserved.at(-1), 10_011_000, 'no further than two seconds ahead of the world');
    realMs += 2000;
    t.equal(clock.nowMs(), 10_011_000);
    t.equal(clock.speed, 1);
    realMs += 500;
    t.equal(clock.nowMs(), 10_011_500, 'with the world');
    realMs -= 400;
    t.equal(clock.nowMs(), 10_011_500, 'the machine was set back');
    t.end();
  },
);

void t.test('time that cannot be reserved stands still', (t) => {
  let realMs = 0;
  let isFull = true;
  const errors: unknown[] = [];
  const clock = new SimulatedClock({
    ...{ startMs: 1000, speed: 1, realMs: () => realMs },
    reserve: () => {
      if (isFull) throw fileError();
    },
    onReserveError: (error) => errors.push(error),
  });
  for (realMs = 1; realMs < 10; realMs += 1) t.equal(clock.nowMs(), 1000);
  t.equal(errors.length, 1, 'which is said once');
  isFull = false;
  t.equal(clock.nowMs(), 1010);
  t.end();
});

void t.test('a row whose rhythm becomes faster is due by the new one', (t) => {
  const times: number[] = [];
  let everyMs = 1000;
  const row = {
    name: 'row',
    get everyMs() {
      return everyMs;
    },
    run: (nowMs: number) => void times.push(nowMs),
  };
  const schedule = new Schedule([row], () => undefined);
  for (const nowMs of [1000, 1500]) schedule.tick(nowMs);
  everyMs = 10;
  for (const nowMs of [1501, 1505, 1511]) schedule.tick(nowMs);
  t.strictSame(times, [1000, 1501, 1511]);
  t.end();
});

void t.test('a schedule does each row once in a tick, however much time has passed', (t) => {
  const done: string[] = [];
  const failed: string[] = [];
  let isFailing = true;
  const schedule = new Schedule(
    [
      { name: 'often', everyMs: 10, run: (nowMs) => void done.push(`often ${nowMs}`) },
      {
        name: 'in steps',
        everyMs: 100,
        *run(nowMs) {
          done.push(`first ${nowMs}`);
          yield;
          if (isFailing) throw fileError();
          done.push(`second ${nowMs}`);
        },
      },
      { name: 'last', everyMs: 100, run: () => void done.push('last') },
    ],
    (name, { code }) => failed.push(`${name} ${code}`),
  );
  schedule.tick(1000);
  t.strictSame(done.splice(0), ['often 1000', 'first 1000', 'last']);
  t.strictSame(failed, ['in steps ENOSPC'], 'the others are done all the same');
  isFailing = false;
  schedule.tick(1009);
  t.strictSame(done.splice(0), []);
  schedule.tick(1010);
  schedule.tick(1077);
  t.strictSame(done.splice(0), ['often 1010', 'often 1077']);
  const steps = schedule.steps(100_000);
  steps.next();
  done.push('in between');
  steps.next();
  t.strictSame(done.splice(0), ['often 100000', 'first 100000', 'in between', 'second 100000', 'last']);
  const broken = new Schedule(
    [
      {
        ...{ name: 'broken', everyMs: 1 },
        run: () => {
          throw new TypeError('no');
        },
      },
    ],
    () => t.fail(),
  );
  t.throws(
    () => {
      broken.tick(1);
    },
    { message: 'no' },
    'a fault of the program is none of the disk',
  );
  t.end();
});

void t.test('a folder remembers what its network was made with', (t) => {
  const folder = new DurableFolder(makeTemporaryFolder(t));
  t.equal(readState(folder), undefined);
  const state = { seed: 7, generation: '2025-05', prices: 'random', clockMs: WEDNESDAY_MS, isReal: false };
  writeState(folder, state);
  t.strictSame(readState(folder), state);
  const asked = { seed: undefined, generation: undefined, prices: undefined };
  t.strictSame(settingsOf(asked, undefined), { seed: 1, generation: '2025-05', prices: 'random' });
  t.strictSame(settingsOf(asked, state), { seed: 7, generation: '2025-05', prices: 'random' });
  const wrong: [object, RegExp][] = [
    [{ seed: 8 }, /^--seed 8: the folder was made with 7; leave it out, or choose a new folder$/],
    [{ generation: '2025-11' }, /^--generation 2025-11: the folder was made with 2025-05/],
    [{ prices: 'x.csv' }, /^the folder has random prices, without --prices, as it was made with/],
  ];
  for (const [changes, message] of wrong) {
    t.throws(() => settingsOf({ ...asked, ...changes }, state), { name: 'UsageError', message });
  }
  t.throws(() => settingsOf(asked, { ...state, prices: 'candles' }), {
    message: /needs the --prices that it was/,
  });
  for (const text of [
    '{',
    'null',
    '{"seed": 1}',
    '{"seed": "1", "generation": "x", "prices": "y", "clockMs": 1}',
  ]) {
    folder.write('devnet/state.json', text);
    t.throws(() => readState(folder), { name: 'BadFolderError', message: /^devnet\/state.json / }, text);
  }
  t.end();
});

void t.test('a run begins where the last one ended', (t) => {
  const random = { span: { fromMs: 0, toMs: Infinity } };
  const candles = { span: { fromMs: WEDNESDAY_MS, toMs: WEDNESDAY_MS + 1000 } };
  const now = WEDNESDAY_MS + 500;
  const plain = { startMs: undefined, speed: 1, isCatchingUp: false };
  const stateAt = (clockMs: number, isReal: boolean) => ({
    ...{ seed: 1, generation: '2025-05', prices: 'random', clockMs, isReal },
  });
  const start = (...args: Parameters<typeof startTimeOf>): unknown[] => {
    const { startMs, isReal } = startTimeOf(...args);
    return [startMs, isReal];
  };
  t.strictSame(start(plain, undefined, random, now), [now, true], 'now');
  t.strictSame(start({ ...plain, startMs: 5 }, undefined, random, now), [5, false]);
  t.strictSame(start({ ...plain, speed: 60 }, undefined, random, now), [now, false]);
  t.strictSame(start(plain, undefined, candles, now), [WEDNESDAY_MS, false], 'with the first price');
  t.strictSame(start(plain, stateAt(now - 9, true), random, now), [now, true], 'the world went on');
  t.strictSame(start(plain, stateAt(now + 9, true), random, now), [now + 9, true], 'but never back');
  t.strictSame(start(plain, stateAt(7, false), random, now), [7, false], 'a simulation stood still');
  t.strictSame(start({ ...plain, startMs: 5 }, stateAt(7, false), random, now), [7, false]);
  t.strictSame(start({ ...plain, speed: 60 }, stateAt(7, true), random, now), [7, false]);
  const catchingUp = { ...plain, isCatchingUp: true };
  t.strictSame(
    start(catchingUp, stateAt(7, true), random, now),
    [7, false],
    'what was missed is made up for',
  );
  t.strictSame(
    start(catchingUp, stateAt(now + 2000, true), random, now),
    [now + 2000, false],
    'as after a crash',
  );
  t.throws(() => startTimeOf(catchingUp, stateAt(now + 3_600_000, false), random, now), {
    name: UsageError.name,
    message: /^--catch-up: it is 2025-05-14T15:00:00.500Z in the simulation, which is ahead of the world/,
  });
  for (const startMs of [WEDNESDAY_MS - 1, WEDNESDAY_MS + 1000]) {
    t.throws(() => startTimeOf({ ...plain, startMs }, undefined, candles, now), {
      name: UsageError.name,
      message:
        /^it is 2025-05-14T\S+ \(\d+\) in the simulation, and the prices are from 2025-05-14T14:00:00.000Z/,
    });
  }
  t.end();
});

const keyOf = (index: number): string => Keypair.fromSeed(new Uint8Array(32).fill(index + 50)).address;

void t.test(
  'the network is the validator, simulated miners, and those of a file that may change',
  async (t) => {
    const root = makeTemporaryFolder(t);
    const folder = new DurableFolder(root);
    const path = join(root, 'own.json');
    const write = (hotkeys: readonly string[]): void => {
      writeFileSync(
        `${path}.new`,
        JSON.stringify({ netuid: 8, neurons: hotkeys.map((hotkey) => ({ hotkey })) }),
      );
      renameSync(`${path}.new`, path);
    };
    const own = Array.from({ length: 6 }, (_, index) => keyOf(index));
    write([VALIDATOR.address, ...own]);
    const warnings: string[] = [];
    const network = new Network({
      ...{ folder, validator: VALIDATOR.address, traders: [MINER.address, OTHER.address], ownMiners: path },
      warn: (text) => warnings.push(text),
    });
    t.teardown(() => {
      network.close();
    });
    const place = { ip: '127.0.0.1', port: 8091 };
    t.strictSame(network.hotkeys(), [MINER.address, OTHER.address, ...own]);
    t.equal(network.hasChanged(place), true);
    t.equal(network.hasChanged(place), false);
    const shown = (): string[] =>
      parseMetagraph(folder.read('devnet/metagraph.json') ?? '').neurons.map(({ hotkey }) => hotkey);
    t.strictSame(shown(), [VALIDATOR.address, MINER.address, OTHER.address, ...own]);
    t.match(parseMetagraph(folder.read('devnet/metagraph.json') ?? '').neurons[0], {
      ...{ validatorTrust: 0.99, stakeRao: 2_000_000_000_000n, axon: place },
    });

    const after = (count: number): Promise<unknown> =>
      waitFor(() => warnings.length === count, { what: () => `${count} warnings: ${warnings.join('\n')}` });
    writeFileSync(path, '{"netuid": 8, "neurons": [');
    await after(1);
    t.match(warnings[0], /own.json: the metagraph stays as it was: .*no JSON/);
    write(own.slice(3));
    await after(2);
    t.match(warnings[1], /own.json: the metagraph stays as it was: the new one has lost 4 of 7 hotkeys/);
    t.equal(network.hasChanged(place), false);
    write([...own.slice(1), UNREGISTERED.address]);
    await waitFor(() => network.hasChanged(place), { what: 'the new metagraph counts' });
    t.strictSame(network.hotkeys(), [MINER.address, OTHER.address, ...own.slice(1), UNREGISTERED.address]);
    t.strictSame(shown(), [VALIDATOR.address, ...network.hotkeys()]);
  },
);

void t.test('a metagraph for miners that cannot be written is tried again', (t) => {
  const root = makeTemporaryFolder(t);
  mkdirSync(join(root, 'devnet/metagraph.json/x'), { recursive: true });
  const warnings: string[] = [];
  const network = new Network({
    ...{ folder: new DurableFolder(root), validator: VALIDATOR.address, traders: [], ownMiners: undefined },
    warn: (text) => warnings.push(text),
  });
  const place = { ip: '127.0.0.1', port: 8091 };
  t.equal(network.hasChanged(place), true);
  t.equal(network.hasChanged(place), false);
  t.equal(warnings.length, 1);
  t.match(warnings[0], /^the metagraph for miners is old: E/);
  renameSync(join(root, 'devnet/metagraph.json'), join(root, 'moved'));
  network.hasChanged(place);
  t.match(new DurableFolder(root).read('devnet/metagraph.json'), VALIDATOR.address);
  t.end();
});
