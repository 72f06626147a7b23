import { AggregatorRegistry } from 'prom-client';
import { METRIC_PREFIX } from '@ptn-api/runtime';
import type { MetricFamily } from '@ptn-api/runtime';

/** The metrics of one process of the server. */
export interface ProcessMetrics {
  /** What it is: `supervisor`, `feed`, `rest`, `ws`. */
  readonly process: string;
  /** Which one: `supervisor`, `feed`, `rest-1`. */
  readonly worker: string;
  readonly families: readonly MetricFamily[];
}

/** All of them in Prometheus' text format, each value with the labels `process` and `worker`, where it has none itself. */
export async function prometheusText(processes: readonly ProcessMetrics[]): Promise<string> {
  const labelled = processes.map(({ process, worker, families }) =>
    families.map((family) => ({
      ...family,
      // No two values have equal labels, so nothing is summed up, and nothing may be left out.
      aggregator: 'sum' as const,
      values: family.values.map((value) => ({ ...value, labels: { process, worker, ...value.labels } })),
    })),
  );
  return AggregatorRegistry.aggregate(labelled).metrics();
}

/** The memory of a process in bytes, by its metrics. */
export function residentBytes(families: readonly MetricFamily[]): number | null {
  const family = families.find(({ name }) => name === `${METRIC_PREFIX}process_resident_memory_bytes`);
  return family?.values[0]?.value ?? null;
}

/** How many connections the workers serve together, those of REST or those of the stream. */
export function openConnections(
  metrics: ReadonlyMap<string, { readonly families: readonly MetricFamily[] } | undefined>,
  kind: 'http' | 'stream',
): number {
  const name = `${METRIC_PREFIX}${kind}_open_connections`;
  const families = [...metrics.values()].flatMap((answer) => answer?.families ?? []);
  return families
    .filter((family) => family.name === name)
    .reduce((sum, family) => sum + (family.values[0]?.value ?? 0), 0);
}
