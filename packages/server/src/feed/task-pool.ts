import { Piscina } from 'piscina';
import { feedMetrics } from './feed-metrics.ts';
import type * as tasks from './tasks/tasks.ts';

type Tasks = typeof tasks;
export type TaskName = keyof Tasks;
export type TaskInput<N extends TaskName> = Parameters<Tasks[N]>[0];
export type TaskOutput<N extends TaskName> = Awaited<ReturnType<Tasks[N]>>;

/** Runs the feed's tasks in threads, off the event loop. */
export interface TaskPool {
  /** @throws what the task threw, or Error when its thread died. */
  run<N extends TaskName>(name: N, input: TaskInput<N>): Promise<TaskOutput<N>>;
  close(): Promise<void>;
}

/**
 * A pool of at most `threads` threads. Idle ones are kept for a while: starting one costs more than most tasks.
 */
export function createTaskPool(threads: number): TaskPool {
  const pool = new Piscina({
    filename: new URL('./tasks/tasks.js', import.meta.url).href,
    minThreads: 1,
    maxThreads: threads,
    idleTimeout: 5_000,
    // Garbage of the first reading would else stay in each thread until it ends.
    resourceLimits: { maxYoungGenerationSizeMb: 16 },
    concurrentTasksPerWorker: 1,
  });
  return {
    async run<N extends TaskName>(name: N, input: TaskInput<N>): Promise<TaskOutput<N>> {
      const startedMs = performance.now();
      const output: TaskOutput<N> = await (pool.run(input, { name }) as Promise<TaskOutput<N>>);
      feedMetrics.observeTask(name, performance.now() - startedMs);
      return output;
    },
    async close() {
      await pool.destroy();
    },
  };
}
