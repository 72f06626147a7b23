import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, renameSync, symlinkSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { waitFor } from '@ptn-api/testkit';
import { makeFolder, NO_SWEEP_MS, startTree, watchedTree } from './watch-fixture.ts';
import type { TreeWatcherOptions, TreeWatcherSystem } from '../dist/watch-tree.js';

// Most of the time is spent waiting for the next sweep.
t.jobs = 20;

function test(name: string, run: (t: Test) => Promise<void>): void {
  void t.test(name, { buffered: true }, run);
}

const OPEN = 'miner/positions/BTCUSD/open';

/** inotify that never tells anything, as when every event was dropped. */
const silent: TreeWatcherSystem = { watch: () => ({ on: () => undefined, close: () => undefined }) };

interface Way {
  readonly name: string;
  readonly options: Pick<TreeWatcherOptions, 'mode' | 'sweepMs'>;
  readonly system?: TreeWatcherSystem;
}

const ways: readonly Way[] = [
  { name: 'inotify alone', options: { mode: 'auto', sweepMs: NO_SWEEP_MS } },
  { name: 'the sweep alone, all events being lost', options: { mode: 'auto', sweepMs: 30 }, system: silent },
  { name: 'poll mode', options: { mode: 'poll', sweepMs: 30 } },
];

for (const { name, options, system } of ways) {
  test(`by ${name}`, async (t) => {
    const folder = makeFolder(t);
    const file = `${OPEN}/one`;
    folder.write(file, 'first');
    folder.write(`${OPEN}/unchanged`);
    const tree = await watchedTree(t, folder.root, options, system);

    /** Waits until all hints of earlier changes have come: only a new one counts then. */
    const settled = async (): Promise<void> => {
      if (options.sweepMs === NO_SWEEP_MS) {
        // The system tells events in their order.
        const marker = randomUUID();
        folder.put(marker);
        await tree.hinted(marker);
        tree.forget();
      } else {
        await tree.settled();
      }
    };

    await t.test('a file that is renamed into place is hinted', async () => {
      folder.put(`${OPEN}/two`);
      await tree.hinted(`${OPEN}/two`);
    });
    await t.test('a file that is replaced by one of the same size is hinted', async () => {
      await settled();
      folder.put(file, 'other');
      await tree.hinted(file);
    });
    await t.test('a file that is written in place is hinted', async () => {
      await settled();
      writeFileSync(folder.absolute(file), 'again');
      await tree.hinted(file);
    });
    await t.test('a file that is removed is hinted', async () => {
      await settled();
      folder.remove(file);
      await tree.hinted(file);
    });
    await t.test('a file in new directories is hinted', async () => {
      folder.write('new/positions/ETHUSD/open/three');
      await tree.hinted('new/positions/ETHUSD/open/three');
      folder.write('new/positions/ETHUSD/open/four');
      await tree.hinted('new/positions/ETHUSD/open/four');
    });
    await t.test('a file in a directory that was replaced is hinted', async () => {
      await settled();
      folder.remove('new/positions/ETHUSD');
      folder.write('new/positions/ETHUSD/open/five');
      await tree.hinted('new/positions/ETHUSD/open/five', 'new/positions/ETHUSD/open/three');
      folder.write('new/positions/ETHUSD/open/six');
      await tree.hinted('new/positions/ETHUSD/open/six');
    });
  });
}

test('what was there before is not hinted, and only what changed is', async (t) => {
  const folder = makeFolder(t);
  folder.write(`${OPEN}/one`);
  folder.write(`${OPEN}/two`);
  const tree = await watchedTree(t, folder.root, { mode: 'auto', sweepMs: NO_SWEEP_MS });
  t.match(tree.watcher.stats(), {
    directories: 5,
    watched: 5,
    files: 2,
    sweeps: 1,
    hints: 0,
    mode: 'inotify',
  });
  folder.put(`${OPEN}/two`);
  await tree.hinted(`${OPEN}/two`);
  t.strictSame([...tree.hints], [`${OPEN}/two`]);
});

