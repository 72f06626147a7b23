import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { makeTemporaryFolder } from '@ptn-api/testkit';
import { pino } from 'pino';
import t from 'tap';
import type { AnyTransaction, FromWorker, ToWorker } from '../../runtime/dist/ipc/messages.js';
import { openOrderLogWriter } from '../../order-log/dist/open-order-log-writer.js';
import type { OrderLogState } from '../../order-log/dist/order-log.js';
import { testConfig } from '../../runtime/dist-test/config-fixture.js';
import { Client, grant, KEY } from './ws-fixture.ts';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

const config = testConfig({ logLevel: 'error' });

function tell(worker: ChildProcess, message: ToWorker): void {
  worker.send(message);
}

async function told<T extends FromWorker['type']>(
  worker: ChildProcess,
  type: T,
): Promise<FromWorker & { type: T }> {
  for (;;) {
    const [message] = (await once(worker, 'message')) as [FromWorker];
    if (message.type === type) return message as FromWorker & { type: T };
  }
}

await t.test('the worker streams what the feed has logged, and ends when drained', async (t) => {
  const path = makeTemporaryFolder(t);
  const writer = await openOrderLogWriter({ path, startAfter: 0, log: pino({ level: 'silent' }) });
  t.teardown(() => writer.close());
  let orders = 0;
  const append = () => {
    orders += 1;
    const event = { orderUuid: `order-${orders}`, hotkey: 'a', tradePairId: 'BTCUSD', timestampMs: orders };
    return writer.append([{ ...event, position: '{"orders":[]}' }]);
  };
  const head = (state: OrderLogState): AnyTransaction => ({
    topic: 'orders',
    reset: false,
    put: [['head', { kind: 'orders-head', ...state, path }]],
    remove: [],
  });
  const keys: AnyTransaction = {
    topic: 'keys',
    reset: false,
    put: [['ring', { kind: 'keys', entries: [grant(KEY, 100)] }]],
    remove: [],
  };

  const worker = fork(MAIN, [], {
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  t.teardown(() => worker.kill('SIGKILL'));
  await told(worker, 'online');
  tell(worker, { type: 'start', config, lastGeneration: 0 });
  const ready = told(worker, 'ready');
  tell(worker, { type: 'retain', transactions: [keys, head(await append())] });
  await ready;

  const acceptor = createServer({ pauseOnConnect: true }, (socket) => {
    worker.send({ type: 'connection' } satisfies ToWorker, socket);
  });
  t.teardown(() => acceptor.close());
  acceptor.listen(0, '127.0.0.1');
  await once(acceptor, 'listening');

  const published = told(worker, 'publish');
  const client = new Client(`ws://127.0.0.1:${(acceptor.address() as AddressInfo).port}/`);
  await once(client.socket, 'open');
  t.match(await client.ask({ api_key: KEY, last_sequence: 0, epoch: null }), {
    current_sequence: 1,
    oldest_sequence: 1,
    epoch: writer.state().epoch,
  });
  t.match((await published).transactions, [{ topic: 'connections', put: [[`${worker.pid ?? 0}:1`, {}]] }]);
  await client.subscribe();
  tell(worker, { type: 'retain', transactions: [head(await append())] });
  await client.until(() => client.orders().length === 2);
  t.strictSame(client.orders(), [
    { sequence: 1, timestamp: 1, data: { position: { orders: [] } } },
    { sequence: 2, timestamp: 2, data: { position: { orders: [] } } },
  ]);

  const exited = once(worker, 'exit');
  tell(worker, { type: 'drain', withinMs: 3000 });
  t.equal(await client.closed(), 1001);
  t.strictSame(await exited, [0, null]);
});
