/** A state directory, a log file and a standard output without room, or that may only be read. Needs root: it mounts. */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { killAtOnce, makeTemporaryFolder, startServer, waitFor, workersOf } from '@ptn-api/testkit';
import t from 'tap';
import type { Test } from 'tap';
import { startReceiver } from '../../supervisor/dist-test/alert-receiver.js';
import { hotkeysOf, place, served, servedRoot, statusOf, subscriber } from './fault-fixture.ts';

const CLI = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const ONE_WORKER = ['--rest-workers', '1'];

t.jobs = 3;

/** Whether this process may mount: root of a container often may not. */
function mayMount(): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    execFileSync('unshare', ['-m', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const skip = mayMount() ? false : 'only who may mount file systems (root) can fill one';

function test(name: string, run: (t: Test) => Promise<void>): void {
  void t.test(name, { buffered: true, skip }, run);
}

/** A file system in memory, of 2 MB, gone after the test. */
function smallDisk(t: Test): string {
  const path = makeTemporaryFolder(t);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m,mode=755', 'tmpfs', path]);
  t.teardown(() => {
    execFileSync('umount', ['-l', path]);
  });
  return path;
}

/** Leaves no byte free. */
function fill(disk: string): void {
  const file = openSync(join(disk, 'filler'), 'a');
  try {
    for (let size = 65_536; size >= 1;) {
      try {
        writeSync(file, Buffer.alloc(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        size = Math.floor(size / 2);
      }
    }
  } finally {
    closeSync(file);
  }
}

function makeRoom(disk: string): void {
  rmSync(join(disk, 'filler'));
}

test('the state folder of a server that runs', async (t) => {
  const disk = smallDisk(t);
  const state = join(disk, 'state');
  const receiver = await startReceiver(t);
  const { root, server } = await served(t, {
    args: ['--state-dir', state, '--alert-webhook-url', receiver.url],
  });

  await t.test('no room for the order log: orders wait, all else goes on, and nothing is lost', async (t) => {
    const sequences = await subscriber(t, server);
    place(root, 'before');
    await waitFor(() => sequences.length === 1, { what: 'the first order' });
    fill(disk);
    for (let order = 0; order < 40; order += 1) place(root, 'during');
    await waitFor(() => receiver.texts.some((text) => text.includes('orders cannot be stored')), {
      what: 'the alert',
    });
    await waitFor(async () => (await hotkeysOf(server)).includes('during'), { what: 'REST is up to date' });
    t.equal(await statusOf(server, '/readyz'), 200);
    t.ok(sequences.length < 41, 'what is not stored is not sent');
    makeRoom(disk);
    await waitFor(() => sequences.length === 41, { what: 'all orders' });
    t.same(
      sequences,
      Array.from({ length: 41 }, (_, index) => index + 1),
    );
    await waitFor(() => receiver.texts.length === 2, { what: 'the end of the alert' });
    t.match(receiver.texts[0], /orders cannot be stored, and are not sent until they are: is there room/);
    t.match(receiver.texts[1], /Recovered: orders are stored and sent again/);
    t.notMatch(server.output(), /worker-crashed/);
  });

  await t.test('a feed that is killed while the disk is full comes back when there is room', async (t) => {
    const sequences = await subscriber(t, server);
    fill(disk);
    const [feed] = workersOf(server, 'feed');
    killAtOnce(feed);
    place(root, 'during');
    await waitFor(() => server.output().includes('worker-crashed'), { what: 'the kill is noticed' });
    t.equal(await statusOf(server), 200);
    makeRoom(disk);
    await waitFor(() => sequences.length === 1, { what: 'the order', timeoutMs: 30_000 });
    t.same(sequences, [42]);
  });

  await t.test(
    'a state folder that becomes read-only: what runs serves on, a feed that is killed waits for it',
    async (t) => {
      const sequences = await subscriber(t, server);
      execFileSync('mount', ['--bind', state, state]);
      execFileSync('mount', ['-o', 'remount,bind,ro', state]);
      const before = server.output().length;
      const [feed] = workersOf(server, 'feed');
      killAtOnce(feed);
      place(root, 'read-only');
      await waitFor(() => server.output().slice(before).split('worker-crashed').length > 2, {
        what: 'a feed could not start',
        timeoutMs: 20_000,
      });
      t.equal(await statusOf(server), 200, 'the last state is served on');
      t.equal(await statusOf(server, '/readyz'), 503);
      t.match(server.output().slice(before), /EROFS|[Rr]ead-only/, 'the log says why');
      execFileSync('umount', ['-l', state]);
      await waitFor(() => sequences.length === 1, { what: 'the order', timeoutMs: 30_000 });
      await waitFor(async () => (await statusOf(server, '/readyz')) === 200, { what: 'all is well' });
      t.same((await hotkeysOf(server)).sort(), ['before', 'during', 'first', 'read-only']);
    },
  );
});

/** Also those without a key. */
const EVERY_REQUEST = ['--log-level', 'debug'];

test('no room for the log file: lines are lost, serving is not', async (t) => {
  const disk = smallDisk(t);
  const root = servedRoot(t);
  const server = spawnServer(t, root.path, ['--log-file', join(disk, 'server.log'), ...EVERY_REQUEST]);
  const lines = (): string =>
    readdirSync(disk)
      .filter((name) => name.startsWith('server.'))
      .map((name) => readFileSync(join(disk, name), 'utf8'))
      .join('');
  await waitFor(() => server.isReady(), { what: 'the server is ready', timeoutMs: 30_000 });
  const url = urlIn(lines());
  fill(disk);
  for (let request = 0; request < 50; request += 1) t.equal(await statusAt(url), 200);
  t.match(server.printed(), /the log file cannot be written: .*ENOSPC/);
  makeRoom(disk);
  await waitFor(
    async () => {
      await statusAt(`${url}?after`);
      return lines().includes('"event":"request"');
    },
    { what: 'lines are written again' },
  );
  t.ok(server.isRunning());
});

test('no room where standard output and standard error go: serving goes on', async (t) => {
  const disk = smallDisk(t);
  const root = servedRoot(t);
  const path = join(disk, 'out.log');
  const output = openSync(path, 'a');
  const server = spawnServer(t, root.path, EVERY_REQUEST, output);
  closeSync(output);
  await waitFor(() => server.isReady(), { what: 'the server is ready', timeoutMs: 30_000 });
  const url = urlIn(readFileSync(path, 'utf8'));
  fill(disk);
  for (let request = 0; request < 50; request += 1) t.equal(await statusAt(url), 200);
  place(root, 'later');
  makeRoom(disk);
  const sizeBefore = readFileSync(path).byteLength;
  await waitFor(
    async () => {
      await statusAt(url);
      return readFileSync(path).byteLength > sizeBefore;
    },
    { what: 'lines are written again' },
  );
  t.ok(server.isRunning());
});

test('a state folder that may only be read, or is full: a start ends with its exit code', async (t) => {
  const root = servedRoot(t);
  const readOnly = smallDisk(t);
  execFileSync('mount', ['-o', 'remount,ro', readOnly]);
  const first = spawnServer(t, root.path, ['--state-dir', readOnly]);
  t.equal(await first.exitCode, 6);
  t.match(first.printed(), /^ptn-api: Cannot use the state directory .*EROFS.*\n$/);
  const full = smallDisk(t);
  mkdirSync(join(full, 'state'));
  fill(full);
  const second = spawnServer(t, root.path, ['--state-dir', join(full, 'state')]);
  t.equal(await second.exitCode, 7);
  t.match(second.printed(), /The feed worker did not start: .*ENOSPC.*Check that the disk is neither full/);
});

test('a sound order log on a full disk is not taken for a damaged one', async (t) => {
  const disk = smallDisk(t);
  const root = servedRoot(t);
  const options = { root: root.path, args: [...ONE_WORKER, '--state-dir', disk] };
  const first = await startServer(t, options);
  const before = await subscriber(t, first);
  place(root, 'first');
  await waitFor(() => before.length === 1, { what: 'an order in the log' });
  await first.stop();
  // As after a restore that left it out: the engine makes and maps it anew.
  rmSync(join(disk, 'orders', 'lock.mdb'));
  fill(disk);
  await t.rejects(startServer(t, options), { message: /code 7/ });
  makeRoom(disk);
  const second = await startServer(t, options);
  const after = await subscriber(t, second);
  place(root, 'first');
  await waitFor(() => after.length === 1, { what: 'the next order' });
  t.same(after, [2], 'the numbers go on');
  t.same(
    readdirSync(disk).filter((name) => name.includes('damaged')),
    [],
  );
});

function urlIn(lines: string): string {
  const port = /"event":"listening","host":"127.0.0.1","port":(\d+)/.exec(lines)?.[1];
  if (port === undefined) throw new Error(`no address in the log:\n${lines}`);
  return `http://127.0.0.1:${port}/healthz`;
}

async function statusAt(url: string): Promise<number> {
  const response = await fetch(url);
  await response.arrayBuffer();
  return response.status;
}

/** A server whose output may go elsewhere than to this test: `output` is a file descriptor. */
function spawnServer(t: Test, root: string, args: readonly string[], output: number | 'pipe' = 'pipe') {
  const ports = ['--api-rest-port', '0', '--api-ws-port', '0', '--admin-port', 'off'];
  const child = spawn(
    process.execPath,
    [CLI, '--serve', '--ptn-root', root, ...ports, ...ONE_WORKER, ...args],
    { stdio: ['ignore', output, output, 'ipc'] },
  );
  let printed = '';
  let isReady = false;
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.on('message', (message) => {
    if (message === 'ready') isReady = true;
  });
  const exitCode = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  t.teardown(async () => {
    child.kill('SIGTERM');
    await exitCode;
  });
  return {
    exitCode,
    isReady: () => isReady,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    printed: () => printed,
  };
}
