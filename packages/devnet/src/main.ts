import { counted } from '@ptn-api/protocol';
import { resolve } from 'node:path';
import { RootInUseError, SimulatedValidator } from './live/simulated-validator.ts';
import { parseOptions, UsageError } from './options.ts';
import type { Options } from './options.ts';

const EXIT_FAULT = 1;
const EXIT_USAGE = 2;

/** One line on stderr. */
function say(text: string): void {
  process.stderr.write(`ptn-devnet: ${text}\n`);
}

/** Lets the process end by itself: the channel to the parent would keep it alive. */
function leave(): void {
  if (process.connected) process.disconnect();
}

function fail(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const isExpected = error instanceof UsageError || error instanceof RootInUseError;
  say(isExpected ? message : `cannot go on: ${message}`);
  process.exitCode = error instanceof UsageError ? EXIT_USAGE : EXIT_FAULT;
  leave();
}

/** Tells a parent that forked us; resolves when it is sent, since leaving at once could lose it. */
async function tellParent(message: object): Promise<void> {
  if (!process.connected) return;
  await new Promise<void>((done) =>
    process.send?.(message, () => {
      done();
    }),
  );
}

async function run({ startMs: endMs, historyOnly, ...options }: Options): Promise<void> {
  const validator = new SimulatedValidator({ ...options, root: resolve(options.root), endMs, onFault: fail });
  const stopping = new AbortController();
  const stop = (): void => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    validator.stop().then(leave, fail);
  };
  process.once('SIGTERM', stop).once('SIGINT', stop).once('disconnect', stop);
  // A parent that went before the line above gives no event any more.
  if (process.send !== undefined && !process.connected) stop();

  await validator.writeHistory();
  const { root } = validator;
  const [miners, positions] = [validator.miners.length, validator.positionCount()];
  say(`${counted(miners, 'miner')} and ${counted(positions, 'position')} are in ${root}`);
  await tellParent({ type: 'ready', root, miners, positions });
  if (historyOnly) leave();
  else if (!stopping.signal.aborted) validator.start();
}

try {
  await run(parseOptions(process.argv.slice(2), Date.now()));
} catch (error) {
  fail(error);
}
