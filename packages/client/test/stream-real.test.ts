// Against a real server, whose workers are killed.
import { join } from 'node:path';
import { FileCursorStore, PtnStreamClient } from '@ptn-api/client';
import type { ReceivedOrder, StreamGap } from '@ptn-api/client';
import {
  addOrder,
  childPidsOf,
  killAtOnce,
  makePosition,
  makePtnRoot,
  makeTemporaryFolder,
  startServer,
  waitFor,
  workersOf,
} from '@ptn-api/testkit';
import t from 'tap';

const apiKey = 'the-key';
const now = Date.now();
let position = makePosition({ hotkey: 'miner-a', uuid: 'p-1', orders: [{ timeMs: now - 3_600_000 }] });
const root = makePtnRoot(t, {
  positions: [position],
  keys: { full: { key: apiKey, tier: 100 }, delayed: { key: 'delayed-key', tier: 30 } },
});
const server = await startServer(t, { root: root.path });
let placed = 0;

function place(): void {
  placed += 1;
  position = addOrder(position, { timeMs: Date.now(), uuid: `o-${placed}`, leverage: 0.01 });
  root.writePosition(position);
}

const common = { apiKey, url: server.wsUrl, restUrl: server.url, random: () => 0.1 };

await t.test('workers are killed and the program is restarted: every order once, in order', async (t) => {
  const cursorStore = new FileCursorStore(join(makeTemporaryFolder(t), 'cursor.json'));
  const orders: ReceivedOrder[] = [];
  const gaps: StreamGap[] = [];
  const begin = async (): Promise<PtnStreamClient> => {
    const client = new PtnStreamClient({
      ...common,
      cursorStore,
      onOrders: (received) => {
        orders.push(...received);
      },
      onGap: (gap) => {
        gaps.push(gap);
      },
    });
    t.teardown(() => client.stop());
    await client.start();
    return client;
  };
  let client = await begin();
  for (const role of ['ws', 'feed', 'ws'] as const) {
    const [pid] = workersOf(server, role);
    for (let index = 0; index < 6; index++) {
      place();
      if (index === 3) killAtOnce(pid);
      // The server may see several orders in one change of the file; what matters is that none is left out.
      await waitFor(() => orders.length >= placed - 3, { timeoutMs: 20_000, what: 'most of the orders' });
    }
    await waitFor(() => orders.length === placed, {
      timeoutMs: 20_000,
      what: () => `${placed} orders after ${role} was killed; there are ${orders.length}`,
    });
    await waitFor(() => !workersOf(server, role).includes(pid ?? 0) && childPidsOf(server.pid).length === 3, {
      what: 'all workers are there again',
    });
    await client.stop();
    t.equal(client.state, 'stopped');
    // While it is away.
    place();
    client = await begin();
  }
  await waitFor(() => orders.length === placed, { what: 'the last order' });
  const numbers = Array.from({ length: placed }, (_, index) => index + 1);
  t.same(
    orders.map(({ sequence }) => sequence),
    numbers,
  );
  t.same(
    orders.map(({ order }) => order.order_uuid),
    numbers.map((number) => `o-${number}`),
  );
  t.same(gaps, []);
  // Then the cursor of the last call is saved.
  await client.stop();
  t.equal((await cursorStore.load())?.sequence, placed);
  t.ok(Math.abs(client.clockOffsetMs) < 1000, 'the same clock');
  t.ok(
    orders.every(({ lagFromOrderMs }) => lagFromOrderMs > -1000 && lagFromOrderMs < 30_000),
    'lags of this run',
  );
});

await t.test('a filtered stream has the matching orders alone, without gaps', async (t) => {
  const sequences: string[] = [];
  const gaps: StreamGap[] = [];
  const client = new PtnStreamClient({
    ...common,
    start: { sequence: 0, epoch: null },
    filter: { tradePairs: ['ETHUSD'] },
    onOrders: (orders) => {
      sequences.push(...orders.map(({ order }) => order.order_uuid));
    },
    onGap: (gap) => {
      gaps.push(gap);
    },
  });
  t.teardown(() => client.stop());
  await client.start();
  const orders = [{ timeMs: Date.now(), uuid: 'e-1' }];
  const ether = makePosition({ hotkey: 'miner-b', pair: 'ETHUSD', uuid: 'p-2', orders });
  root.writePosition(ether);
  await waitFor(() => sequences.length === 1, { what: 'the first order of the pair' });
  place();
  root.writePosition(addOrder(ether, { timeMs: Date.now(), uuid: 'e-2' }));
  await waitFor(() => sequences.length === 2, { what: 'the second order of the pair' });
  t.same(sequences, ['e-1', 'e-2']);
  t.same(gaps, []);
});

await t.test('a cursor of another log is a gap', async (t) => {
  const gaps: StreamGap[] = [];
  const client = new PtnStreamClient({
    ...common,
    start: { sequence: 1, epoch: 'of another server' },
    onOrders: () => undefined,
    onGap: (gap) => {
      gaps.push(gap);
    },
  });
  t.teardown(() => client.stop());
  await client.start();
  await waitFor(() => gaps.length === 1, { what: 'the gap' });
  t.match(gaps, [{ from: 1, to: Number, reason: 'new-log' }]);
});

await t.test('keys that are refused', async (t) => {
  for (const [key, closeMessage] of [
    ['no-key-of-it', /refused the connection: Invalid API key/],
    ['delayed-key', /refused the connection: WebSocket connections require tier 100/],
  ] as const) {
    const client = new PtnStreamClient({ ...common, apiKey: key, onOrders: () => undefined });
    await t.rejects(client.start(), { name: 'PtnStreamError', message: closeMessage, isTerminal: true });
    t.match(await client.finished, { message: closeMessage });
  }
});

await t.test('a key that is taken away while it streams', async (t) => {
  const client = new PtnStreamClient({ ...common, onOrders: () => undefined });
  await client.start();
  root.writeKeys({});
  t.match(await client.finished, { isTerminal: true, code: 'PTN_ERR_WS_KEY_REVOKED' });
});
