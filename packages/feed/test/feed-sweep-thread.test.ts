/** What is lost while no thread sweeps the tree. */
import { renameSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { makePtnRoot, waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { FeedUnderTest } from './feed-collector.ts';
import { HOUR_MS, trade } from './feed-fixture.ts';

/** Between the end of a thread and the start of the next one, a second later. */
const MEANWHILE_MS = 600;

void t.test('what changes while no thread sweeps is shown', async (t) => {
  const threads: Worker[] = [];
  const note = (thread: Worker): void => void threads.push(thread);
  process.on('worker', note);
  t.teardown(() => process.off('worker', note));
  const times = [Date.now() - HOUR_MS];
  const root = makePtnRoot(t, {
    positions: [
      trade({ uuid: 'a', hotkey: 'miner-a', times }),
      trade({ uuid: 'b', hotkey: 'miner-b', times }),
    ],
  });
  // Without events: only the sweep finds anything.
  const tested = new FeedUnderTest(t, root.path, { watch: 'poll' });
  await tested.feed.start();
  t.same(tested.head().hotkeys, ['miner-a', 'miner-b']);

  // The thread that sweeps is the one with a small nursery.
  await threads.find(({ resourceLimits }) => resourceLimits?.maxYoungGenerationSizeMb === 4)?.terminate();
  await waitFor(() => tested.events('sweep-thread-died').length === 1, { what: 'the end of the thread' });
  // A moment in the middle: what a reading at the end of the thread shows is shown by now.
  await delay(MEANWHILE_MS);
  renameSync(root.join('validation/miners/miner-b'), root.join('validation/aside'));
  root.writePosition(trade({ uuid: 'a', hotkey: 'miner-a', times: [...times, Date.now()] }));
  root.writePosition(trade({ uuid: 'c', hotkey: 'miner-c', times }));
  await waitFor(() => tested.head().hotkeys.join() === 'miner-a,miner-c', {
    what: () => `one miner has gone and another one come, there are ${tested.head().hotkeys.join()}`,
  });
  await waitFor(() => tested.map(100)['miner-a']?.positions[0]?.orders.length === 2, { what: 'an order' });
});
