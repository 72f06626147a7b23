import fc from 'fast-check';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import t from 'tap';
import type { ServerConfig } from '../../runtime/dist/config.js';
import { keepLoggedError, recentErrors } from '../../runtime/dist/metrics/recent-errors.js';
import { Monitoring } from '../dist/monitoring/monitoring.js';
import { quantile, usageRows, usageSamples, usageSince } from '../dist/monitoring/usage.js';
import { prometheusText } from '../dist/monitoring/metrics-page.js';
import { openConnections, residentBytes } from '../dist/monitoring/worker-metrics.js';
import type { Supervisor } from '../dist/supervisor.js';
import { memoryLog } from './supervisor-fixture.ts';

const USER = 'ptn_api_user_';
const LABELS = { labelNames: ['user_id', 'route'] };
const BOUNDS = [0.001, 0.01, 0.1, 1];

interface Used {
  readonly user: string;
  readonly route: string;
  readonly isFailure: boolean;
  readonly seconds: number;
  readonly bytes: number;
}

/** What a worker that has answered these requests answers when it is asked for its metrics. */
async function answerOf(used: readonly Used[]) {
  const register = new Registry();
  const options = { help: 'h', ...LABELS, registers: [register] };
  const requests = new Counter({ name: `${USER}requests_total`, ...options });
  const failures = new Counter({ name: `${USER}failures_total`, ...options });
  const sent = new Counter({ name: `${USER}sent_bytes_total`, ...options });
  const seconds = new Histogram({ name: `${USER}request_seconds`, buckets: BOUNDS, ...options });
  for (const { user: user_id, route, ...one } of used) {
    requests.inc({ user_id, route });
    if (one.isFailure) failures.inc({ user_id, route });
    sent.inc({ user_id, route }, one.bytes);
    seconds.observe({ user_id, route }, one.seconds);
  }
  return { families: await register.getMetricsAsJSON() };
}

const usedRequest = fc.record({
  user: fc.constantFrom('ann', 'bob', ''),
  route: fc.constantFrom('/a', '/b'),
  isFailure: fc.boolean(),
  // In binary fractions, whose sums do not depend on their order.
  seconds: fc.integer({ min: 1, max: 4000 }).map((part) => part / 1024),
  bytes: fc.nat(1000),
});
const byName = <R extends { user: string | null; route: string }>(rows: readonly R[]): R[] =>
  rows.toSorted((a, b) => `${a.user}${a.route}`.localeCompare(`${b.user}${b.route}`));

await t.test('a quantile lies in the bucket of the true one', (t) => {
  fc.assert(
    fc.property(fc.array(usedRequest, { minLength: 1 }), fc.constantFrom(0.5, 0.99), (all, part) => {
      const values = all.map(({ seconds }) => seconds).toSorted((a, b) => a - b);
      const buckets = new Map(
        [...BOUNDS, Infinity].map((bound) => [bound, values.filter((value) => value <= bound).length]),
      );
      const truth = values[Math.ceil(values.length * part) - 1] ?? NaN;
      const upper = BOUNDS.find((bound) => truth <= bound) ?? Infinity;
      const lower = BOUNDS.findLast((bound) => truth > bound) ?? 0;
      const found = quantile(buckets, part);
      return found >= lower && found <= upper;
    }),
  );
  t.equal(quantile(new Map(), 0.5), 0, 'of nothing');
  t.end();
});

await t.test(
  'the usage of several workers is that of one, and what was counted before is not again',
  async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(usedRequest), fc.array(usedRequest), async (first, second) => {
        const together = usageRows(
          usageSamples(new Map([['rest-1', await answerOf([...first, ...second])]])),
        );
        const apart = usageSamples(
          new Map([
            ['rest-1', await answerOf(first)],
            ['rest-2', await answerOf(second)],
            ['ws-1', undefined],
          ]),
        );
        t.strictSame(byName(usageRows(apart)), byName(together));
        const before = usageSamples(new Map([['rest-1', await answerOf(first)]]));
        const after = usageSamples(new Map([['rest-1', await answerOf([...first, ...second])]]));
        const only = usageSamples(new Map([['rest-1', await answerOf(second)]]));
        t.strictSame(byName(usageRows(usageSince(before, after))), byName(usageRows(only)));
      }),
      { numRuns: 30 },
    );
  },
);

