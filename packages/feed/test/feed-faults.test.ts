/** Every call of the feed that can fail is made to fail: nothing is lost, nothing is claimed that is not there. */
import { mkdirSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makePtnRoot, positionPath, waitFor } from '@ptn-api/testkit';
import { pino } from 'pino';
import t from 'tap';
import type { Test } from 'tap';
import type { ServerConfig } from '../../runtime/dist/config.js';
import type { AnyTransaction } from '../../runtime/dist/ipc/messages.js';
import { MinerStore } from '../dist/positions/miner-store.js';
import { PositionsClock } from '../dist/positions/positions-clock.js';
import { PositionsFeed } from '../dist/positions/positions-feed.js';
import { createTaskPool } from '../dist/task-pool.js';
import type { TaskInput, TaskName, TaskOutput, TaskPool } from '../dist/task-pool.js';
import { buildSettled } from '@ptn-api/positions';
import { FeedUnderTest } from './feed-collector.ts';
import { HOUR_MS, trade } from './feed-fixture.ts';

t.jobs = 4;

function test(name: string, run: (t: Test) => Promise<void>): void {
  void t.test(name, { buffered: true }, run);
}

type Fault = (name: TaskName, input: unknown) => boolean;

/** A pool of which tests say what fails. */
class FaultyPool implements TaskPool {
  fails: Fault = () => false;
  /** Called before a task runs. */
  before: (name: TaskName, input: unknown) => void | Promise<void> = () => undefined;
  failed = 0;
  readonly #pool = createTaskPool(1);

