import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { makePtnRoot, makeTemporaryFolder, waitFor } from '@ptn-api/testkit';
import { openLogFile } from '../../runtime/dist/log/log-file.js';
import { forwardLines } from '../../supervisor/dist/forward-lines.js';

const CLI = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const TIMEOUT_MS = 30_000;

/** What is in the log files beside `path`, oldest first. */
function readLog(path: string): string[] {
  const folder = dirname(path);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((name) => readFileSync(join(folder, name), 'utf8'));
}

void t.test('--log-file takes the lines of all processes, and standard output none', async (t) => {
  const root = makePtnRoot(t, { keys: { user: { key: 'the-key', tier: 100 } }, outputs: '{}' });
  const path = root.join('log', 'server.log');
  const args = ['--ptn-root', root.path, '--api-rest-port', '0', '--api-ws-port', '0', '--log-file', path];
  const server = spawn(process.execPath, [CLI, '--serve', ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let printed = '';
  server.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  server.stderr?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const exited = new Promise((resolve) => server.once('exit', resolve));
  t.teardown(async () => {
    server.kill('SIGKILL');
    await exited;
  });

  const lines = (): { name?: string; event?: string; port?: number }[] =>
    readLog(path)
      .join('')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as object);
  const { port } = await waitFor(() => lines().find(({ event }) => event === 'listening'), {
    timeoutMs: TIMEOUT_MS,
    what: () => `the server listens\n${printed}`,
  });
  const answer = await fetch(`http://127.0.0.1:${String(port)}/miner-hotkeys`, {
    headers: { authorization: 'Bearer the-key' },
  });
  t.equal(answer.status, 404, 'there is no miner');
  await waitFor(() => lines().some(({ event }) => event === 'request'), { what: 'the request is logged' });
  const moved = `${path}.old`;
  renameSync(path, moved);
  server.kill('SIGHUP');
  await waitFor(() => existsSync(path) && readFileSync(path, 'utf8').includes('"event":"rolling-restart'), {
    what: 'SIGHUP makes it anew',
    timeoutMs: TIMEOUT_MS,
  });
  server.kill('SIGTERM');
  t.equal(await exited, 0);
  t.same(new Set(lines().map(({ name }) => name)), new Set(['supervisor', 'feed', 'rest']));
  t.ok(
    lines().some(({ event }) => event === 'stopped'),
    'the last words are not lost',
  );
  t.equal(printed, '');
  t.same(
    readdirSync(dirname(path)),
    ['server.log', 'server.log.old'],
    'the file has the name that was given',
  );
  t.equal(statSync(path).mode & 0o777, 0o640);
});

void t.test('a file that is full is followed by the next, and so many are kept', async (t) => {
  const path = join(makeTemporaryFolder(t), 'log', 'server.log');
  const file = openLogFile({ path, sizeBytes: 2000, count: 3 });
  const line = `${JSON.stringify({ text: 'x'.repeat(180) })}\n`;
  for (let count = 0; count < 100; count += 1) {
    file.write(line);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.same(readdirSync(dirname(path)).sort(), ['server.1.log', 'server.2.log', 'server.log']);
  t.match(readFileSync(path, 'utf8'), line, 'the newest lines are in the file that was named');
  for (const text of readLog(path)) {
    t.ok(text.length < 2000 + 3 * line.length, 'about the size asked for');
    t.ok(
      text.split('\n').every((part) => part === '' || `${part}\n` === line),
      'no line is broken over two files',
    );
  }
});

void t.test('a file that was moved away is made anew when asked for, and in any case when full', (t) => {
  const path = join(makeTemporaryFolder(t), 'server.log');
  const file = openLogFile({ path, sizeBytes: 100, count: 3 });
  file.write('first\n');
  renameSync(path, `${path}.old`);
  file.write('second\n');
  file.reopen();
  file.write('third\n');
  t.equal(readFileSync(`${path}.old`, 'utf8'), 'first\nsecond\n', 'nothing is lost');
  t.equal(readFileSync(path, 'utf8'), 'third\n');
  rmSync(path);
  file.write(`${'x'.repeat(120)}\n`);
  file.write('fourth\n');
  t.equal(readFileSync(path, 'utf8'), 'fourth\n');
  const again = openLogFile({ path, sizeBytes: 100, count: 3 });
  again.write('fifth\n');
  t.equal(readFileSync(path, 'utf8'), 'fourth\nfifth\n', 'a new run goes on in it');
  t.end();
});

void t.test(
  'a folder that cannot be written to is reported as such',
  { skip: process.getuid?.() === 0 },
  (t) => {
    const folder = join(makeTemporaryFolder(t), 'read-only');
    mkdirSync(folder);
    chmodSync(folder, 0o500);
    const path = join(folder, 'server.log');
    t.throws(() => openLogFile({ path, sizeBytes: 2000, count: 3 }), { code: 'PTN_ERR_START_LOG_FILE' });
    t.end();
  },
);

void t.test('a path that leads through a file is reported as such', (t) => {
  const path = join(fileURLToPath(import.meta.url), 'log', 'server.log');
  t.throws(() => openLogFile({ path, sizeBytes: 2000, count: 3 }), { code: 'PTN_ERR_START_LOG_FILE' });
  t.end();
});

void t.test('what several processes print is forwarded in whole lines', async (t) => {
  const written: string[] = [];
  const outputs = [new PassThrough(), new PassThrough()];
  for (const output of outputs) forwardLines(output, (lines) => written.push(lines));
  const [one, two] = outputs;
  one?.write('{"a": ');
  two?.write('{"b": 2}\n{"c"');
  one?.write('1}\n');
  two?.end(': 3}');
  one?.end();
  await waitFor(() => written.length === 3, { what: 'everything is forwarded' });
  t.same(written.sort(), ['{"a": 1}\n', '{"b": 2}\n', '{"c": 3}\n']);
});