test('a burst of 3,000 renames while the event loop is blocked is hinted', async (t) => {
  const folder = makeFolder(t);
  folder.makeDirectory(OPEN);
  const tree = await watchedTree(t, folder.root, { mode: 'auto', sweepMs: 200 });
  const script = `
    const { renameSync, writeFileSync } = require('node:fs');
    for (let i = 0; i < 3000; i++) {
      writeFileSync('new', String(i));
      renameSync('new', 'miners/${OPEN}/' + i);
    }`;
  const child = spawn(process.execPath, ['-e', script], { cwd: folder.base, stdio: 'inherit' });
  const exit = once(child, 'exit');
  await once(child, 'spawn');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
  t.strictSame(await exit, [0, null]);
  await tree.hinted(...Array.from({ length: 3000 }, (_, i) => `${OPEN}/${i}`));
});

test('files written at once into 200 new nested directories are hinted by inotify alone', async (t) => {
  const folder = makeFolder(t);
  const tree = await watchedTree(t, folder.root, { mode: 'auto', sweepMs: NO_SWEEP_MS });
  const script = `
    const { mkdirSync, writeFileSync } = require('node:fs');
    for (let i = 0; i < 200; i++) {
      mkdirSync('m' + i + '/positions/BTCUSD/open', { recursive: true });
      writeFileSync('m' + i + '/positions/BTCUSD/open/p', 'x');
    }`;
  const child = spawn(process.execPath, ['-e', script], { cwd: folder.root, stdio: 'inherit' });
  t.strictSame(await once(child, 'exit'), [0, null]);
  await tree.hinted(...Array.from({ length: 200 }, (_, i) => `m${i}/positions/BTCUSD/open/p`));
});

for (const mode of ['auto', 'poll'] as const) {
  test(`${mode}: a miner that is moved away has all its files hinted`, async (t) => {
    const folder = makeFolder(t);
    const files = ['a', 'b', 'c'].map((name) => `${OPEN}/${name}`);
    for (const file of files) folder.write(file);
    folder.write('other/positions/BTCUSD/open/d');
    const tree = await watchedTree(t, folder.root, { mode, sweepMs: 30 });
    await tree.settled();
    renameSync(folder.absolute('miner'), join(folder.base, 'away'));
    await tree.hinted(...files);
    await waitFor(() => tree.watcher.stats().directories === 5, {
      what: 'the root and the other miner only',
    });
    t.equal(tree.watcher.stats().watched, mode === 'auto' ? 5 : 0, 'no watch is left behind');
  });

  test(`${mode}: a root that is missing, appears, vanishes and comes back`, async (t) => {
    const folder = makeFolder(t);
    const root = join(folder.base, 'validation/miners');
    const tree = await watchedTree(t, root, { mode, sweepMs: 30 });
    t.match(tree.watcher.stats(), { directories: 0, files: 0, hints: 0 });
    mkdirSync(join(root, OPEN), { recursive: true });
    writeFileSync(join(root, OPEN, 'one'), 'x');
    await tree.hinted(`${OPEN}/one`);
    await tree.settled();
    renameSync(root, join(folder.base, 'away'));
    await tree.hinted(`${OPEN}/one`);
    await waitFor(() => tree.watcher.stats().directories === 0, { what: 'no directory' });
    tree.forget();
    renameSync(join(folder.base, 'away'), root);
    await tree.hinted(`${OPEN}/one`);
    writeFileSync(join(root, OPEN, 'two'), 'x');
    await tree.hinted(`${OPEN}/two`);
  });
}

test('a file that came and went with its directory between two sweeps is hinted as gone', async (t) => {
  const folder = makeFolder(t);
  const tree = await watchedTree(t, folder.root, { mode: 'auto', sweepMs: 4000 });
  folder.write('new/open/one');
  await tree.hinted('new/open/one');
  folder.put('new/open/two');
  await tree.hinted('new/open/two');
  t.equal(tree.watcher.stats().sweeps, 1, 'the sweep has not seen it');
  tree.forget();
  renameSync(folder.absolute('new'), join(folder.base, 'away'));
  await tree.hinted('new/open/one', 'new/open/two');
});

