import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { childPidsOf, makePtnRoot, makeTemporaryFolder, startServer, waitFor } from '@ptn-api/testkit';
import t from 'tap';
import type { Test } from 'tap';
import { trade } from './feed-fixture.ts';
import { BridgeProcess } from './bridge-process.ts';

/** How long the server is away while the validator goes on. */
const DOWN_MS = Number(process.env['PTN_TEST_BRIDGE_DOWN_MS'] ?? 1500);
const PUT_EVERY_MS = 10;
const keys = { user: { key: 'the-key', tier: 100 } };

interface StreamedOrder {
  readonly sequence: number;
  readonly data: { readonly position: { readonly position_uuid: string; readonly orders: object[] } };
}

async function streamed(url: string): Promise<StreamedOrder[]> {
  const response = await fetch(`${url}/orders?since=0&limit=1000`, {
    headers: { Authorization: 'Bearer the-key' },
  });
  return ((await response.json()) as { messages: StreamedOrder[] }).messages;
}

function position(uuid: string) {
  return trade({ uuid, times: [Date.now()] });
}

/** A socket that does what the test says with each line. */
async function fakeSocket(t: Test, onLine: (line: string, socket: Socket) => void) {
  const path = join(makeTemporaryFolder(t), 'ingest.sock');
  const lines: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    createInterface({ input: socket }).on('line', (line) => {
      lines.push(line);
      onLine(line, socket);
    });
  });
  server.listen(path);
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { path, lines };
}