await t.test('a worker that was started anew counts from 0', async (t) => {
  const used = { user: 'ann', route: '/x', isFailure: false, seconds: 0.5, bytes: 5 };
  const before = usageSamples(new Map([['rest-1', await answerOf([used, used, used])]]));
  const now = usageSamples(new Map([['rest-1', await answerOf([used])]]));
  t.match(usageRows(usageSince(before, now)), [{ user: 'ann', requests: 1, bytes: 5 }]);
});

await t.test('the usage report names users and routes, and is silent when nothing was asked', async (t) => {
  const { log, lines } = memoryLog();
  const used = { user: 'ann', route: '/x', isFailure: false, seconds: 0.5, bytes: 5 };
  const nobody = { user: '', route: '/x', isFailure: true, seconds: 0.0005, bytes: 7 };
  const answers = new Map([['rest-1', await answerOf([used, used, used, nobody])]]);
  const supervisor = { workerMetrics: () => Promise.resolve(answers) } as unknown as Supervisor;
  const config = { adminPort: null } as ServerConfig;
  const monitoring = new Monitoring({ supervisor, config, log });
  t.teardown(() => monitoring.close());
  await monitoring.reportUsage();
  await monitoring.reportUsage();
  t.equal(lines.length, 1);
  t.match(lines[0], { event: 'usage', requests: 4, failures: 1 });
  const [ann, without] = (lines[0]?.['usage'] ?? []) as Record<string, number>[];
  t.match(ann, { user: 'ann', route: '/x', requests: 3, failures: 0, bytes: 15, meanMs: 500 });
  t.ok((ann?.['medianMs'] ?? 0) > 100 && (ann?.['p99Ms'] ?? 0) <= 1000);
  t.match(without, { user: null, requests: 1, failures: 1 });
});

await t.test('the last errors are kept without the other fields of their lines', (t) => {
  for (let index = 0; index < 30; index++)
    keepLoggedError([{ event: 'e', key: 'secret' }, `m${index}`], index);
  keepLoggedError([{ err: new Error('the cause') }, 'it failed'], 99);
  const errors = recentErrors();
  t.equal(errors.length, 20);
  t.strictSame(errors.at(-2), { timeMs: 29, event: 'e', message: 'm29' });
  t.strictSame(errors.at(-1), { timeMs: 99, event: null, message: 'it failed: the cause' });
  t.notMatch(JSON.stringify(errors), /secret/);
  t.end();
});

await t.test('metrics of several processes stand side by side, told apart by labels', async (t) => {
  const families = async (value: number) => {
    const register = new Registry();
    for (const name of ['ptn_api_http_open_connections', 'ptn_api_process_resident_memory_bytes'])
      new Gauge({ name, help: 'h', registers: [register], aggregator: 'omit' }).set(value);
    return register.getMetricsAsJSON();
  };
  const [one, two] = [await families(3), await families(4)];
  const text = await prometheusText([
    { process: 'rest', worker: 'rest-1', families: one },
    { process: 'rest', worker: 'rest-2', families: two },
    { process: 'ws', worker: 'ws-1', families: [] },
  ]);
  t.match(text, 'ptn_api_http_open_connections{process="rest",worker="rest-1"} 3\n');
  t.match(text, 'ptn_api_http_open_connections{process="rest",worker="rest-2"} 4\n');
  t.equal(text.match(/# TYPE ptn_api_http_open_connections gauge/g)?.length, 1);
  const answers = new Map([
    ['rest-1', { families: one }],
    ['rest-2', { families: two }],
    ['ws-1', undefined],
  ]);
  t.equal(openConnections(answers, 'http'), 7);
  t.equal(openConnections(answers, 'stream'), 0);
  t.equal(residentBytes(two), 4);
  t.equal(residentBytes([]), null);
});
