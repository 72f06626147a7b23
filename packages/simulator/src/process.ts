import { UsageError } from './options.ts';

const EXIT_FAULT = 1;
const EXIT_USAGE = 2;

/** One line on stderr. */
export function say(text: string): void {
  process.stderr.write(`ptn-devnet: ${text}\n`);
}

/** Lets the process end by itself: the channel to the parent would keep it alive. */
export function leave(): void {
  if (process.connected) process.disconnect();
}

/** Ends the process with an error; the message of one that has a name of `expected` says enough. */
export function failing(expected: readonly string[]): (error: unknown) => void {
  return (error) => {
    const message = error instanceof Error ? error.message : String(error);
    const isExpected = error instanceof Error && expected.includes(error.name);
    say(isExpected ? message : `cannot go on: ${message}`);
    process.exitCode = error instanceof UsageError ? EXIT_USAGE : EXIT_FAULT;
    leave();
  };
}

/** Tells a parent that forked us; resolves when it is sent, since leaving at once could lose it. */
export async function tellParent(message: object): Promise<void> {
  if (!process.connected) return;
  await new Promise<void>((done) =>
    process.send?.(message, () => {
      done();
    }),
  );
}

/** Calls `stop` when the process is to end: by a signal, or because its parent has gone. */
export function onStop(stop: () => void): void {
  process.once('SIGTERM', stop).once('SIGINT', stop).once('disconnect', stop);
  // A parent that went before the line above gives no event any more.
  if (process.send !== undefined && !process.connected) stop();
}
