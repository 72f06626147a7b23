import { METRIC_PREFIX } from '@ptn-api/runtime';
import type { MetricFamily } from '@ptn-api/runtime';

/** What one user asked of one route. */
export interface UsageRow {
  /** The id in the key file; `null` for requests without a key that counts. */
  readonly user: string | null;
  readonly route: string;
  readonly requests: number;
  /** Of these, answered with a status of 400 or above. */
  readonly failures: number;
  readonly bytes: number;
  readonly meanMs: number;
  /** Like `p99Ms`, read from a histogram: within its bucket. */
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** A value of a metric of a user and a route; of a histogram one of its buckets, its sum or its count. */
interface Sample {
  readonly name: string;
  readonly labels: Readonly<Partial<Record<string, string | number>>>;
  readonly value: number;
}

/** By worker, name and labels. */
export type UsageSamples = ReadonlyMap<string, Sample>;

const USER_METRIC = `${METRIC_PREFIX}user_`;

/** What the workers have counted of their users. */
export function usageSamples(
  workers: ReadonlyMap<string, { readonly families: readonly MetricFamily[] } | undefined>,
): UsageSamples {
  const samples = new Map<string, Sample>();
  for (const [worker, answer] of workers) {
    for (const { name: family, values } of answer?.families ?? []) {
      if (!family.startsWith(USER_METRIC)) continue;
      for (const { metricName, labels, value } of values) {
        const name = (metricName ?? family).slice(USER_METRIC.length);
        samples.set(JSON.stringify([worker, name, labels]), { name, labels, value });
      }
    }
  }
  return samples;
}

/** What was counted since an earlier reading; a worker that was started anew counts from 0. */
export function usageSince(before: UsageSamples, now: UsageSamples): UsageSamples {
  return new Map(
    [...now].map(([key, sample]) => {
      const counted = before.get(key)?.value ?? 0;
      return [key, { ...sample, value: sample.value < counted ? sample.value : sample.value - counted }];
    }),
  );
}

/** The sums of all workers, most requests first. */
export function usageRows(samples: UsageSamples): UsageRow[] {
  const sums = new Map<string, { readonly labels: Sample['labels']; readonly of: Map<string, number> }>();
  const buckets = new Map<string, Map<number, number>>();
  for (const { name, labels, value } of samples.values()) {
    const key = JSON.stringify([labels['user_id'], labels['route']]);
    const { of } = getOrMake(sums, key, () => ({ labels, of: new Map<string, number>() }));
    if (name === 'request_seconds_bucket') {
      const counts = getOrMake(buckets, key, () => new Map<number, number>());
      const bound = Number(labels['le']);
      const seconds = Number.isNaN(bound) ? Infinity : bound;
      counts.set(seconds, (counts.get(seconds) ?? 0) + value);
    } else of.set(name, (of.get(name) ?? 0) + value);
  }
  return [...sums]
    .map(([key, { labels, of }]) => {
      const counts = buckets.get(key) ?? new Map<number, number>();
      const requests = of.get('requests_total') ?? 0;
      return {
        user: labels['user_id'] === '' ? null : String(labels['user_id']),
        route: String(labels['route']),
        requests,
        failures: of.get('failures_total') ?? 0,
        bytes: of.get('sent_bytes_total') ?? 0,
        meanMs: inMs((of.get('request_seconds_sum') ?? 0) / requests),
        medianMs: inMs(quantile(counts, 0.5)),
        p99Ms: inMs(quantile(counts, 0.99)),
      };
    })
    .filter(({ requests }) => requests > 0)
    .sort((a, b) => b.requests - a.requests);
}

function getOrMake<V>(map: Map<string, V>, key: string, make: () => V): V {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}

function inMs(seconds: number): number {
  return Math.round(seconds * 100_000) / 100;
}

/**
 * The value that the part `part` (0 to 1) stays within, as Prometheus reads a histogram: evenly spread in each bucket, and
 * the last bound for what is above all.
 *
 * @param buckets how many values are at most each bound.
 */
export function quantile(buckets: ReadonlyMap<number, number>, part: number): number {
  const rank = part * (buckets.get(Infinity) ?? 0);
  let [lower, below] = [0, 0];
  for (const [bound, count] of [...buckets].sort(([a], [b]) => a - b)) {
    if (count >= rank && count > below) {
      if (bound === Infinity) return lower;
      return Math.min(bound, lower + ((bound - lower) * (rank - below)) / (count - below));
    }
    [lower, below] = [bound, count];
  }
  return 0;
}
