/** Half a minute of a feed whose calls fail at random; minutes of it are in bench/feed-faults.mjs. */
import { startServer } from '@ptn-api/testkit';
import t from 'tap';
import { FaultRun } from './fault-random-run.ts';

const SEED = 20_260;
const OUTPUTS_MS = 5000;
const TREE_MS = 10_000;

// Starts that fail, and attempts that wait, take their time.
t.setTimeout(120_000);

void t.test('calls, tasks and timers of the feed fail at random: all is right in the end', async (t) => {
  t.comment(`seed ${SEED}`);
  const run = new FaultRun({ scope: t, seed: SEED, meanMs: 3000, stepMs: 100, killEveryMs: 8000 }, 'outputs');
  await run.use(await startServer(t, { root: run.root.path, args: ['--rest-workers', '1'], env: run.env }));
  await run.faulty(OUTPUTS_MS);
  run.validator.beginTree();
  await run.faulty(TREE_MS);

  const { counts, unknown } = run.table();
  const met = [...counts.values()].filter((kinds) => kinds.size > 0).length;
  t.comment(`${met} of ${counts.size} calls failed; ${run.orders} orders, ${run.checked} answers checked`);
  for (const [why, times] of run.ends()) t.comment(`${times} times: ${why}`);
  t.same(run.faults(), []);
  t.same(unknown, [], 'every call that failed was found in the source');
  t.ok(met > counts.size / 10, `${met} of ${counts.size} calls failed`);
  t.ok(run.checked > 50, `${run.checked} answers were checked`);
});
