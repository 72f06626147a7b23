import { Counter, Gauge, Histogram } from 'prom-client';
import { METRIC_PREFIX } from '@ptn-api/runtime';
import { processMetrics } from '@ptn-api/runtime/process-metrics';
import type { TreeWatcherStats } from '@ptn-api/watch';

/** From a miner that is encoded to a file of a hundred megabytes that is read. */
const TASK_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const register = processMetrics();

const taskSeconds = new Histogram({
  name: `${METRIC_PREFIX}feed_task_seconds`,
  help: 'Time from handing a task to a thread to its result; encodeMiner is the encoding of one miner',
  labelNames: ['task'],
  buckets: TASK_SECONDS,
  registers: [register],
});
const generations = new Counter({
  name: `${METRIC_PREFIX}feed_generations_total`,
  help: 'Generations of the positions that were published by this process',
  registers: [register],
});
const treeGauges = {
  directories: treeGauge('feed_tree_directories', 'Directories of the tree of positions'),
  watched: treeGauge('feed_tree_watched_directories', 'Directories of the tree that inotify watches'),
  files: treeGauge('feed_tree_files', 'Files of the tree of positions'),
  sweepSeconds: treeGauge('feed_sweep_seconds', 'How long the last sweep of the tree took'),
};

function treeGauge(name: string, help: string): Gauge {
  return new Gauge({ name: `${METRIC_PREFIX}${name}`, help, registers: [register] });
}

/** What the feed counts and measures of itself. */
export const feedMetrics = {
  observeTask(task: string, ms: number): void {
    taskSeconds.observe({ task }, ms / 1000);
  },
  countGeneration(): void {
    generations.inc();
  },
  /** @param tree what is known of the tree, where positions come from one. */
  async families(tree: TreeWatcherStats | undefined) {
    if (tree !== undefined) {
      treeGauges.directories.set(tree.directories);
      treeGauges.watched.set(tree.watched);
      treeGauges.files.set(tree.files);
      treeGauges.sweepSeconds.set(tree.lastSweepMs / 1000);
    }
    return register.getMetricsAsJSON();
  },
};
