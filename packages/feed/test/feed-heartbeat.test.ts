import { chmodSync, renameSync, rmSync } from 'node:fs';
import { makePtnRoot, waitFor } from '@ptn-api/testkit';
import pino from 'pino';
import t from 'tap';
import { FreshnessReporter } from '../dist/freshness-reporter.js';
import { MinerStore } from '../dist/positions/miner-store.js';
import { OutputsSource } from '../dist/positions/outputs-source.js';
import { PositionsClock } from '../dist/positions/positions-clock.js';
import { TreeSource } from '../dist/positions/tree-source.js';
import { createTaskPool } from '../dist/task-pool.js';
import type { AnyTransaction } from '../../runtime/dist/ipc/messages.js';
import { monotonicMs } from '../../runtime/dist/metrics/monotonic-clock.js';
import { FeedUnderTest } from './feed-collector.ts';
import { HOUR_MS, trade } from './feed-fixture.ts';

const silent = pino({ level: 'silent' });
const position = trade({ uuid: 'p', hotkey: 'miner', times: [Date.now() - HOUR_MS] });

/** What a source is made with, and the pool that is to be closed after it. */
function sourceOptions(strip: boolean) {
  const clock = new PositionsClock();
  const store = new MinerStore({ log: silent, clock, strip, orders: () => null });
  return { store, clock, pool: createTaskPool(1), mode: 'poll', log: silent } as const;
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
  const options = sourceOptions(true);
  const path = root.join('validation', 'miners');
  const source = new TreeSource({ ...options, root: path });
  t.teardown(async () => {
    await source.close();
    await options.pool.close();
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
    const options = sourceOptions(false);
    const path = root.join('validation', 'outputs', 'output.json');
    const source = new OutputsSource({ ...options, ptnRoot: root.path });
    t.teardown(async () => {
      await source.close();
      await options.pool.close();
    });
    await source.start();
    t.ok(options.store.isListed);
    const read = await source.checkedMs();
    // Reading until the clock has moved on: it counts milliseconds.
    await waitFor(async () => (await source.checkedMs()) > read, {
      what: 'a check of the same file moves it on',
    });
    root.writeOutputs('{"half');
    const same = await source.checkedMs();
    const later = monotonicMs() + 2;
    await waitFor(() => monotonicMs() > later, { what: 'the clock moves on' });
    t.equal(await source.checkedMs(), same);
    rmSync(path);
    t.equal(await source.checkedMs(), same);
  },
);

await t.test(
  'a check that fails proves nothing and is logged once; the next good one is reported',
  async (t) => {
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
    await waitFor(() => told.length > 0, { what: 'the good check is reported' });
    t.match(told[0], { topic: 'sources', put: [['feed', { checkedMs: 7 }]] });
  },
);

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
