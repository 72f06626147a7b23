import { createLogger } from '@ptn-api/runtime';
import { leave, onStop, tellParent } from '@ptn-api/simulator';
import { runValidator } from '../validator/run-validator.ts';
import { parseRunOptions } from './run-options.ts';

/** `ptn-devnet run`: a validator, until the process is asked to stop. */
export async function run(args: readonly string[]): Promise<void> {
  const options = parseRunOptions(args);
  const log = createLogger({ name: 'devnet', level: options.isVerbose ? 'debug' : 'info' });
  const running = await runValidator(options, log);
  onStop(running.stop);
  const { root, axonHost: host, speed } = options;
  const { hotkey, port, metagraph } = running;
  log.info({ root, host, port, hotkey, metagraph, speed }, 'takes orders');
  await tellParent({ type: 'ready', root, host, port, hotkey, metagraph });
  await running.ended;
  leave();
}
