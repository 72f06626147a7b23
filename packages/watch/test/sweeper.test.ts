import { EventEmitter } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { waitFor } from '@ptn-api/testkit';
import { pino } from 'pino';
import t from 'tap';
import { Sweeper } from '../dist/sweeper.js';
import { KINDS } from './watch-fixture.ts';

/** A thread of which the test says what it does. */
class FakeThread extends EventEmitter {
  readonly postMessage = (): void => undefined;
  readonly terminate = (): Promise<number> => Promise.resolve(0);
}

void t.test('a thread that cannot be started again is tried until it can', async (t) => {
  const threads: FakeThread[] = [];
  let failures = 0;
  let lost = 0;
  const logged: string[] = [];
  const sweeper = new Sweeper({
    root: '/',
    kinds: KINDS,
    sweepMs: 1000,
    log: pino({}, { write: (line) => logged.push((JSON.parse(line) as { msg: string }).msg) }),
    startThread: () => {
      if (threads.length === 1 && failures < 2) {
        failures += 1;
        throw new Error('no memory for a thread');
      }
      const thread = new FakeThread();
      threads.push(thread);
      return thread as unknown as Worker;
    },
    onChanges: () => undefined,
    onLost: () => (lost += 1),
    directories: () => [],
  });
  t.teardown(() => sweeper.close());
  threads[0]?.emit('message', { type: 'swept' });
  await sweeper.baseline;
  threads[0]?.emit('exit', 1);
  await waitFor(() => threads.length === 2, { what: 'another thread' });
  t.equal(failures, 2);
  t.match(logged, [/ended with code 1; it is started again$/, /cannot be started; /, /cannot be started; /]);
  t.equal(lost, 0, 'nobody relies on a thread that has not seen everything');
  threads[1]?.emit('message', { type: 'swept' });
  t.equal(lost, 1);
});
