export { grant, KEY, MemoryLog, serveStream as serve, StreamClient as Client } from '@ptn-api/testkit/stream';
export type { Json, RunningStream, StreamOptions } from '@ptn-api/testkit/stream';

const DEADLINE_MS = 30_000;

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

export async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + DEADLINE_MS;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
