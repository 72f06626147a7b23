// Bytes that no client sends, on both ports of a whole server, for minutes: no 500, no worker ends, memory does not grow,
// good clients are served. Options: --minutes=3 --seed=<number>
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { fuzz, memoryMb, startFuzzed } from '../packages/cli/dist-test/fuzz-run.js';
import { row } from './lib/report.mjs';
import { atEnd, finish } from './lib/world.mjs';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '3' }, seed: { type: 'string' } },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed ?? randomInt(2 ** 30));
/** Both ports in turns. */
const TURN_MS = 10_000;
/** Memory is compared from here on: before, caches fill and the first garbage is collected. */
const WARM_PART = 1 / 3;
const MAX_GROWTH_MB = 50;

const turns = Math.max(3, Math.ceil((minutes * 60_000) / (2 * TURN_MS)));
const total = { http: 0, stream: 0 };
const answers = { http: new Map(), stream: new Map() };
let warm;

function told(counts) {
  const most = [...counts].sort(([, a], [, b]) => b - a);
  return most.map(([name, count]) => `${name} ${count}`).join(', ');
}

try {
  const server = await startFuzzed({ teardown: atEnd });
  for (let turn = 0; turn < turns; turn++) {
    for (const port of ['http', 'stream']) {
      const run = await fuzz(server, { port, forMs: TURN_MS, seed: seed + turn });
      total[port] += run.connections;
      for (const [name, count] of run.answers) {
        answers[port].set(name, (answers[port].get(name) ?? 0) + count);
      }
    }
    const memory = memoryMb(server);
    if (warm === undefined && turn + 1 >= turns * WARM_PART) warm = memory;
    process.stderr.write(`turn ${turn + 1} of ${turns}: ${[...memory.values()].join(' ')} MB\n`);
  }
  const growth = [...memoryMb(server)].map(([pid, mb]) => mb - warm.get(pid));
  const seconds = (2 * turns * TURN_MS) / 1000;
  row(
    `fuzzing for ${seconds} s, seed ${seed}: REST`,
    'no 500, no worker ends',
    `${total.http} connections; ${told(answers.http)}`,
  );
  row('the same: stream', 'no worker ends', `${total.stream} connections; ${told(answers.stream)}`);
  row(
    'memory of each process after it, less that after a third',
    `<= ${MAX_GROWTH_MB} MB`,
    `${growth.join(', ')} MB`,
  );
  if (growth.some((mb) => mb > MAX_GROWTH_MB)) process.exitCode = 1;
} finally {
  await finish();
}
