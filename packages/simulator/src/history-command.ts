import { resolve } from 'node:path';
import { counted } from '@ptn-api/protocol';
import { RootInUseError, SimulatedValidator } from './live/simulated-validator.ts';
import { parseOptions, UsageError } from './options.ts';
import type { Options } from './options.ts';
import { leave, onStop, say, tellParent } from './process.ts';

/** Names of errors whose message is for the operator. */
export const EXPECTED_ERRORS: readonly string[] = [UsageError.name, RootInUseError.name];

/**
 * Fills a new folder with a history and goes on trading there, until the process is asked to stop.
 *
 * @param fail ends the process with an error that comes later
 * @throws UsageError, RootInUseError
 */
export async function makeHistory(args: readonly string[], fail: (error: unknown) => void): Promise<void> {
  const { startMs: endMs, historyOnly, ...options }: Options = parseOptions(args, Date.now());
  const validator = new SimulatedValidator({ ...options, root: resolve(options.root), endMs, onFault: fail });
  const stopping = new AbortController();
  onStop(() => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    validator.stop().then(leave, fail);
  });

  await validator.writeHistory();
  const { root } = validator;
  const [miners, positions] = [validator.miners.length, validator.positionCount()];
  say(`${counted(miners, 'miner')} and ${counted(positions, 'position')} are in ${root}`);
  await tellParent({ type: 'ready', root, miners, positions });
  if (historyOnly) leave();
  else if (!stopping.signal.aborted) validator.start();
}