  async run<N extends TaskName>(name: N, input: TaskInput<N>): Promise<TaskOutput<N>> {
    await this.before(name, input);
    if (this.fails(name, input)) {
      this.failed += 1;
      throw new Error(`the thread of ${name} died`);
    }
    const output: TaskOutput<N> = await this.#pool.run(name, input);
    return output;
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

/** Does not take the next generation, where the test says so. */
class FailingChannel {
  isFailing = false;
  readonly publish = (transactions: readonly AnyTransaction[]): Promise<void> => {
    if (!this.isFailing || !transactions.some(({ topic }) => topic === 'positions')) return Promise.resolve();
    this.isFailing = false;
    return Promise.reject(new Error('the channel is closed'));
  };
}

const now = Date.now();
const open = (uuid: string, hotkey: string, ...times: number[]) => trade({ uuid, hotkey, times });
const isOf = (input: unknown, hotkey: string): boolean => JSON.stringify(input).includes(hotkey);

/** A feed over two miners, both published. */
async function started(scope: Test, config: Partial<ServerConfig> = {}, files: Record<string, string> = {}) {
  const root = makePtnRoot(scope, {
    files,
    positions: [open('a', 'miner-a', now - HOUR_MS), open('b', 'miner-b', now - HOUR_MS)],
  });
  const pool = new FaultyPool();
  const tested = new FeedUnderTest(scope, root.path, config, { pool });
  await tested.feed.start();
  return { root, pool, tested };
}

const ordersOf = (tested: FeedUnderTest, hotkey: string): string[] =>
  (tested.map(100)[hotkey]?.positions ?? []).flatMap(({ orders }) => orders.map((order) => order.order_uuid));

/** Up to which order the last generation claims to be complete. */
const sequenceOf = (tested: FeedUnderTest): number => tested.head().sequence ?? -1;

test('a miner whose encoding fails holds back what later generations claim', async (t) => {
  const { root, pool, tested } = await started(t);
  const before = sequenceOf(tested);
  pool.fails = (name, input) => name === 'encodeMiner' && isOf(input, 'miner-a');
  root.writePosition(open('a', 'miner-a', now - HOUR_MS, now));
  await waitFor(() => pool.failed > 0, { what: 'the fault' });
  root.writePosition(open('b', 'miner-b', now - HOUR_MS, now + 1));
  await waitFor(() => ordersOf(tested, 'miner-b').length === 2, { what: 'the order of the other miner' });
  t.equal(sequenceOf(tested), before, 'nothing is claimed that is not there');
  pool.fails = () => false;
  await waitFor(() => sequenceOf(tested) === before + 2, { what: 'both are claimed' });
  t.equal(ordersOf(tested, 'miner-a').length, 2);
  t.equal(tested.events('encode-failed').length, 1, 'reported once');
  t.equal(tested.events('encode-recovered').length, 1);
});

test('a miner that cannot be read at a start holds back the claim, and is served later', async (t) => {
  const first = await started(t);
  first.root.writePosition(open('a', 'miner-a', now - HOUR_MS, now));
  await waitFor(() => sequenceOf(first.tested) === 1, { what: 'an order that is numbered' });
  await first.tested.feed.close();

  const pool = new FaultyPool();
  pool.fails = (name, input) => name === 'loadMiner' && isOf(input, 'miner-a');
  const tested = new FeedUnderTest(t, first.root.path, {}, { pool });
  await tested.feed.start();
  t.same(tested.head().hotkeys, ['miner-b']);
  t.equal(sequenceOf(tested), 0, 'the order of the miner that is missing is not claimed');
  pool.fails = () => false;
  await waitFor(() => sequenceOf(tested) === 1, { what: 'it is there and claimed' });
  t.equal(ordersOf(tested, 'miner-a').length, 2);
});

test('where the first orders are not in the log, nothing is claimed for a miner that cannot be read', async (t) => {
  const first = await started(t, {}, { 'ptn_api/sequence_number.json': '41' });
  first.root.writePosition(open('a', 'miner-a', now - HOUR_MS, now));
  await waitFor(() => sequenceOf(first.tested) === 42, { what: 'an order that is numbered' });
  await first.tested.feed.close();

  const pool = new FaultyPool();
  pool.fails = (name, input) => name === 'loadMiner' && isOf(input, 'miner-a');
  const tested = new FeedUnderTest(t, first.root.path, {}, { pool });
  await tested.feed.start();
  t.same(tested.head().hotkeys, ['miner-b']);
  t.equal(
    tested.head().sequence,
    undefined,
    'whoever resumed from a number would never get the orders before it',
  );
  pool.fails = () => false;
  await waitFor(() => sequenceOf(tested) === 42, { what: 'it is there and claimed' });
});

test('what changes while a source is being opened is published with all the rest, and not before', async (t) => {
  const pool = createTaskPool(1);
  t.teardown(() => pool.close());
  const published: (readonly string[])[] = [];
  const log = pino({ level: 'silent' });
  const clock = new PositionsClock();
  const store = new MinerStore({ log, clock, strip: false, orders: () => null });
  const feed = new PositionsFeed({
    pool,
    store,
    clock,
    source: { kind: 'tree', readMiner: () => Promise.reject(new Error('it was read already')) },
    log,
    lastGeneration: 0,
    publish: ({ put }) => {
      for (const [, value] of put) if (value.kind === 'positions-head') published.push(value.hotkeys);
      return Promise.resolve();
    },
  });
  t.teardown(() => feed.close());
  const all: string[] = [];
  const found = (hotkey: string): void => {
    all.push(hotkey);
    const empty = { files: [], bad: [], blocks: buildSettled([], { now, strip: false }), settled: [] };
    store.minersRead([{ ...empty, hotkey, live: [], recent: [], nonFinite: 0, rest: '"n": 0' }], now);
    store.minersListed([...all], [hotkey], 0);
  };
  found('miner-a');
  // Longer than changes are gathered: an order that was placed while the tree was read for the first time.
  await delay(400);
  t.same(published, []);
  found('miner-b');
  await feed.start();
  t.same(published, [['miner-a', 'miner-b']]);
  found('miner-c');
  await waitFor(() => published.length === 2, { what: 'what comes later is published by itself' });
});

test('a file with known orders that does not read at a start holds back the claim', async (t) => {
  const first = await started(t);
  const position = open('a', 'miner-a', now - HOUR_MS, now);
  const path = first.root.writePosition(position);
  await waitFor(() => sequenceOf(first.tested) === 1, { what: 'an order that is numbered' });
  await first.tested.feed.close();
  writeFileSync(path, '{"half');
  const tested = new FeedUnderTest(t, first.root.path);
  await tested.feed.start();
  t.equal(sequenceOf(tested), 0);
  first.root.writePosition(position);
  await waitFor(() => sequenceOf(tested) === 1, { what: 'it is claimed when it is there' });
  t.equal(ordersOf(tested, 'miner-a').length, 2);
});

for (const watch of ['auto', 'poll'] as const) {
  test(`${watch}: files whose reading fails are read later`, async (t) => {
    const { root, pool, tested } = await started(t, { watch });
    pool.fails = (name) => name === 'readPositions' && pool.failed < 3;
    const path = root.writePosition(open('a', 'miner-a', now - HOUR_MS, now));
    utimesSync(path, new Date(0), new Date(0));
    await waitFor(() => ordersOf(tested, 'miner-a').length === 2, { what: 'the order' });
    t.equal(pool.failed, 3);
    t.equal(tested.events('read-failed').length, 1, 'reported once');
  });
}

test('while files are unread, the feed does not claim to be up to date', async (t) => {
  const { root, pool, tested } = await started(t);
  const checkedMs = () => (tested.retained.get('sources', 'feed') as { checkedMs: number }).checkedMs;
  const before = checkedMs();
  await waitFor(() => checkedMs() > before, { what: 'a report' });
  pool.fails = (name) => name === 'readPositions';
  root.writePosition(open('a', 'miner-a', now - HOUR_MS, now));
  await waitFor(() => pool.failed > 0, { what: 'the fault' });
  const reports = () => tested.transactions.filter(({ topic }) => topic === 'sources').length;
  const failing = reports();
  await waitFor(() => reports() >= failing + 2, { what: 'two more reports', timeoutMs: 20_000 });
  const stuck = checkedMs();
  pool.fails = () => false;
  await waitFor(() => checkedMs() > stuck, { what: 'it is up to date again', timeoutMs: 20_000 });
  t.equal(ordersOf(tested, 'miner-a').length, 2);
});

test('while a reading takes long, other miners are read, and what changes of its own waits for it', async (t) => {
  const { root, pool, tested } = await started(t);
  const begun: string[] = [];
  let finish = (): void => undefined;
  const held = new Promise<void>((resolve) => (finish = resolve));
  pool.before = async (name, input) => {
    if (name !== 'readPositions') return;
    const hotkey = isOf(input, 'miner-a') ? 'miner-a' : 'miner-b';
    begun.push(hotkey);
    if (hotkey === 'miner-a') await held;
  };
  root.writePosition(open('a', 'miner-a', now - HOUR_MS, now));
  await waitFor(() => begun.length === 1, { what: 'the reading that takes long' });
  root.writePosition(open('a', 'miner-a', now - HOUR_MS, now, now + 1));
  for (const orders of [[now + 2], [now + 2, now + 3]]) {
    root.writePosition(open('b', 'miner-b', now - HOUR_MS, ...orders));
    await waitFor(() => ordersOf(tested, 'miner-b').length === 1 + orders.length, {
      what: 'the other miner',
    });
  }
  t.equal(begun.filter((hotkey) => hotkey === 'miner-a').length, 1, 'no second reading beside the first');
  finish();
  await waitFor(() => ordersOf(tested, 'miner-a').length === 3, { what: 'all orders of the first' });
});

test('a generation that is not handed over is followed by one that holds everything', async (t) => {
  const root = makePtnRoot(t, {
    positions: [open('a', 'miner-a', now - HOUR_MS), open('b', 'miner-b', now - HOUR_MS)],
  });
  const channel = new FailingChannel();
  const tested = new FeedUnderTest(t, root.path, {}, { publish: channel.publish });
  await tested.feed.start();
  channel.isFailing = true;
  root.writePosition(open('a', 'miner-a', now - HOUR_MS, now));
  await waitFor(() => ordersOf(tested, 'miner-a').length === 2, { what: 'the order' });
  const resets = tested.transactions.filter(({ topic, reset }) => topic === 'positions' && reset);
  t.equal(resets.length, 2, 'nothing that may not have arrived is relied on');
  t.same(tested.head().hotkeys.toSorted(), ['miner-a', 'miner-b']);
  t.equal(tested.events('publish-failed').length, 1);
});

test('a source whose first generation is not handed over is begun anew', async (t) => {
  const root = makePtnRoot(t, { positions: [open('a', 'miner-a', now - HOUR_MS)] });
  const channel = new FailingChannel();
  channel.isFailing = true;
  const tested = new FeedUnderTest(t, root.path, {}, { publish: channel.publish });
  await tested.feed.start();
  t.equal(tested.events('source-failed').length, 1);
  t.equal(tested.retained.get('positions', 'head'), undefined);
  await waitFor(() => tested.retained.get('positions', 'head'), { what: 'the positions' });
  t.equal(ordersOf(tested, 'miner-a').length, 1);
});

test('a miner that is to be read again during its reading is read again', async (t) => {
  const { root, pool, tested } = await started(t);
  let loads = 0;
  pool.before = async (name) => {
    if (name !== 'loadMiner') return;
    loads += 1;
    // Settled files are put in place by reading the folder: one that comes now is not in what is being read.
    if (loads === 1) root.writePosition(settled('late'));
    await Promise.resolve();
  };
  const settled = (uuid: string) =>
    trade({ uuid, hotkey: 'miner-a', times: [now - 90 * HOUR_MS, now - 80 * HOUR_MS], closed: true });
  root.writePosition(settled('early'));
  await waitFor(() => tested.uuids('miner-a').includes('late'), { what: 'the later file' });
  t.ok(tested.uuids('miner-a').includes('early'));
});

const DAY_AHEAD = {
  uuid: 'closed',
  hotkey: 'miner-a',
  times: [now - 60 * HOUR_MS, now - 23 * HOUR_MS],
  closed: true,
};

for (const [source, during] of [
  ['tree', 'loadMiner'],
  ['tree', 'encodeMiner'],
  ['outputs', 'loadOutputs'],
  ['outputs', 'encodeMiner'],
] as const) {
  test(`${source}: a clock that is set back during the first ${during}`, async (t) => {
    const positions = [trade(DAY_AHEAD)];
    const root = makePtnRoot(
      t,
      source === 'tree' ? { positions } : { outputs: JSON.stringify({ 'miner-a': { positions } }) },
    );
    let ahead = 2 * HOUR_MS;
    const pool = new FaultyPool();
    pool.before = (name) => {
      if (name === during) ahead = 0;
    };
    const tested = new FeedUnderTest(t, root.path, {}, { pool, now: () => Date.now() + ahead });
    await tested.feed.start();
    const shown = () => tested.map(0)['miner-a']?.positions[0]?.orders.length;
    await waitFor(() => shown() === 1, {
      what: () => `the close is hidden at tier 0, shown are ${shown()} orders`,
    });
    t.equal(tested.map(100)['miner-a']?.positions[0]?.orders.length, 2);
  });
}

test('a clock that goes back in many small steps', async (t) => {
  const root = makePtnRoot(t, {
    positions: [trade({ ...DAY_AHEAD, times: [now - 60 * HOUR_MS, now - 24 * HOUR_MS - 2000] })],
  });
  let behind = 0;
  const tested = new FeedUnderTest(t, root.path, {}, { now: () => now - behind });
  await tested.feed.start();
  const shown = () => tested.map(0)['miner-a']?.positions[0]?.orders.length;
  t.equal(shown(), 2);
  const hidden = () => {
    behind = Math.min(behind + 50, 20_000);
    return shown() === 1;
  };
  await waitFor(hidden, { what: 'the close is hidden again' });
  t.ok(tested.events('clock-set-back').length > 0);
});

test('no source can be chosen: it is said once, looked for again, and then read', async (t) => {
  const root = makePtnRoot(t);
  const miners = root.join('validation/miners');
  mkdirSync(dirname(miners), { recursive: true });
  writeFileSync(miners, 'a file in place of the folder');
  const tested = new FeedUnderTest(t, root.path);
  await tested.feed.start();
  await waitFor(() => tested.events('source-failed').length > 0, { what: 'the error' });
  rmSync(miners);
  symlinkSync('miners', miners);
  await waitFor(() => tested.events('source-failed').length > 1, { what: 'another error' });
  rmSync(miners);
  root.writePosition(open('a', 'miner-a', now));
  await waitFor(() => tested.map(100)['miner-a'], { what: 'the tree is read' });
});

test('a source whose reading cannot begin leaves nothing behind and is tried again', async (t) => {
  const root = makePtnRoot(t);
  const pool = new FaultyPool();
  pool.fails = (name) => name === 'loadOutputs';
  const tested = new FeedUnderTest(t, root.path, {}, { pool });
  await tested.feed.start();
  root.writeOutputs(JSON.stringify({ 'miner-a': { positions: [open('a', 'miner-a', now)] } }));
  await waitFor(() => pool.failed > 1, { what: 'two attempts' });
  pool.fails = () => false;
  await waitFor(() => tested.head().source === 'outputs' && tested.map(100)['miner-a'], {
    what: 'the file is read',
  });
});

test('a tree that appears takes the place of the outputs file', async (t) => {
  const position = open('a', 'miner-a', now - HOUR_MS);
  const root = makePtnRoot(t, { outputs: JSON.stringify({ 'miner-a': { positions: [position] } }) });
  const tested = new FeedUnderTest(t, root.path);
  await tested.feed.start();
  t.equal(tested.head().source, 'outputs');
  const before = tested.head().generation;
  root.writePosition(position);
  root.writePosition(open('b', 'miner-b', now));
  await waitFor(() => tested.head().source === 'tree', { what: 'the tree' });
  t.ok(tested.head().generation > before, 'generations go on rising');
  await waitFor(() => sequenceOf(tested) === 1, { what: 'only what is new is an order' });
  root.writePosition(open('a', 'miner-a', now - HOUR_MS, now + 1));
  await waitFor(() => sequenceOf(tested) === 2, { what: 'orders of the tree' });
  t.equal(ordersOf(tested, 'miner-a').length, 2);
});

test('a document that cannot be looked at is reported once and read when it can', async (t) => {
  const root = makePtnRoot(t, { positions: [open('a', 'miner-a', now)] });
  const path = root.join('runnable/validator_checkpoint.json');
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync('validator_checkpoint.json', path);
  const tested = new FeedUnderTest(t, root.path, { watch: 'poll' });
  await tested.feed.start();
  const errors = () => tested.events('read-failed').length;
  await waitFor(() => errors() === 1, { what: 'the error' });
  rmSync(path);
  root.writeFile('runnable/validator_checkpoint.json', '{"a": 1}');
  await waitFor(() => tested.retained.get('documents', 'checkpoint'), { what: 'the checkpoint' });
  t.equal(errors(), 1);
});

test('documents whose tasks fail are read later', async (t) => {
  const root = makePtnRoot(t, {
    files: {
      'runnable/minerstatistics.json': '{"data": []}',
      'runnable/validator_checkpoint.json': '{"a": 1}',
      'validation/eliminations.json': '[]',
      'validation/miner_copying.json': '{}',
    },
  });
  const pool = new FaultyPool();
  const seen = new Set<TaskName>();
  pool.fails = (name) => {
    const isFirst = !seen.has(name);
    seen.add(name);
    return isFirst;
  };
  const tested = new FeedUnderTest(t, root.path, {}, { pool });
  await tested.feed.start();
  for (const [topic, key] of [
    ['statistics', 'head'],
    ['documents', 'checkpoint'],
    ['documents', 'eliminations'],
    ['documents', 'miner-copying'],
  ] as const) {
    await waitFor(() => tested.retained.get(topic, key), { what: key });
  }
  t.ok(pool.failed >= 4, 'each loader failed once');
  t.equal(tested.events('read-failed').length, pool.failed, 'each is reported once');
});

test('content that changed is read, whatever time and size the writer gives the file', async (t) => {
  for (const watch of ['auto', 'poll'] as const) {
    const position = open('a', 'miner-a', now - HOUR_MS);
    const root = makePtnRoot(t, {
      positions: [position],
      files: { 'validation/eliminations.json': '["aaa"]' },
    });
    const path = root.join(positionPath(position));
    const eliminations = root.join('validation/eliminations.json');
    const past = new Date(now - 100 * HOUR_MS);
    for (const file of [path, eliminations]) utimesSync(file, past, past);
    const tested = new FeedUnderTest(t, root.path, { watch });
    await tested.feed.start();
    const { size } = statSync(path);
    const overwrite = (file: string, content: string): void => {
      writeFileSync(file, content);
      utimesSync(file, past, past);
    };
    overwrite(path, JSON.stringify(position).replace('"current_return":1,', '"current_return":2,'));
    t.equal(statSync(path).size, size);
    overwrite(eliminations, '["bbb"]');
    const digest = () => (tested.retained.get('documents', 'eliminations') as { digest: string }).digest;
    const before = digest();
    await waitFor(() => tested.map(100)['miner-a']?.positions[0]?.current_return === 2, {
      what: `${watch}: the position`,
    });
    await waitFor(() => digest() !== before, { what: `${watch}: the document` });
    await tested.feed.close();
  }
});

test('symbolic links are not followed, and are warned of', async (t) => {
  const root = makePtnRoot(t, { positions: [open('a', 'miner-a', now)] });
  renameSync(root.join('validation/miners/miner-a'), root.join('elsewhere'));
  symlinkSync(root.join('elsewhere'), root.join('validation/miners/miner-a'));
  root.writePosition(open('b', 'miner-b', now));
  const positions = root.join('validation/miners/miner-b/positions');
  renameSync(positions, root.join('moved'));
  symlinkSync(root.join('moved'), positions);
  root.writePosition(open('c', 'miner-c', now));
  const tested = new FeedUnderTest(t, root.path);
  await tested.feed.start();
  t.same(tested.head().hotkeys, ['miner-c'], 'what nobody watches is not served');
  const warned = tested.events('link-not-followed').map(({ path }) => path);
  t.same(warned.toSorted(), ['miner-a', 'miner-b/positions']);
});

test('a tree of links alone is reported as one, and an outputs file serves in its place', async (t) => {
  const root = makePtnRoot(t, { positions: [open('a', 'miner-a', now)] });
  renameSync(root.join('validation/miners/miner-a'), root.join('elsewhere'));
  symlinkSync(root.join('elsewhere'), root.join('validation/miners/miner-a'));
  const alone = new FeedUnderTest(t, root.path);
  await alone.feed.start();
  t.equal(alone.head().source, 'none');
  t.same(
    alone.events('link-not-followed').map(({ path }) => path),
    ['miner-a'],
  );
  await alone.feed.close();
  root.writeOutputs('{}');
  const beside = new FeedUnderTest(t, root.path);
  await beside.feed.start();
  t.equal(beside.head().source, 'outputs');
});

test('documents that are not handed over are read again', async (t) => {
  const root = makePtnRoot(t, {
    files: { 'runnable/minerstatistics.json': '{"data": []}', 'validation/eliminations.json': '["a"]' },
  });
  const failing = new Set(['statistics', 'documents']);
  const tested = new FeedUnderTest(
    t,
    root.path,
    {},
    {
      publish: (transactions) => {
        const topic = transactions.map((one) => one.topic).find((one) => failing.delete(one));
        return topic === undefined ? Promise.resolve() : Promise.reject(new Error(`${topic} is not sent`));
      },
    },
  );
  await tested.feed.start();
  await waitFor(() => tested.retained.get('statistics', 'head'), { what: 'the statistics' });
  await waitFor(() => tested.retained.get('documents', 'eliminations'), { what: 'the eliminations' });
});

const FILE_OF: Readonly<Record<string, string>> = { documents: 'eliminations' };

test('what arrived though its handing over failed is replaced by what the file holds', async (t) => {
  const files = [
    [
      'runnable/minerstatistics.json',
      '{"data": [{"hotkey": "a", "n": 1}]}',
      '{"data": [{"hotkey": "a", "n": 2}]}',
    ],
    ['validation/eliminations.json', '["a"]', '["b"]'],
  ] as const;
  const root = makePtnRoot(t, { files: Object.fromEntries(files.map(([path, first]) => [path, first])) });
  const failing = new Set<string>();
  const tested: FeedUnderTest = new FeedUnderTest(
    t,
    root.path,
    {},
    {
      publish: (transactions) => {
        const topic = transactions.map((one) => one.topic).find((one) => failing.delete(one));
        if (topic === undefined) return Promise.resolve();
        tested.retained.applyAll(transactions);
        // Back to what was handed over before.
        for (const [path, first] of files)
          if (path.includes(FILE_OF[topic] ?? topic)) root.writeFile(path, first);
        return Promise.reject(new Error(`${topic} arrived, but for its acknowledgement`));
      },
    },
  );
  await tested.feed.start();
  const served = () =>
    JSON.stringify([
      tested.retained.get('statistics', 'miner:a'),
      tested.retained.get('documents', 'eliminations')?.digest,
    ]);
  const before = served();
  failing.add('statistics').add('documents');
  for (const [path, , second] of files) root.writeFile(path, second);
  await waitFor(() => failing.size === 0, { what: 'both were handed over' });
  t.not(served(), before);
  await waitFor(() => served() === before, { what: 'what the files hold is served again' });
});

test('a takeover of the order log that fails is done once more, not twice', async (t) => {
  const { root, tested: first } = await started(t);
  let fails = false;
  const tested = new FeedUnderTest(
    t,
    root.path,
    { isTakeover: true },
    {
      publish: (transactions) => {
        if (!fails || !transactions.some(({ topic }) => topic === 'orders')) return Promise.resolve();
        fails = false;
        return Promise.reject(new Error('not sent'));
      },
    },
  );
  await tested.feed.start();
  fails = true;
  await first.feed.close();
  await waitFor(() => tested.events('order-log-taken-over').length === 1, { what: 'the takeover' });
  t.equal(tested.events('order-log-takeover-failed').length, 1);
  root.writePosition(open('a', 'miner-a', now - HOUR_MS, now));
  await waitFor(() => sequenceOf(tested) === 1, { what: 'the order is numbered' });
  t.equal(ordersOf(tested, 'miner-a').length, 2);
});