test('links are not followed', async (t) => {
  const folder = makeFolder(t);
  mkdirSync(join(folder.base, 'outside/open'), { recursive: true });
  writeFileSync(join(folder.base, 'outside/open/one'), 'x');
  symlinkSync(join(folder.base, 'outside'), folder.absolute('before'));
  const tree = await watchedTree(t, folder.root, { mode: 'auto', sweepMs: 30 });
  symlinkSync(join(folder.base, 'outside'), folder.absolute('after'));
  symlinkSync(join(folder.base, 'outside/open/one'), folder.absolute('file-link'));
  writeFileSync(join(folder.base, 'outside/open/two'), 'x');
  folder.write('stray');
  await tree.hinted('stray');
  await tree.swept();
  t.strictSame([...tree.hints], ['stray']);
  t.equal(tree.watcher.stats().directories, 1);
});

test('closed while it starts, it starts nothing and hints nothing', async (t) => {
  const folder = makeFolder(t);
  folder.write(`${OPEN}/one`);
  const tree = startTree(t, folder.root, { mode: 'auto' });
  await tree.watcher.close();
  t.match(tree.watcher.stats(), { sweeps: 0, watched: 0, hints: 0 });
});

test('after close nothing keeps the process alive', async (t) => {
  const folder = makeFolder(t);
  folder.write(`${OPEN}/one`);
  const module = new URL('../dist/watch-tree.js', import.meta.url).href;
  const script = `
    import { watchTree } from ${JSON.stringify(module)};
    const log = { warn: console.error, error: console.error };
    const kinds = { ignored: /^$/, busy: /^$/ };
    const root = ${JSON.stringify(folder.root)};
    const watcher = watchTree({ root, kinds, mode: 'auto', log, onHints() {} });
    await watcher.ready;
    await watcher.close();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
  t.teardown(() => child.kill('SIGKILL'));
  const exit = await Promise.race([
    once(child, 'exit'),
    new Promise((resolve) => {
      setTimeout(resolve, 5000, 'still running').unref();
    }),
  ]);
  t.strictSame(exit, [0, null]);
});

test('an error of a watch is logged, and its directory polled', async (t) => {
  const folder = makeFolder(t);
  folder.makeDirectory(OPEN);
  const fail: ((error: Error) => void)[] = [];
  const tree = await watchedTree(
    t,
    folder.root,
    { mode: 'auto', sweepMs: 30 },
    {
      watch: (path, listener) => {
        const watcher = watch(path, listener);
        fail.push((error) => watcher.emit('error', error));
        return watcher;
      },
    },
  );
  t.equal(tree.watcher.stats().mode, 'inotify');
  for (const emit of fail) emit(Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }));
  t.match(tree.watcher.stats(), { watched: 0, mode: 'poll' });
  t.strictSame(
    tree.lines.map(({ event }) => event),
    ['watch-refused'],
  );
  folder.put(`${OPEN}/one`);
  await tree.hinted(`${OPEN}/one`);
});

test('a file that only the receiver came upon is hinted when it is gone', async (t) => {
  const folder = makeFolder(t);
  const tree = await watchedTree(t, folder.root, { mode: 'poll', sweepMs: 30 });
  await tree.settled();
  const closed = 'new-miner/positions/BTCUSD/closed/two';
  tree.watcher.learn([`${OPEN}/one`, closed]);
  await tree.hinted(`${OPEN}/one`, closed);
  t.pass('hinted, though no sweep ever saw it');
});

for (const mode of ['auto', 'poll'] as const) {
  test(`${mode}: directories that are ignored are neither watched nor swept`, async (t) => {
    const folder = makeFolder(t);
    folder.write('miner/positions/BTCUSD/open/one');
    folder.write('miner/limit_orders/BTCUSD/unfilled/two');
    const tree = await watchedTree(t, folder.root, { mode, sweepMs: 30 });
    await tree.settled();
    const { directories, files } = tree.watcher.stats();
    t.same({ directories, files }, { directories: 5, files: 1 });
    // Made while it is watched.
    mkdirSync(folder.absolute('other/limit_orders/BTCUSD/unfilled'), { recursive: true });
    folder.put('other/limit_orders/BTCUSD/unfilled/three');
    folder.put('other/positions/BTCUSD/open/four');
    await tree.hinted('other/positions/BTCUSD/open/four');
    await tree.swept();
    t.same(
      [...tree.hints].filter((path) => path.includes('limit_orders')),
      [],
    );
    t.equal(tree.watcher.stats().directories, 9);
    if (mode === 'auto') t.equal(tree.watcher.stats().watched, 9);
  });
}
