// What a start costs: processor time of each process until `/healthz` answers, and the time until then. With --beside, of
// another checkout too, in turns.
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { row } from './lib/report.mjs';
import {
  cpuMs,
  finish,
  makeRoot,
  processTree,
  projectRoot,
  quantile,
  roleOf,
  startServer,
} from './lib/world.mjs';

const { values } = parseArgs({
  options: { starts: { type: 'string', default: '20' }, beside: { type: 'string' } },
});
const checkouts = [values.beside, projectRoot].flatMap((path) => (path === undefined ? [] : [resolve(path)]));

/** One start on a folder without an order log; ms by role, of all of them, and until the answer. */
async function measure(root, checkout) {
  rmSync(join(root, '.ptn-api'), { recursive: true, force: true });
  const startedMs = performance.now();
  const server = await startServer(root, ['--rest-workers', '1'], { checkout });
  const { status } = await fetch(`${server.url}/healthz`);
  const readyMs = performance.now() - startedMs;
  if (status !== 200) throw new Error(`/healthz answered ${status}`);
  const byRole = Object.fromEntries(
    processTree(server.pid).map(({ pid, command }) => [roleOf(command), cpuMs(pid)]),
  );
  await server.stop();
  return { ...byRole, all: Object.values(byRole).reduce((sum, ms) => sum + ms, 0), ready: readyMs };
}

try {
  const root = await makeRoot({ miners: 4, positions: 40 });
  const starts = new Map(checkouts.map((checkout) => [checkout, []]));
  for (let i = 0; i < Number(values.starts); i++) {
    for (const checkout of checkouts) starts.get(checkout).push(await measure(root, checkout));
  }
  for (const [checkout, results] of starts) {
    const median = (name) =>
      Math.round(
        quantile(
          results.map((result) => result[name]),
          0.5,
        ),
      );
    const roles = ['supervisor', 'feed', 'rest', 'ws'].map((role) => `${role} ${median(role)}`).join(', ');
    const what =
      checkout === projectRoot ? 'a start on 40 files, one REST worker' : `the same of ${checkout}`;
    row(what, '-', `${median('all')} ms of CPU (${roles}), ready after ${median('ready')} ms`);
  }
} finally {
  await finish();
}
