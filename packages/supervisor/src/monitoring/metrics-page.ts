import { AggregatorRegistry } from 'prom-client';
import type { MetricFamily } from '@ptn-api/runtime';
import type { Supervisor } from '../supervisor.ts';
import type { AdminPage } from './admin-server.ts';
import { supervisorMetrics } from './supervisor-metrics.ts';

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

/**
 * `/metrics`: of all processes.
 *
 * @param withinMs a worker that takes longer to answer is left out.
 */
export function metricsPage(supervisor: Supervisor, withinMs: number): AdminPage {
  const register = supervisorMetrics(supervisor);
  return {
    contentType: register.contentType,
    read: async () => {
      const answers = await supervisor.workerMetrics(withinMs);
      const workers = supervisor.status().workers.map(({ id, role }) => ({
        process: role,
        worker: id,
        families: answers.get(id)?.families ?? [],
      }));
      const families = await register.getMetricsAsJSON();
      return prometheusText([{ process: 'supervisor', worker: 'supervisor', families }, ...workers]);
    },
  };
}
