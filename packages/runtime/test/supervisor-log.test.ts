import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import t from 'tap';

const LOGGER = new URL('../dist/log/logger.js', import.meta.url).href;

/** The arguments of Node for a program that has a logger. */
function withLogger(program: string): string[] {
  const prelude = `const { createLogger } = await import(${JSON.stringify(LOGGER)});
    const log = createLogger({ name: 'test', level: 'info' });`;
  return ['--input-type=module', '--eval', prelude + program];
}

/** What it prints. */
function printed(program: string): string {
  return execFileSync(process.execPath, withLogger(program), { encoding: 'utf8' });
}

void t.test('secrets are struck out of the log', (t) => {
  const line = printed(`log.info({
    api_key: 'secret-1', grant: { key: 'secret-2' }, req: { url: '/x', headers: { authorization: 'secret-3' } },
  });`);
  t.notMatch(line, 'secret');
  t.match(JSON.parse(line), {
    name: 'test',
    api_key: '[redacted]',
    grant: { key: '[redacted]' },
    req: { url: '/x', headers: { authorization: '[redacted]' } },
  });
  t.end();
});

void t.test('a line before an exit is not lost', (t) => {
  t.match(JSON.parse(printed(`log.fatal('the last words'); process.exit(0);`)), {
    level: 60,
    msg: 'the last words',
  });
  t.end();
});

void t.test('where stdout is replaced, as pm2 does, lines pass through what replaces it', (t) => {
  const program = `
    const write = process.stdout.write;
    process.stdout.write = (text) => write.call(process.stdout, 'seen: ' + text);
    createLogger({ name: 'later', level: 'info' }).info('hello');`;
  t.match(printed(program), /^seen: \{.*"msg":"hello"/);
  t.end();
});

void t.test('standard output that takes nothing ends no process and fills no memory', (t) => {
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(
    process.execPath,
    withLogger(`
      for (let line = 0; line < 5000; line += 1) log.info('x'.repeat(10_000));
      console.error(process.memoryUsage().heapUsed < 40e6 ? 'small' : 'large');`),
    { encoding: 'utf8', stdio: ['ignore', full, 'pipe'] },
  );
  closeSync(full);
  t.equal(status, 0);
  t.match(stderr, /^ptn-api: standard output cannot be written: ENOSPC.*\nsmall\n$/);
  t.end();
});
