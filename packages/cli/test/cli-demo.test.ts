import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Test } from 'tap';
import { isRunning, waitFor } from '@ptn-api/testkit';

const CLI = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const TIMEOUT_MS = 60_000;

/** A running `--serve --demo` whose temporary folders are made in a folder of the test. */
interface Demo {
  readonly process: ChildProcess;
  readonly output: () => string;
  /** Where the demo makes its folder. */
  readonly temporary: string;
  readonly exitCode: () => Promise<number | null>;
}

function startDemo(t: Test): Demo {
  const temporary = mkdtempSync(join(tmpdir(), 'ptn-demo-test-'));
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('PTN_API_'));
  const ports = ['--api-rest-port', '0', '--api-ws-port', '0'];
  const args = [CLI, '--serve', '--demo', ...ports, '--rest-workers', '1'];
  const child = spawn(process.execPath, args, {
    env: { ...Object.fromEntries(inherited), TMPDIR: temporary },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  }
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  t.teardown(async () => {
    child.kill('SIGKILL');
    await exited;
    rmSync(temporary, { recursive: true, force: true });
  });
  return { process: child, output: () => output, temporary, exitCode: () => exited };
}

async function untilServing(demo: Demo): Promise<string> {
  return waitFor(() => /answers at (http:\S+)/.exec(demo.output())?.[1], {
    timeoutMs: TIMEOUT_MS,
    what: () => `the demo serves\n${demo.output()}`,
  });
}

/** Every process that the demo has started, as Linux lists them. */
function childrenOf({ process: { pid = 0 } }: Demo): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

/** The paths of all files below a folder that need not be there. */
function filesOf(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
}

async function untilGone(pids: readonly number[]): Promise<void> {
  await waitFor(() => !pids.some(isRunning), {
    timeoutMs: TIMEOUT_MS,
    what: 'the processes of the demo end',
  });
}

void t.test('the demo serves, and prints keys and commands that work; Ctrl-C leaves nothing', async (t) => {
  const demo = startDemo(t);
  const url = await untilServing(demo);
  const [folder = ''] = readdirSync(demo.temporary).filter((name) => name.startsWith('ptn-api-demo-'));
  t.equal(statSync(join(demo.temporary, folder, 'ptn_api', 'api_keys.json')).mode & 0o777, 0o600);

  await waitFor(() => demo.output().includes('Ctrl-C'), { what: 'all is printed' });
  const commands = [...demo.output().matchAll(/Bearer (\S+)' '(http\S+)'/g)];
  t.ok(commands.length >= 4);
  for (const [, key, address] of commands) {
    const response = await fetch(address ?? '', { headers: { authorization: `Bearer ${key ?? ''}` } });
    await response.arrayBuffer();
    t.equal(response.status, 200, `${address ?? ''} with ${key ?? ''}`);
  }
  const keys = [...demo.output().matchAll(/^ {2}tier (\d+) +(\S+)$/gm)];
  t.same(
    keys.map(([, tier]) => tier),
    ['100', '50', '30', '0'],
  );
  const [, , lowest = ''] = keys.at(-1) ?? [];
  const refused = await fetch(`${url}/miner-positions`, { headers: { authorization: `Bearer ${lowest}` } });
  t.equal(refused.status, 403);

  // The demo prints no key that may see entities.
  const keyFile = join(demo.temporary, folder, 'ptn_api', 'api_keys.json');
  const granted = JSON.parse(readFileSync(keyFile, 'utf8')) as object;
  writeFileSync(keyFile, JSON.stringify({ ...granted, services: { key: 'services-key', tier: 200 } }));
  const authorization = 'Bearer services-key';
  const hotkeys = await waitFor(
    async () => {
      const response = await fetch(`${url}/miner-hotkeys`, { headers: { authorization } });
      const answer: unknown = await response.json();
      return response.status === 200 ? (answer as string[]) : undefined;
    },
    { timeoutMs: TIMEOUT_MS, what: 'the new key counts' },
  );
  const waiting = readdirSync(join(demo.temporary, folder, 'validation', 'miners')).find((hotkey) =>
    filesOf(join(demo.temporary, folder, 'validation', 'miners', hotkey, 'limit_orders')).some((path) =>
      path.includes('unfilled'),
    ),
  );
  t.ok(hotkeys.includes(waiting ?? ''), 'a miner with a waiting order');
  for (const path of ['/debt-ledger', '/collateral/', `/limit-orders/${waiting ?? ''}`, '/entities']) {
    const response = await fetch(url + path, { headers: { authorization } });
    await response.arrayBuffer();
    t.equal(response.status, 200, path);
  }

  const children = childrenOf(demo);
  t.equal(children.length, 4, 'the simulated validator, the feed, one REST and one WebSocket worker');
  demo.process.kill('SIGINT');
  t.equal(await demo.exitCode(), 0, demo.output());
  await untilGone(children);
  t.notOk(existsSync(join(demo.temporary, folder)));
});

void t.test('asked to stop while the simulated validator starts, the demo leaves nothing', async (t) => {
  const demo = startDemo(t);
  const [child = 0] = await waitFor(() => (childrenOf(demo).length > 0 ? childrenOf(demo) : undefined), {
    what: 'the simulated validator is started',
  });
  demo.process.kill('SIGTERM');
  t.equal(await demo.exitCode(), 0, demo.output());
  await untilGone([child]);
  t.same(readdirSync(demo.temporary), []);
});

void t.test('without its simulated validator the demo ends with an error and leaves nothing', async (t) => {
  const demo = startDemo(t);
  const [validator = 0] = await waitFor(() => (childrenOf(demo).length > 0 ? childrenOf(demo) : undefined), {
    what: 'the simulated validator is started',
  });
  await untilServing(demo);
  const children = childrenOf(demo);
  process.kill(validator, 'SIGKILL');
  t.equal(await demo.exitCode(), 1, demo.output());
  t.match(demo.output(), /the simulated validator has ended: it was ended by SIGKILL/);
  await untilGone(children);
  t.same(readdirSync(demo.temporary), []);
});

void t.test('killed at once, the demo leaves no process', async (t) => {
  const demo = startDemo(t);
  await untilServing(demo);
  const children = childrenOf(demo);
  demo.process.kill('SIGKILL');
  await demo.exitCode();
  await untilGone(children);
  t.equal(children.length, 4);
});
