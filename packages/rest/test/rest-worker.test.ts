import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { FromWorker, ToWorker } from '../../runtime/dist/ipc/messages.js';
import { testConfig } from '../../runtime/dist-test/config-fixture.js';
import { BEARER, fixtureTransactions, grant, keysTransaction } from './rest-fixture.ts';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

const config = testConfig({ logLevel: 'error' });

function tell(worker: ChildProcess, message: ToWorker): void {
  worker.send(message);
}

async function told(worker: ChildProcess, type: FromWorker['type']): Promise<void> {
  for (;;) {
    const [message] = (await once(worker, 'message')) as [FromWorker];
    if (message.type === type) return;
  }
}

await t.test(
  'the worker serves connections it is handed, from what it is sent, and ends when drained',
  async (t) => {
    const worker = fork(MAIN, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    t.teardown(() => worker.kill('SIGKILL'));
    await told(worker, 'online');
    tell(worker, { type: 'start', config, lastGeneration: 0 });
    const ready = told(worker, 'ready');
    const keys = keysTransaction([grant('key-tier100', 100)]);
    tell(worker, { type: 'retain', transactions: [keys, ...fixtureTransactions()] });
    await ready;

    const acceptor = createServer({ pauseOnConnect: true }, (socket) => {
      worker.send({ type: 'connection' } satisfies ToWorker, socket);
    });
    t.teardown(() => acceptor.close());
    acceptor.listen(0, '127.0.0.1');
    await once(acceptor, 'listening');
    const url = `http://127.0.0.1:${(acceptor.address() as AddressInfo).port}/miner-positions?tier=30`;

    const response = await fetch(url, { headers: { ...BEARER, 'accept-encoding': 'gzip' } });
    t.equal(response.status, 200);
    t.equal(Object.keys((await response.json()) as object).length, 4);
    t.equal((await fetch(url)).status, 401);

    const exited = once(worker, 'exit');
    const drained = told(worker, 'drained');
    tell(worker, { type: 'drain', withinMs: 300 });
    await drained;
    t.strictSame(await exited, [0, null]);
  },
);
