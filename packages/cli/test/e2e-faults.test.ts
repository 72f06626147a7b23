/**
 * What goes wrong around a running server. Longer by hand: PTN_TEST_STOP_MS=20000 stops workers beyond the time after
 * which they are taken for dead.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { makePtnRoot, startServer, waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { hotkeysOf, KEY, place, served, startLoad, statusOf, subscriber } from './fault-fixture.ts';

const STOP_MS = Number(process.env['PTN_TEST_STOP_MS'] ?? 700);

const { root, server } = await served(t, { args: ['--rest-workers', '2'] });

await t.test(
  'a key file that changes 50 times a second: who is in it all the time is never refused',
  async (t) => {
    const file = join(root.path, 'ptn_api', 'api_keys.json');
    const load = startLoad(server);
    for (let change = 1; change <= 100; change++) {
      const keys = {
        user: { key: KEY, tier: 100 },
        [`other-${change}`]: { key: `other-key-${change}`, tier: 50 },
      };
      writeFileSync(file, JSON.stringify(keys));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await waitFor(async () => (await statusOf(server, '/miner-hotkeys', 'other-key-100')) === 200, {
      what: 'the last key counts',
    });
    t.equal(
      await statusOf(server, '/miner-hotkeys', 'other-key-99'),
      401,
      'the one before does not any more',
    );
    t.same((await load.end()).statuses, [200]);
    t.notMatch(server.output(), /other-key/);
  },
);

await t.test('a worker that is stopped for a while: the others serve on, and nothing is lost', async (t) => {
  const sequences = await subscriber(t, server);
  for (const [index, pid] of server.childPids().entries()) {
    process.kill(pid, 'SIGSTOP');
    place(root, `during-${index}`);
    await new Promise((resolve) => setTimeout(resolve, STOP_MS));
    try {
      process.kill(pid, 'SIGCONT');
    } catch (error) {
      // It was taken for dead meanwhile, and replaced.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    await waitFor(async () => (await hotkeysOf(server)).includes(`during-${index}`), {
      timeoutMs: 30_000,
      what: `what came while worker ${index} was stopped is served`,
    });
  }
  if (STOP_MS < 15_000) {
    await waitFor(() => sequences.length === 4, { what: () => `four orders, not ${sequences.join()}` });
    t.same(sequences, [1, 2, 3, 4]);
    t.notMatch(server.output(), /worker-crashed/);
  } else t.match(server.output(), /did not answer/, 'who is stopped for so long is replaced');
});

for (const pace of ['all at once', 'one after the other']) {
  await t.test(
    `more connections than open files, ${pace}: some are dropped, no worker ends, and it serves on`,
    async (t) => {
      const root = makePtnRoot(t, { keys: { user: { key: KEY, tier: 100 } } });
      place(root, 'first');
      const server = await startServer(t, {
        root: root.path,
        args: ['--rest-workers', '1'],
        openFiles: 256,
      });
      const clients: Socket[] = [];
      t.teardown(() => {
        for (const client of clients) client.destroy();
      });
      const { hostname, port } = new URL(server.url);
      const open = async (): Promise<void> => {
        const client = connect(Number(port), hostname);
        client.on('error', () => client.destroy());
        clients.push(client);
        await Promise.race([once(client, 'connect'), once(client, 'close')]);
      };
      if (pace === 'all at once') await Promise.all(Array.from({ length: 400 }, open));
      // The supervisor has given each to the worker, which is the first to have no room.
      else for (let count = 0; count < 400; count++) await open();
      await waitFor(
        () => server.output().includes('connections-dropped') || clients.some(({ closed }) => closed),
        { timeoutMs: 20_000, what: 'some are dropped' },
      );
      await waitFor(async () => (await statusOf(server).catch(() => 0)) === 200, {
        timeoutMs: 20_000,
        what: 'it serves while they are all there',
      });
      for (const client of clients) client.destroy();
      place(root, 'later');
      await waitFor(async () => (await hotkeysOf(server)).includes('later'), {
        what: 'what came later is served',
      });
      t.notMatch(server.output(), /worker-crashed|worker-fault/);
    },
  );
}
