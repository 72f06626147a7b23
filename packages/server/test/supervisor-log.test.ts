import { execFileSync } from 'node:child_process';
import t from 'tap';

const LOGGER = new URL('../dist/config/logger.js', import.meta.url).href;

/** What a program that has a logger prints. */
function printed(program: string): string {
  const prelude = `const { createLogger } = await import(${JSON.stringify(LOGGER)});
    const log = createLogger({ name: 'test', level: 'info' });`;
  const args = ['--input-type=module', '--eval', prelude + program];
  return execFileSync(process.execPath, args, { encoding: 'utf8' });
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
