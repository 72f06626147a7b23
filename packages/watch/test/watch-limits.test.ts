import { rmSync, watch } from 'node:fs';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { waitFor } from '@ptn-api/testkit';
import { startSweepThread } from '../dist/sweeper.js';
import type { Watch } from '../dist/directory-watches.js';
import { makeFolder, NO_SWEEP_MS, startTree, watchedTree } from './watch-fixture.ts';

const OPEN = 'miner/positions/BTCUSD/open';

/** As the system does when only so many watches are left. */
function limited(count: number, code: string): Watch {
  let left = count;
  return (path, listener) => {
    if (left === 0) throw Object.assign(new Error(`${code}: watch '${path}'`), { code });
    left -= 1;
    return watch(path, listener);
  };
}

void t.test('when watches run out, the rest is polled and one warning says what to raise', async (t) => {
  const folder = makeFolder(t);
  folder.makeDirectory(OPEN);
  // Slow on purpose: the sweep must quicken by itself where there is no inotify.
  const tree = await watchedTree(
    t,
    folder.root,
    { mode: 'auto', sweepMs: NO_SWEEP_MS },
    { watch: limited(3, 'ENOSPC') },
  );
  t.match(tree.watcher.stats(), { directories: 5, watched: 3, mode: 'mixed' });
  folder.put(`${OPEN}/one`);
  folder.put('new/positions/ETHUSD/open/two');
  await tree.hinted(`${OPEN}/one`, 'new/positions/ETHUSD/open/two');
  t.equal(tree.lines.length, 1);
  t.match(tree.lines[0], { level: 40, event: 'watch-refused', msg: /fs\.inotify\.max_user_watches/ });
});

void t.test('without a single watch everything is polled', async (t) => {
  const folder = makeFolder(t);
  folder.makeDirectory(OPEN);
  const tree = await watchedTree(
    t,
    folder.root,
    { mode: 'auto', sweepMs: 30 },
    { watch: limited(0, 'EMFILE') },
  );
  t.match(tree.watcher.stats(), { watched: 0, mode: 'poll' });
  t.match(tree.lines, [{ event: 'watch-refused', msg: /fs\.inotify\.max_user_instances/ }]);
  folder.put(`${OPEN}/one`);
  await tree.hinted(`${OPEN}/one`);
});

void t.test('a directory that is polled and vanishes is forgotten', async (t) => {
  const folder = makeFolder(t);
  folder.write(`${OPEN}/one`);
  const tree = await watchedTree(
    t,
    folder.root,
    { mode: 'auto', sweepMs: 30 },
    { watch: limited(1, 'ENOSPC') },
  );
  t.equal(tree.watcher.stats().mode, 'mixed');
  folder.remove('miner');
  await tree.hinted(`${OPEN}/one`);
  await waitFor(() => tree.watcher.stats().mode === 'inotify', { what: 'nothing left that is unwatched' });
});

void t.test('a thread that dies is reported and started again, and every file is hinted', async (t) => {
  const folder = makeFolder(t);
  folder.write(`${OPEN}/one`);
  folder.write(`${OPEN}/two`);
  const threads: Worker[] = [];
  const tree = await watchedTree(
    t,
    folder.root,
    { mode: 'auto', sweepMs: 30 },
    {
      // Without events, so that only the sweep can find anything.
      watch: () => ({ on: () => undefined, close: () => undefined }),
      startThread: (data) => {
        const thread = startSweepThread(data);
        threads.push(thread);
        return thread;
      },
    },
  );
  folder.makeDirectory('gone/open');
  await waitFor(() => tree.watcher.stats().watched === 7, { what: 'a watch of the new directories' });
  await tree.settled();

  await threads[0]?.terminate();
  rmSync(folder.absolute('gone'), { recursive: true });
  await waitFor(() => tree.missed() === 1, { what: 'the report' });
  // Whoever compares what it has with the disk by now misses nothing: what changes from here on is hinted.
  folder.put(`${OPEN}/one`);
  folder.remove(`${OPEN}/two`);
  await tree.hinted(`${OPEN}/one`, `${OPEN}/two`);
  t.match(tree.lines, [{ level: 50, event: 'sweep-thread-died' }]);
  await waitFor(() => tree.watcher.stats().watched === 5, {
    what: 'the end of watches of what went meanwhile',
  });
  t.equal(threads.length, 2);
  folder.put(`${OPEN}/three`);
  await tree.hinted(`${OPEN}/three`);
});

void t.test('a thread that cannot run makes the start fail, with the cause', async (t) => {
  const folder = makeFolder(t);
  const tree = startTree(
    t,
    folder.root,
    { mode: 'auto' },
    { startThread: () => new Worker('throw new Error("no sweep today")', { eval: true }) },
  );
  await t.rejects(tree.watcher.ready, { message: /ended with code 1/, cause: { message: 'no sweep today' } });
});
