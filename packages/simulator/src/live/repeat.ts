/** Something that is done again and again until it is stopped. */
export interface Repeated {
  /** Lets what is being done finish; nothing starts after it. */
  stop(): Promise<void>;
}

/**
 * Does `task`, again and again, `delayMs()` after it was last done; never twice at a time. A fault ends it and is passed
 * to `onFault` once.
 */
export function repeat(
  task: () => void | Promise<void>,
  delayMs: () => number,
  onFault: (error: unknown) => void,
): Repeated {
  let isStopped = false;
  let timer: NodeJS.Timeout;
  let running = Promise.resolve();

  async function run(): Promise<void> {
    try {
      await task();
    } catch (error) {
      isStopped = true;
      onFault(error);
    }
    schedule();
  }

  function schedule(): void {
    if (isStopped) return;
    timer = setTimeout(() => {
      running = run();
    }, delayMs());
  }

  schedule();
  return {
    stop() {
      isStopped = true;
      clearTimeout(timer);
      return running;
    },
  };
}
