import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { workerPath } from './supervisor-fixture.ts';

void t.test('a worker that is started by hand says what to do', async (t) => {
  const child = spawn(process.execPath, [workerPath('rest-worker')], { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
  const [code] = (await once(child, 'close')) as [number];
  t.equal(code, 1);
  t.match(errors, /the test-rest worker was started by hand: .* run ptn-api instead/);
});
