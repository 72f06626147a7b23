/** Limits of the system that are reached, and ports that others hold. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { killAtOnce, makeTemporaryFolder, startServer, waitFor, workersOf } from '@ptn-api/testkit';
import type { TestScope } from '@ptn-api/testkit';
import t from 'tap';
import type { Test } from 'tap';
import { hotkeysOf, place, served, servedRoot, statusOf, subscriber } from './fault-fixture.ts';

t.jobs = 3;

const WATCHES = 6;

function test(name: string, run: (t: Test) => Promise<void>, skip: string | false = false): void {
  void t.test(name, { buffered: true, skip }, run);
}

/** A limit of the system holds for a user namespace: in one of its own this Node sets it for nobody else. */
function limitedNode(scope: TestScope): string {
  const path = join(makeTemporaryFolder(scope), 'node');
  const limit = `echo ${WATCHES} > /proc/sys/user/max_inotify_watches && exec "$@"`;
  writeFileSync(path, `#!/bin/sh\nexec unshare -Ur sh -c '${limit}' sh '${process.execPath}' "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

const program = limitedNode(t);

function isLimited(): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test(
  'no more inotify watches: the log says what to raise, and every change is found all the same',
  async (t) => {
    const root = servedRoot(t);
    const server = await startServer(t, {
      root: root.path,
      args: ['--rest-workers', '1'],
      nodePath: program,
    });
    await waitFor(() => server.output().includes('"event":"watch-refused"'), { what: 'the warning' });
    t.match(server.output(), /raise fs\.inotify\.max_user_watches with sysctl and restart/);
    const sequences = await subscriber(t, server);
    for (let miner = 0; miner < 10; miner += 1) place(root, `miner-${miner}`);
    await waitFor(async () => (await hotkeysOf(server)).length === 11, { what: 'all are served' });
    await waitFor(() => sequences.length === 10, { what: 'all are streamed' });
    t.equal(await statusOf(server, '/readyz'), 200);
  },
  isLimited() ? false : 'the system does not let this user limit inotify for a namespace',
);

async function listening(t: Test, port: number): Promise<Server> {
  const server = createServer();
  t.teardown(() => server.close());
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

test('a port that is taken: the start names it and the option, and ends with exit code 5', async (t) => {
  const root = servedRoot(t);
  const holder = await listening(t, 0);
  const { port } = holder.address() as AddressInfo;
  for (const option of ['--api-rest-port', '--api-ws-port']) {
    const failed = startServer(t, { root: root.path, args: [option, String(port)] });
    await t.rejects(failed, {
      message: new RegExp(`code 5.*\n(?:.*\n)*ptn-api: Cannot listen on 127.0.0.1:${port}: .*${option}`),
    });
  }
});

test('workers that are started again need no port: nobody else can have taken it', async (t) => {
  const { server } = await served(t);
  const ports = [server.url, server.wsUrl].map((url) => Number(new URL(url).port));
  for (const role of ['rest', 'ws'] as const) {
    const [worker] = workersOf(server, role);
    killAtOnce(worker);
    await waitFor(() => !workersOf(server, role).includes(worker ?? 0), { what: 'it is gone' });
    for (const port of ports) {
      await t.rejects(listening(t, port), { code: 'EADDRINUSE' }, `port ${port} without a ${role} worker`);
    }
    // On the same port: it waits for the new worker.
    t.equal(await statusOf(server), 200);
    t.same(await subscriber(t, server), []);
  }
});
