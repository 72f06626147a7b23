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

/** How often it is checked whether tasks wait for a thread that nobody starts. */
const REVIVE_MS = 1000;

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
  let running = 0;
  // After a thread that died before it was ready, the pool starts none for the tasks that wait, only for a further one.
  const revival = setInterval(() => {
    if (running > 0 && pool.threads.length === 0) void run('nothing', null).catch(() => undefined);
  }, REVIVE_MS).unref();
  const run = async <N extends TaskName>(name: N, input: TaskInput<N>): Promise<TaskOutput<N>> => {
    const startedMs = performance.now();
    running += 1;
    try {
      return await (pool.run(input, { name }) as Promise<TaskOutput<N>>);
    } finally {
      running -= 1;
      feedMetrics.observeTask(name, performance.now() - startedMs);
    }
  };
  return {
    run,
    async close() {
      clearInterval(revival);
      await pool.destroy();
    },
  };
}
