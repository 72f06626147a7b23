/** A few seconds of what bench/fuzz.mjs does for minutes: bytes that no client sends, on both ports of a whole server. */
import { randomInt } from 'node:crypto';
import t from 'tap';
import { fuzz, memoryMb, startFuzzed } from './fuzz-run.ts';

const FOR_MS = 3000;
/** Of one process over the run; caches fill, and garbage is collected at some time. */
const MOST_GROWTH_MB = 150;

void t.test('whatever comes in on a port: no 500, no worker ends, good clients are served', async (t) => {
  const server = await startFuzzed(t);
  const before = memoryMb(server);
  // Another one each time; with that of a failure it happens again.
  const seed = randomInt(2 ** 31);
  const http = await fuzz(server, { port: 'http', forMs: FOR_MS, seed });
  const stream = await fuzz(server, { port: 'stream', forMs: FOR_MS, seed });
  t.comment(`seed ${seed}: ${http.connections} and ${stream.connections} connections`);
  t.comment(JSON.stringify([Object.fromEntries(http.answers), Object.fromEntries(stream.answers)]));
  // That what is behind the first checks was reached.
  for (const status of ['200', '400', '401', '404']) t.ok(http.answers.get(status), status);
  for (const kind of ['success', 'subscription_status', 'pong', '400']) {
    t.ok(stream.answers.get(kind), kind);
  }
  for (const [pid, mb] of memoryMb(server)) {
    const growth = mb - (before.get(pid) ?? 0);
    t.ok(growth < MOST_GROWTH_MB, `${pid} has grown by ${growth} MB`);
  }
});
