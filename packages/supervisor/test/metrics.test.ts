import fc from 'fast-check';
import { Gauge, Registry } from 'prom-client';
import t from 'tap';
import { bucketOf, quantileMs } from '../../runtime/dist/metrics/latencies.js';
import { keepLoggedError, recentErrors } from '../../runtime/dist/metrics/recent-errors.js';
import { Usage } from '../../runtime/dist/metrics/usage.js';
import { UsageReport, usageRows } from '../dist/monitoring/usage-report.js';
import { openConnections, prometheusText, residentBytes } from '../dist/monitoring/worker-metrics.js';
import { memoryLog } from './supervisor-fixture.ts';

const durations = fc.array(fc.double({ min: 0.1, max: 60_000, noNaN: true }), {
  minLength: 1,
  maxLength: 200,
});

await t.test('a quantile is at most 5 % beside the true one', (t) => {
  fc.assert(
    fc.property(durations, fc.constantFrom(0.5, 0.99), (all, quantile) => {
      const buckets = new Map<number, number>();
      for (const ms of all) buckets.set(bucketOf(ms), (buckets.get(bucketOf(ms)) ?? 0) + 1);
      const sorted = all.toSorted((a, b) => a - b);
      const truth = sorted[Math.ceil(all.length * quantile) - 1] ?? NaN;
      return Math.abs(quantileMs(buckets, quantile) / truth - 1) <= 0.05;
    }),
  );
  t.equal(quantileMs(new Map(), 0.5), 0, 'of nothing');
  t.end();
});

await t.test('sums of several processes are those of one', (t) => {
  const request = fc.record({
    userId: fc.constantFrom('ann', 'bob', null),
    route: fc.constantFrom('/a', '/b'),
    status: fc.constantFrom(200, 304, 401, 503),
    ms: fc.integer({ min: 1, max: 1000 }),
    bytesSent: fc.nat(1000),
  });
  fc.assert(
    fc.property(fc.array(request), fc.array(request), (first, second) => {
      const [one, two, together, merged] = [new Usage(), new Usage(), new Usage(), new Usage()];
      for (const used of first) one.record(used);
      for (const used of second) two.record(used);
      for (const used of [...first, ...second]) together.record(used);
      merged.add(one.take());
      merged.add(two.take());
      t.strictSame(usageRows(merged.entries()), usageRows(together.entries()));
      t.strictSame(one.entries(), [], 'what was taken is told once');
    }),
  );
  t.end();
});

await t.test('the usage report names users and routes, and is silent when nothing was asked', (t) => {
  const { log, lines } = memoryLog();
  const report = new UsageReport(log, 60_000);
  const usage = new Usage();
  for (const ms of [10, 10, 400]) usage.record({ userId: 'ann', route: '/x', status: 200, ms, bytesSent: 5 });
  usage.record({ userId: null, route: '/x', status: 401, ms: 1, bytesSent: 7 });
  report.add(usage.take());
  report.close();
  report.close();
  t.equal(lines.length, 1);
  t.match(lines[0], { event: 'usage', requests: 4, failures: 1 });
  const [ann, nobody] = lines[0]?.['usage'] as Record<string, number>[];
  t.match(ann, { user: 'ann', route: '/x', requests: 3, failures: 0, bytes: 15, meanMs: 140 });
  t.ok(Math.abs((ann?.['medianMs'] ?? 0) - 10) <= 0.5 && Math.abs((ann?.['p99Ms'] ?? 0) - 400) <= 20);
  t.match(nobody, { user: null, requests: 1, failures: 1 });
  t.end();
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
