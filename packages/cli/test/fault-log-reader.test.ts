import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@ptn-api/testkit';
import t from 'tap';
import type { Test } from 'tap';
import { KEY, servedRoot } from './fault-fixture.ts';

const CLI = fileURLToPath(new URL('../dist/main.js', import.meta.url));
/** With some 200 bytes each, three times what a pipe holds (64 KiB). */
const REQUESTS = 1000;

interface Running {
  readonly child: ChildProcessByStdio<null, Readable, null>;
  /** All that it has printed and that was read. */
  readonly printed: () => string;
  /** Asks so often, one after the other; gives the different statuses. */
  readonly ask: () => Promise<number[]>;
}

async function start(t: Test, restWorkers: number): Promise<Running> {
  const root = servedRoot(t);
  const options = [
    '--api-rest-port=0',
    '--api-ws-port=0',
    '--admin-port=off',
    `--rest-workers=${restWorkers}`,
  ];
  const child = spawn(
    process.execPath,
    [CLI, '--serve', '--rate-limit=0', '--ptn-root', root.path, ...options],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  t.teardown(() => child.kill('SIGKILL'));
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const port = await waitFor(() => /"event":"listening","host":"127.0.0.1","port":(\d+)/.exec(printed)?.[1], {
    what: 'the server listens',
    timeoutMs: 30_000,
  });
  const headers = { Authorization: `Bearer ${KEY}` };
  const ask = async (): Promise<number[]> => {
    const statuses = new Set<number>();
    for (let request = 0; request < REQUESTS; request++) {
      const response = await fetch(`http://127.0.0.1:${port}/miner-hotkeys`, {
        headers,
        signal: AbortSignal.timeout(10_000),
      });
      await response.arrayBuffer();
      statuses.add(response.status);
    }
    return [...statuses];
  };
  return { child, printed: () => printed, ask };
}

await t.test('nobody reads the log: requests are answered all the same, and no line is broken', async (t) => {
  const { child, printed, ask } = await start(t, 1);
  child.stdout.pause();
  t.same(await ask(), [200]);
  child.stdout.resume();
  const requestLines = () => printed().match(/"event":"request"/g)?.length ?? 0;
  await waitFor(() => requestLines() === REQUESTS, {
    what: 'what waited is written',
    timeoutMs: 30_000,
  });
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  t.same(await closed, [0, null]);
  for (const line of printed().trimEnd().split('\n')) JSON.parse(line);
  t.match(printed(), /"event":"stopped"/);
});

await t.test('nobody reads the log: workers are replaced, and the server stops', async (t) => {
  const { child, ask } = await start(t, 2);
  child.stdout.pause();
  t.same(await ask(), [200]);
  // Processes that start and end change the pipe for all that share it.
  child.kill('SIGHUP');
  t.same(await ask(), [200]);
  const ended = once(child, 'exit', { signal: AbortSignal.timeout(20_000) });
  child.kill('SIGTERM');
  t.same(await ended, [0, null]);
});
