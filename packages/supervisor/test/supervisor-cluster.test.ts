import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '@ptn-api/testkit';
import t from 'tap';
import type { Test } from 'tap';
import { testConfig } from '../../runtime/dist-test/config-fixture.js';
import { ask, restSpec, temporaryFolder, workerPath } from './supervisor-fixture.ts';
import type { LogLine } from './supervisor-fixture.ts';

interface ClusteredServer {
  readonly port: number;
  readonly wsPort: number;
  stop(): Promise<number>;
}

/** A supervisor as pm2's cluster mode starts it: as a worker of a node:cluster, which holds the port. */
async function startClustered(t: Test): Promise<ClusteredServer> {
  const keys = join(temporaryFolder(t), 'api_keys.json');
  writeFileSync(keys, '{}', { mode: 0o600 });
  const config = testConfig({ apiKeysPaths: [keys] });
  cluster.setupPrimary({
    exec: workerPath('supervisor-process'),
    args: [JSON.stringify({ config, workers: [restSpec(1)] })],
    silent: true,
  });
  const worker: Worker = cluster.fork();
  const exited = once(worker, 'exit');
  t.teardown(async () => {
    worker.process.kill('SIGKILL');
    await exited;
  });
  let output = '';
  worker.process.stdout?.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  worker.process.stderr?.pipe(process.stderr);
  await waitFor(() => output.includes('"event":"listening-ws"'), {
    what: () => `the server listens\n${output}`,
  });
  const portIn = (event: string): number => {
    const line = output.split('\n').find((text) => text.includes(`"event":"${event}"`)) ?? '';
    return Number((JSON.parse(line) as LogLine)['port']);
  };
  return {
    port: portIn('listening'),
    wsPort: portIn('listening-ws'),
    async stop() {
      worker.send('shutdown');
      const [code] = (await exited) as [number];
      return code;
    },
  };
}

void t.test('under pm2’s cluster mode a new server takes the port over and nobody is refused', async (t) => {
  const first = await startClustered(t);
  const old = await ask(first.port);
  const second = await startClustered(t);
  t.equal(second.port, first.port, 'the cluster shares the port');
  t.equal(second.wsPort, first.wsPort, 'and that of WebSocket');

  let isReloading = true;
  const clients = [1, 2].map(async () => {
    while (isReloading) await ask(first.port);
  });
  t.equal(await first.stop(), 0);
  isReloading = false;
  await Promise.all(clients);
  t.not((await ask(first.port)).pid, old.pid);
  t.equal(await second.stop(), 0);
});