const python = spawnSync('python3', ['--version']);
if (python.status !== 0) {
  t.plan(0, 'there is no python3 here, which the bridge is written in');
  t.end();
} else {
  await t.test(
    'what is put while the server is away arrives in order, and no put waits',
    { timeout: 30_000 + 2 * DOWN_MS },
    async (t) => {
      const root = makePtnRoot(t, {
        positions: [trade({ uuid: 'old', times: [Date.now() - 3_600_000] })],
        keys,
      });
      const validator = new BridgeProcess(t, root.join('.ptn-api', 'ingest.sock'));
      const put: string[] = [];
      const putOne = async (): Promise<void> => {
        put.push(`p${put.length}`);
        await validator.call('put', position(`p${put.length - 1}`));
      };
      const first = await startServer(t, { root: root.path });
      for (let index = 0; index < 20; index++) await putOne();
      await validator.has({ acknowledged: 20 });
      await first.stop();

      const downUntil = performance.now() + DOWN_MS;
      while (performance.now() < downUntil) {
        await putOne();
        // About the rate of a burst of the validator.
        await delay(PUT_EVERY_MS);
      }
      const away = await validator.stats();
      t.equal(away.connected, false);
      t.ok(away.buffered > 0);
      // Not the longest of all: the system may take the processor away in any of them.
      const putMs = validator.putMs.toSorted((a, b) => a - b)[Math.floor(validator.putMs.length * 0.9)];
      t.ok((putMs ?? Infinity) < 100, `nine of ten puts took ${putMs?.toFixed(2)} ms at most`);

      const second = await startServer(t, { root: root.path });
      await validator.has({ acknowledged: put.length, buffered: 0, dropped: 0, refused: 0 });
      const numbers: number[] = [];
      const arrived: string[] = [];
      for (;;) {
        const since = numbers.length;
        const response = await fetch(`${second.url}/orders?since=${since}&limit=1000`, {
          headers: { Authorization: 'Bearer the-key' },
        });
        const { messages } = (await response.json()) as { messages: StreamedOrder[] };
        if (messages.length === 0) break;
        numbers.push(...messages.map(({ sequence }) => sequence));
        arrived.push(...messages.map(({ data }) => data.position.position_uuid));
      }
      t.same(arrived, put);
      t.same(
        numbers,
        put.map((_, index) => index + 1),
      );
      t.equal(await validator.call('close', 5), true);
    },
  );

  await t.test(
    'the feed is killed between put and acknowledgement: sent again, one number each',
    async (t) => {
      const root = makePtnRoot(t, {
        positions: [trade({ uuid: 'old', times: [Date.now() - 3_600_000] })],
        keys,
      });
      const server = await startServer(t, { root: root.path });
      const validator = new BridgeProcess(t, root.join('.ptn-api', 'ingest.sock'));
      await validator.has({ connected: true });
      const feed = childPidsOf(server.pid).find((pid) =>
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('/feed/main.js'),
      );
      if (feed === undefined) throw new Error('there is no feed');
      for (let index = 0; index < 300; index++) {
        await validator.call('put', position(`p${index}`));
        if (index === 100) process.kill(feed, 'SIGKILL');
      }
      await validator.has({ acknowledged: 300, buffered: 0 });
      const messages = await streamed(server.url);
      t.same(
        messages.map(({ data }) => data.position.position_uuid),
        Array.from({ length: 300 }, (_, index) => `p${index}`),
      );
      t.same(
        messages.map(({ sequence }) => sequence),
        Array.from({ length: 300 }, (_, index) => index + 1),
      );
    },
  );

  await t.test('objects of the validator become the JSON that its files hold', async (t) => {
    const { path, lines } = await fakeSocket(t, (_line, socket) => {
      socket.write('{"ok":true,"sequence":1,"duplicate":false}\n');
    });
    const validator = new BridgeProcess(t, path);
    await validator.call('put_objects', position('p'));
    await validator.has({ acknowledged: 1, bad: 0 });
    t.match(lines[0], '"current_return": NaN', 'as Python writes it');
    const sent = JSON.parse((lines[0] ?? '').replace('NaN', '1')) as { position: object };
    t.match(sent.position, {
      trade_pair: ['BTCUSD', 'BTC/USD', 0.003, 0.01, 0.5],
      orders: [{ order_type: 'LONG', price: 100.25 }],
    });
  });

  await t.test('bad items are counted and told once, none raises, what follows arrives', async (t) => {
    const { path, lines } = await fakeSocket(t, (_line, socket) => {
      socket.write('{"ok":true,"sequence":1,"duplicate":true}\n');
    });
    const validator = new BridgeProcess(t, path);
    await validator.call('put_bad');
    await validator.call('put_bad');
    await validator.call('put', position('p'));
    await validator.has({ bad: 14, acknowledged: 1, duplicates: 1 });
    t.equal(lines.length, 1);
    await waitFor(() => /items bad in all/.test(validator.log), { what: 'it is told' });
    t.equal(validator.log.match(/items bad in all/g)?.length, 1);
  });

  await t.test(
    'with a full buffer new items are dropped and counted, those that wait are kept',
    async (t) => {
      const path = join(makeTemporaryFolder(t), 'ingest.sock');
      const validator = new BridgeProcess(t, path, { max_buffered: 10 });
      for (let index = 0; index < 15; index++) await validator.call('put', position(`p${index}`));
      t.match(await validator.stats(), { buffered: 10, dropped: 5 });
      await waitFor(() => /5 items dropped in all.*buffer is full/.test(validator.log), {
        what: 'it is told',
      });
      const small = new BridgeProcess(t, path, { max_buffered_bytes: 2000 });
      for (let index = 0; index < 15; index++) await small.call('put', position(`p${index}`));
      const { buffered, dropped } = await small.stats();
      t.ok(buffered > 0 && buffered < 5, `${buffered} fit into 2,000 bytes`);
      t.equal(buffered + dropped, 15);
      t.equal(await small.call('close', 0.1), false, 'closing in vain says so');
    },
  );

  await t.test('what is refused is not sent again; what has no answer is, in order', async (t) => {
    let connections = 0;
    const { path, lines } = await fakeSocket(t, (line, socket) => {
      if (line.includes('"p1"')) socket.write('{"ok":false,"code":"PTN_ERR_X","message":"no"}\n');
      else if (line.includes('"p2"') && connections++ === 0) socket.destroy();
      else socket.write('{"ok":true,"sequence":1,"duplicate":false}\n');
    });
    const validator = new BridgeProcess(t, path);
    for (let index = 0; index < 5; index++) await validator.call('put', position(`p${index}`));
    await validator.has({ acknowledged: 4, refused: 1, buffered: 0 });
    const order = lines.map((line) => (JSON.parse(line) as { position: { position_uuid: string } }).position);
    const uuids = order.map(({ position_uuid: uuid }) => uuid);
    t.same(uuids.slice(0, 3), ['p0', 'p1', 'p2']);
    t.same(uuids.slice(-3), ['p2', 'p3', 'p4']);
    t.equal(uuids.filter((uuid) => uuid === 'p1').length, 1);
    await waitFor(() => validator.log.includes('PTN_ERR_X: no'), { what: 'the refusal is told' });
  });

  await t.test('a server that has no room for the connection is tried again', async (t) => {
    let connections = 0;
    const path = join(makeTemporaryFolder(t), 'ingest.sock');
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      if (connections++ === 0) {
        socket.end('{"ok":false,"code":"PTN_ERR_INGEST_MAX_CONNECTIONS","message":"full"}\n');
        return;
      }
      createInterface({ input: socket }).on('line', () => {
        socket.write('{"ok":true,"sequence":1,"duplicate":false}\n');
      });
      t.teardown(() => socket.destroy());
    }).listen(path);
    await once(server, 'listening');
    t.teardown(() => server.close());
    const validator = new BridgeProcess(t, path);
    await validator.call('put', position('p'));
    await validator.has({ acknowledged: 1, refused: 0 });
    t.equal(connections, 2);
  });
}
