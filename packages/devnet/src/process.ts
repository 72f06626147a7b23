/** One line on stderr. */
export function say(text: string): void {
  process.stderr.write(`ptn-devnet: ${text}\n`);
}

/** Lets the process end by itself: the channel to the parent would keep it alive. */
export function leave(): void {
  if (process.connected) process.disconnect();
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
