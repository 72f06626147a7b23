import { collectDefaultMetrics, Registry } from 'prom-client';
import type { MetricObjectWithValues, MetricValue } from 'prom-client';
import { METRIC_PREFIX } from './metric-prefix.ts';

/**
 * One metric with its values, as prom-client gives it as JSON: what a worker sends to the supervisor. The values of a
 * histogram have names of their own.
 */
export type MetricFamily = MetricObjectWithValues<MetricValue<string> & { readonly metricName?: string }>;

/**
 * The metrics of this process, to be made once: its memory, processor time, open files and the delay of its event
 * loop, and whatever is registered in it.
 */
export function processMetrics(): Registry {
  const register = new Registry();
  collectDefaultMetrics({ register, prefix: METRIC_PREFIX });
  // Sums of the metrics beside them, with a suffix that Prometheus keeps for counters.
  for (const what of ['handles', 'requests', 'resources'])
    register.removeSingleMetric(`${METRIC_PREFIX}nodejs_active_${what}_total`);
  return register;
}
