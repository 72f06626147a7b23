/** A few seconds of what bench/fuzz.mjs does for minutes: bytes that no client sends, on both ports of a whole server. */
import { randomInt } from 'node:crypto';
import t from 'tap';
import { fuzz, memoryMb, startFuzzed } from './fuzz-run.ts';
import type { FuzzedPort } from './fuzz-run.ts';

const FOR_MS = 3000;
/** What was not reached in that time, on a busy machine, is tried for in as many more rounds. */
const MAX_ROUNDS = 8;
/** Of one process over the run; caches fill, and garbage is collected at some time. */
const MAX_GROWTH_MB = 150;

const BEHIND_THE_FIRST_CHECKS: Readonly<Record<FuzzedPort, readonly string[]>> = {
  http: ['200', '400', '401', '404'],
  stream: ['success', 'subscription_status', 'pong', '400'],
};

void t.test('whatever comes in on a port: no 500, no worker ends, good clients are served', async (t) => {
  const server = await startFuzzed(t);
  const before = memoryMb(server);
  // Another one each time; with that of a failure it happens again.
  const seed = randomInt(2 ** 31);
  for (const [port, kinds] of Object.entries(BEHIND_THE_FIRST_CHECKS)) {
    const missing = new Set(kinds);
    for (let round = 0; round < MAX_ROUNDS && missing.size > 0; round++) {
      const run = await fuzz(server, { port: port as FuzzedPort, forMs: FOR_MS, seed: seed + round });
      t.comment(`seed ${seed + round}: ${run.connections} connections`);
      t.comment(JSON.stringify(Object.fromEntries(run.answers)));
      for (const kind of run.answers.keys()) missing.delete(kind);
    }
    t.same([...missing], [], `${port}: all is reached`);
  }
  for (const [pid, mb] of memoryMb(server)) {
    const growth = mb - (before.get(pid) ?? 0);
    t.ok(growth < MAX_GROWTH_MB, `${pid} has grown by ${growth} MB`);
  }
});
