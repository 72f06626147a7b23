/** `npm run demo` as far as it goes after the build: a validator, the server on its folder, and one miner. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning, makeTemporaryFolder, waitFor } from '@ptn-api/testkit';
import t from 'tap';
import type { Test } from 'tap';
import { WebSocket } from 'ws';

const NETWORK = new URL('../../../scripts/network.mjs', import.meta.url).href;
const TIMEOUT_MS = 60_000;

interface Network {
  readonly pid: number;
  readonly output: () => string;
  /** Where it makes its folder. */
  readonly temporary: string;
  readonly exitCode: Promise<number | null>;
  /** What the parts print of themselves, by a pattern with one group. */
  readonly printed: (pattern: RegExp) => string;
}

/** The network with one day of history, until all is printed. */
async function started(t: Test): Promise<Network> {
  const temporary = makeTemporaryFolder(t);
  const args = ['--api-rest-port', '0', '--api-ws-port', '0', '--rest-workers', '1', '--log-level', 'warn'];
  const program =
    `const { runNetwork } = await import(${JSON.stringify(NETWORK)});` +
    `process.exitCode = await runNetwork(${JSON.stringify(args)}, 1);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    env: { ...process.env, TMPDIR: temporary },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  }
  const exitCode = new Promise<number | null>((resolve) => child.once('exit', resolve));
  t.teardown(async () => {
    child.kill('SIGTERM');
    await exitCode;
  });
  await waitFor(() => output.includes('Ctrl-C'), {
    timeoutMs: TIMEOUT_MS,
    what: () => `all is printed\n${output}`,
  });
  const printed = (pattern: RegExp): string => pattern.exec(output)?.[1] ?? '';
  return { pid: child.pid ?? 0, output: () => output, temporary, exitCode, printed };
}

/** Everything that the demo has started, and what those have started. */
function descendantsOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter(Boolean)
    .map(Number);
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}

async function untilGone(network: Network, pids: readonly number[]): Promise<void> {
  await waitFor(() => !pids.some(isRunning), { timeoutMs: TIMEOUT_MS, what: 'all processes end' });
  t.same(readdirSync(network.temporary), [], 'the folder is removed');
}

await t.test('a signal becomes an order on the stream, in the answers and on the page', async (t) => {
  const network = await started(t);
  const { printed } = network;
  const key = printed(/^ {2}tier 100 +(\S+)$/m);
  const rest = printed(/answers at (http:\S+)/);
  const headers = { Authorization: `Bearer ${key}` };

  const socket = new WebSocket(printed(/clients connect to (ws:[^)\s]+)/));
  t.teardown(() => {
    socket.terminate();
  });
  const messages: { data?: { position?: { miner_hotkey?: string; orders?: { order_uuid: string }[] } } }[] =
    [];
  socket.on('open', () => {
    socket.send(JSON.stringify({ api_key: key }));
  });
  socket.on('message', (bytes: Buffer) => {
    const message = JSON.parse(bytes.toString('utf8')) as { status?: string; messages?: typeof messages };
    if (message.status === 'success' && !('type' in message))
      socket.send('{"type": "subscribe", "all": true}');
    messages.push(...(message.messages ?? [message as (typeof messages)[number]]));
  });
  await waitFor(() => messages.length >= 2, { timeoutMs: TIMEOUT_MS, what: 'the subscription' });

  const [, body = '', address = ''] = /-d '(\{.*?\})' '(http\S+)'/.exec(network.output()) ?? [];
  const taken = await fetch(address, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body,
  });
  t.equal(taken.status, 200, await taken.text());

  const ownAddress = printed(/'(http\S+\/miner-positions\/5\w+)'/);
  const hotkey = ownAddress.split('/').at(-1);
  const streamed = await waitFor(
    () => messages.find(({ data }) => data?.position?.miner_hotkey === hotkey)?.data?.position,
    { timeoutMs: TIMEOUT_MS, what: 'the order on the stream' },
  );
  const uuid = streamed.orders?.[0]?.order_uuid ?? '';
  t.match(uuid, /^[0-9a-f-]{36}$/);
  await waitFor(
    async () => {
      const answer = await fetch(ownAddress, { headers });
      return answer.status === 200 && (await answer.text()).includes(uuid);
    },
    { timeoutMs: TIMEOUT_MS, what: 'the order in the REST answer' },
  );
  const miners = (await (await fetch(`${rest}/miner-hotkeys`, { headers })).json()) as string[];
  t.ok(miners.length > 1, 'the simulated miners have traded');
  await waitFor(
    async () => {
      const answer = await fetch(`${rest}/statistics?checkpoints=false`, { headers });
      if (answer.status !== 200) return false;
      const { created_timestamp_ms: createdMs } = (await answer.json()) as { created_timestamp_ms: number };
      return Date.now() - createdMs < 60_000;
    },
    { timeoutMs: TIMEOUT_MS, what: 'statistics of now' },
  );
  t.equal((await fetch(printed(/your miner does +(http\S+)/))).status, 200, 'the page of the miner');
  t.equal((await fetch(`${rest}/dashboard/`)).status, 200, 'the page of the server');

  const processes = descendantsOf(network.pid);
  t.ok(processes.length >= 9, `${processes.length} processes`);
  process.kill(network.pid, 'SIGINT');
  t.equal(await network.exitCode, 0, network.output());
  await untilGone(network, processes);
});

await t.test('a part that ends is named, with what it wrote last, and nothing is left', async (t) => {
  const network = await started(t);
  const processes = descendantsOf(network.pid);
  const isValidator = (pid: number): boolean =>
    existsSync(join('/proc', `${pid}`)) &&
    readFileSync(join('/proc', `${pid}`, 'cmdline'), 'utf8').includes('ptn-devnet');
  const validator = processes.find(isValidator) ?? 0;
  process.kill(validator, 'SIGKILL');
  t.equal(await network.exitCode, 1, network.output());
  t.match(network.output(), /ptn-devnet has ended: SIGKILL\n.*takes orders/s);
  await untilGone(network, processes);
});
