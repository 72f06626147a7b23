import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { SocketLimits } from '../dist/http/socket-limits.js';
import { maxConnections, maxOpenFiles } from '../dist/open-files.js';

await t.test(
  'a process that holds all it may closes the oldest without a key, and none with one',
  async (t) => {
    const sockets = new SocketLimits({
      limits: { connectionsPerAddress: 0, unauthenticated: 100, trustedProxies: [] },
      log: { warn: () => undefined },
      maxOpen: 3,
    });
    const served: Socket[] = [];
    const admitted: boolean[] = [];
    const server = createServer((socket) => {
      served.push(socket);
      admitted.push(sockets.admit(socket));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => {
      server.close();
      for (const socket of served) socket.destroy();
    });
    const open = async (): Promise<Socket> => {
      const before = served.length;
      const client = connect((server.address() as AddressInfo).port, '127.0.0.1').resume();
      t.teardown(() => client.destroy());
      await waitFor(() => served.length > before, { what: 'a connection' });
      return client;
    };
    const show = (index: number): void => {
      const socket = served[index];
      if (socket !== undefined) sockets.authenticated(socket);
    };
    const [first, second, third] = [await open(), await open(), await open()];
    show(0);
    const fourth = await open();
    await waitFor(() => second.closed, { what: 'the oldest without a key makes room' });
    t.same(admitted, [true, true, true, true]);
    show(2);
    show(3);
    const fifth = await open();
    await waitFor(() => fifth.closed, { what: 'all others have shown a key' });
    t.equal(admitted[4], false);
    t.notOk([first, third, fourth].some(({ closed }) => closed));
    first.destroy();
    await waitFor(() => served[0]?.closed, { what: 'it is closed here, too' });
    await open();
    t.equal(admitted[5], true, 'there is room again');
  },
);

await t.test('how many connections a process may hold comes from its limit of open files', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ptn-limits-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, 'limits');
  const limitOf = (text: string): number | undefined => {
    writeFileSync(file, `Limit       Soft Limit  Hard Limit  Units\n${text}`);
    return maxOpenFiles(file);
  };
  t.equal(limitOf('Max open files            1024                 4096                 files\n'), 1024);
  t.equal(limitOf('Max open files            unlimited            unlimited            files\n'), Infinity);
  t.equal(
    limitOf('Max processes             10                   10                   processes\n'),
    undefined,
  );
  t.equal(maxOpenFiles(join(folder, 'absent')), undefined);
  t.throws(() => maxOpenFiles(folder), { code: 'EISDIR' });
  t.same([65_536, 1024, 256, Infinity].map(maxConnections), [65_336, 824, 128, Infinity]);
  t.end();
});
