import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { KEY, servedRoot } from './fault-fixture.ts';

const CLI = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
/** With some 200 bytes each, many times what a pipe holds (64 KiB). */
const REQUESTS = 3000;

await t.test('nobody reads the log: requests are answered all the same, and no line is broken', async (t) => {
  const root = servedRoot(t);
  const options = ['--api-rest-port=0', '--api-ws-port=0', '--admin-port=off', '--rest-workers=1'];
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
  child.stdout.pause();
  const headers = { Authorization: `Bearer ${KEY}` };
  const statuses = new Set<number>();
  for (let request = 0; request < REQUESTS; request++) {
    const response = await fetch(`http://127.0.0.1:${port}/miner-hotkeys`, {
      headers,
      signal: AbortSignal.timeout(10_000),
    });
    await response.arrayBuffer();
    statuses.add(response.status);
  }
  t.same([...statuses], [200]);
  child.stdout.resume();
  const requestLines = () => printed.match(/"event":"request"/g)?.length ?? 0;
  await waitFor(() => requestLines() === REQUESTS, {
    what: 'what waited is written',
    timeoutMs: 30_000,
  });
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  t.same(await closed, [0, null]);
  for (const line of printed.trimEnd().split('\n')) JSON.parse(line);
  t.match(printed, /"event":"stopped"/);
});
