/** Clocks that are set, and a disk that is slow, under a whole server. */
import { killAtOnce, makePtnRoot, startServer, waitFor, workersOf } from '@ptn-api/testkit';
import type { RunningServer } from '@ptn-api/testkit';
import t from 'tap';
import { startReceiver } from '../../supervisor/dist-test/alert-receiver.js';
import {
  faulty,
  hotkeysOf,
  KEY,
  place,
  servedRoot,
  startLoad,
  statusOf,
  subscriber,
} from './fault-fixture.ts';

const DAY_MS = 86_400_000;

/** Whether a process of the server has written a line of the log within a day of this time. */
function hasLoggedAt(server: RunningServer, timeMs: number): boolean {
  const times = [...server.output().matchAll(/"time":(\d+)/g)].map(([, time]) => Number(time));
  return times.some((time) => Math.abs(time - timeMs) < DAY_MS);
}

await t.test(
  'positions that nothing proves any more: an alert, and one when they are read again',
  async (t) => {
    const root = makePtnRoot(t, { keys: { user: { key: KEY, tier: 100 } }, outputs: '{}' });
    const { env, set } = faulty(root);
    const receiver = await startReceiver(t);
    const server = await startServer(t, {
      root: root.path,
      args: ['--max-staleness', '60', '--alert-webhook-url', receiver.url],
      env,
    });
    t.equal(await statusOf(server, '/readyz'), 200);
    root.writeOutputs('{"broken');
    await waitFor(() => server.output().includes('"event":"bad-file"'), { what: 'it is seen' });
    // Time passes in which no look proves anything.
    set({ monotonicMs: 3_600_000 });
    await waitFor(() => receiver.texts.some((text) => text.includes('stale data')), { what: 'the alert' });
    t.equal(await statusOf(server, '/readyz'), 503, 'readyz says the same');
    t.equal(await statusOf(server, '/miner-positions'), 200, 'the last state is served on');
    root.writeOutputs('{}');
    await waitFor(() => receiver.texts.some((text) => text.includes('Recovered')), {
      what: 'the end of it',
      timeoutMs: 15_000,
    });
    t.equal(await statusOf(server, '/readyz'), 200);
    t.match(receiver.texts[0], /stale data: positions not checked for 36\d\d s, allowed are 60 s/);
    t.match(receiver.texts[1], /Recovered: positions are checked again/);
    t.equal(receiver.texts.length, 2, 'told once each');
  },
);

const root = servedRoot(t);
const { env, set } = faulty(root);
const server = await startServer(t, { root: root.path, env });

await t.test('the clock is set forward and back by days: nothing ends, nothing is lost', async (t) => {
  const sequences = await subscriber(t, server);
  for (const [index, wallMs] of [2 * DAY_MS, -2 * DAY_MS, 0].entries()) {
    set({ wallMs });
    const hotkey = `clock-${index}`;
    // The validator runs by the same clock.
    place(root, hotkey, Date.now() + wallMs);
    await waitFor(async () => (await hotkeysOf(server)).includes(hotkey), {
      what: `what came with the clock at ${wallMs} ms is served`,
    });
    await waitFor(() => sequences.length === index + 1, { what: `the order is streamed` });
    t.equal(await statusOf(server, '/readyz'), 200);
    t.equal(await statusOf(server, '/miner-hotkeys', 'no-key'), 401);
    t.ok(hasLoggedAt(server, Date.now() + wallMs), 'the server has this time');
  }
  t.same(sequences, [1, 2, 3]);
  t.notMatch(server.output(), /worker-crashed|"level":50/);
});

await t.test(
  'a feed that is killed while the clock is wrong comes back, and streams what came',
  async (t) => {
    const sequences = await subscriber(t, server);
    for (const [index, wallMs] of [2 * DAY_MS, -2 * DAY_MS].entries()) {
      set({ wallMs });
      const [feed] = workersOf(server, 'feed');
      killAtOnce(feed);
      place(root, `killed-${index}`, Date.now() + wallMs);
      await waitFor(() => sequences.length === index + 1, {
        what: 'the order is streamed',
        timeoutMs: 20_000,
      });
      t.equal(await statusOf(server), 200);
    }
    t.same(sequences, [4, 5]);
  },
);

await t.test('a disk that takes 300 ms each time: REST and stream answer, and it catches up', async (t) => {
  set({});
  const sequences = await subscriber(t, server);
  set({ slowMs: 300, slowUnder: root.join('validation') });
  const load = startLoad(server);
  const placedMs = performance.now();
  for (let order = 0; order < 3; order += 1) place(root, 'first');
  await waitFor(() => sequences.length === 3, { what: 'all orders', timeoutMs: 30_000 });
  t.ok(performance.now() - placedMs > 300, 'the orders came over the slow disk');
  set({});
  place(root, 'later');
  await waitFor(async () => (await hotkeysOf(server)).includes('later'), { what: 'it has caught up' });
  const { statuses, tookMs } = await load.end();
  await waitFor(() => sequences.length === 4, { what: 'the last order' });
  t.same(sequences, [6, 7, 8, 9]);
  t.same(statuses, [200]);
  const medianMs = tookMs.sort((a, b) => a - b)[Math.floor(tookMs.length / 2)] ?? Infinity;
  t.ok(
    medianMs < 100,
    `answers do not wait for the disk: half of them took ${medianMs.toFixed(1)} ms or less`,
  );
  t.comment(
    `${tookMs.length} answers, median ${medianMs.toFixed(1)} ms, longest ${(tookMs.at(-1) ?? 0).toFixed(0)} ms`,
  );
});
