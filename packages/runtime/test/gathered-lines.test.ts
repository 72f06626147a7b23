import { spawnSync } from 'node:child_process';
import { setImmediate } from 'node:timers/promises';
import pino from 'pino';
import t from 'tap';
import { gatheredLines } from '../dist/log/gathered-lines.js';

function textsOf(written: readonly string[]): string[][] {
  return written.map((lines) =>
    lines
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { msg: string }).msg),
  );
}

await t.test('lines of one turn are one write; a warning waits for nothing', async (t) => {
  const written: string[] = [];
  const log = pino({}, gatheredLines({ write: (lines) => void written.push(lines) }));
  log.info('first');
  log.child({ of: 'a child' }).info('second');
  t.same(written, []);
  await setImmediate();
  t.same(textsOf(written), [['first', 'second']]);
  log.info('third');
  log.warn('fourth');
  t.same(textsOf(written).slice(1), [['third', 'fourth']]);
  log.info('fifth');
  await setImmediate();
  t.same(textsOf(written).slice(2), [['fifth']]);
  await setImmediate();
  t.equal(written.length, 3, 'nothing is written where nothing waits');
});

await t.test('what waits at an exit is written', (t) => {
  const logger = new URL('../dist/log/logger.js', import.meta.url).href;
  for (const end of ['process.exit(3)', 'throw new Error("a fault")']) {
    const program = `
      import { createLogger } from ${JSON.stringify(logger)};
      createLogger({ name: 'test', level: 'info', isGathered: true }).info('the last words');
      ${end};`;
    const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    });
    t.same(textsOf([stdout]), [['the last words']], end);
    t.not(status, 0);
  }
  t.end();
});
