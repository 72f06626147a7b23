import type { Worker } from 'node:worker_threads';
import { waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { createTaskPool } from '../dist/task-pool.js';

void t.test('tasks that wait are done although threads died before they were ready', async (t) => {
  const pool = createTaskPool(1);
  t.teardown(() => pool.close());
  let deaths = 0;
  const kill = (thread: Worker): void => {
    deaths += 1;
    void thread.terminate();
  };
  process.on('worker', kill);
  t.teardown(() => process.off('worker', kill));
  // The one that there is dies, and so do those that are started in its place.
  let done = 0;
  let failed = 0;
  for (let task = 0; task < 4; task++) {
    void pool.run('nothing', null).then(
      () => (done += 1),
      () => (failed += 1),
    );
  }
  await waitFor(() => deaths >= 2, { what: 'threads that die' });
  process.off('worker', kill);
  await waitFor(() => done + failed === 4, {
    what: () => `4 tasks to end: ${done} are done, ${failed} failed`,
  });
  t.ok(done > 0, `${done} tasks are done`);
});
