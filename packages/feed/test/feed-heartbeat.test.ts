import { chmodSync, renameSync, rmSync } from 'node:fs';
import { makePtnRoot, waitFor } from '@ptn-api/testkit';
import pino from 'pino';
import t from 'tap';
import { FreshnessReporter } from '../dist/freshness-reporter.js';
import { OutputsSource } from '../dist/outputs-source.js';
import { PositionsFeed } from '../dist/positions-feed.js';
import { createTaskPool } from '../dist/task-pool.js';
import { TreeSource } from '../dist/tree-source.js';
import type { AnyTransaction } from '../../runtime/dist/ipc/messages.js';
import { monotonicMs } from '../../runtime/dist/metrics/monotonic-clock.js';
import { FeedUnderTest } from './feed-collector.ts';
import { HOUR_MS, trade } from './feed-fixture.ts';

const silent = pino({ level: 'silent' });
const position = trade({ uuid: 'p', hotkey: 'miner', times: [Date.now() - HOUR_MS] });

function positionsFeed(source: 'tree' | 'outputs', pool: ReturnType<typeof createTaskPool>): PositionsFeed {
  return new PositionsFeed({
    pool,
    log: silent,
    lastGeneration: 0,
    strip: true,
    loadMiner: null,
    publish: () => Promise.resolve(),
    source,
  });
}

await t.test('a feed tells that it is up to date as soon as it has started', async (t) => {
  for (const positionsSource of ['tree', 'outputs', 'auto'] as const) {
    const contents = { tree: { positions: [position] }, outputs: { outputs: '{}' }, auto: {} }[
      positionsSource
    ];
    const tested = new FeedUnderTest(t, makePtnRoot(t, contents).path, { positionsSource });
    const startedMs = monotonicMs();
    await tested.feed.start();
    const checkedMs = tested.retained.get('sources', 'feed')?.checkedMs ?? 0;
    t.ok(checkedMs >= startedMs - 1 && checkedMs <= monotonicMs(), positionsSource);
  }
});

await t.test('a quiet tree is checked with every sweep, and one that cannot be read is not', async (t) => {
  const root = makePtnRoot(t, { positions: [position] });
  const pool = createTaskPool(1);
  const feed = positionsFeed('tree', pool);
  const path = root.join('validation', 'miners');
  const source = new TreeSource({ root: path, mode: 'poll', feed, pool, orders: () => null, log: silent });
  t.teardown(async () => {
    await source.close();
    await feed.close();
    await pool.close();
  });
  await source.start();
  const first = await source.checkedMs();
  await waitFor(async () => (await source.checkedMs()) > first, { what: 'a sweep moves it on' });
  if (process.getuid?.() !== 0) {
    chmodSync(path, 0);
    await t.rejects(source.checkedMs(), { code: 'EACCES' });
    chmodSync(path, 0o700);
  }
  renameSync(path, `${path}-gone`);
  await t.resolves(source.checkedMs(), 'a tree that is not there holds nothing');
});

await t.test(
  'an outputs file is checked while it is the same, and not when it is gone or broken',
  async (t) => {
    const root = makePtnRoot(t, { outputs: '{}' });
    const pool = createTaskPool(1);
    const feed = positionsFeed('outputs', pool);
    const path = root.join('validation', 'outputs', 'output.json');
    const source = new OutputsSource({ path, feed, pool, orders: () => null, log: silent });
    t.teardown(async () => {
      await feed.close();
      await pool.close();
    });
    t.equal((await source.read()).kind, 'read');
    const read = source.checkedMs;
    // Reading until the clock has moved on: it counts milliseconds.
    await waitFor(async () => (await source.read()).kind === 'same' && source.checkedMs > read, {
      what: 'a look at the same file moves it on',
    });
    const same = source.checkedMs;
    root.writeOutputs('{"half');
    t.equal((await source.read()).kind, 'bad');
    rmSync(path);
    t.equal((await source.read()).kind, 'gone');
    t.equal(source.checkedMs, same);
  },
);

await t.test('a look that fails proves nothing and is logged once; the next good one is told', async (t) => {
  const told: AnyTransaction[] = [];
  const lines: string[] = [];
  let fails = true;
  let looks = 0;
  const heartbeat = new FreshnessReporter({
    everyMs: 5,
    checkedMs: () => {
      looks += 1;
      return fails ? Promise.reject(new Error('EIO')) : Promise.resolve(7);
    },
    publish: (transactions) => {
      told.push(...transactions);
      return Promise.resolve();
    },
    log: pino({ level: 'info' }, { write: (line: string) => lines.push(line) }),
  });
  t.teardown(() => heartbeat.close());
  await heartbeat.start();
  await waitFor(() => looks >= 3, { what: 'three looks' });
  t.equal(told.length, 0);
  t.equal(lines.filter((line) => line.includes('source-unreadable')).length, 1);
  fails = false;
  await waitFor(() => told.length > 0, { what: 'the good look is told' });
  t.match(told[0], { topic: 'sources', put: [['feed', { checkedMs: 7 }]] });
});

await t.test('a look that hangs is not joined by others', async (t) => {
  let looks = 0;
  const other = { ticks: 0 };
  const heartbeat = new FreshnessReporter({
    everyMs: 1,
    checkedMs: () => {
      looks += 1;
      return looks === 1 ? Promise.resolve(1) : new Promise<number>(() => undefined);
    },
    publish: () => Promise.resolve(),
    log: silent,
  });
  const timer = setInterval(() => (other.ticks += 1), 1);
  t.teardown(() => {
    clearInterval(timer);
    return heartbeat.close();
  });
  await heartbeat.start();
  await waitFor(() => looks === 2, { what: 'the second look' });
  const { ticks } = other;
  await waitFor(() => other.ticks >= ticks + 20, { what: 'time for further looks' });
  t.equal(looks, 2);
});
