import { METRIC_PREFIX } from '@ptn-api/runtime';
import type { MetricFamily } from '@ptn-api/runtime';

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
