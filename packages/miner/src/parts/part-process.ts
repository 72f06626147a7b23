// The program of one part of the miner. Its configuration comes by the channel to the process that started it, and with
// the end of that channel it ends, however its parent ended.
import { createLogger } from '@ptn-api/runtime';
import { startProblem } from './cannot-start.ts';
import { startData } from './data-part.ts';
import { PART_NAMES } from './run-config.ts';
import type { FromPart, PartName, RunConfig, RunningPart } from './run-config.ts';
import { startSender } from './sender-part.ts';
import { startSignals } from './signals-part.ts';

const START = { sender: startSender, signals: startSignals, data: startData } as const;
const REFUSED_EXIT_CODE = 2;

function send(message: FromPart): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else
      process.send(message, () => {
        resolve();
      });
  });
}

async function run(name: PartName, config: RunConfig): Promise<void> {
  const log = createLogger({ name: `miner-${name}`, level: config.logLevel });
  let part: RunningPart;
  try {
    part = await START[name](config, log);
  } catch (error) {
    const problem = startProblem(error);
    if (problem === undefined) throw error;
    await send({ type: 'refused', text: problem });
    process.exit(REFUSED_EXIT_CODE);
  }
  process.once('SIGTERM', () => {
    void part.stop().finally(() => process.exit(0));
  });
  await send({ type: 'ready', text: part.text });
}

// Ctrl-C reaches all processes of a terminal; the parent stops its parts in their order.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(1));
const name = PART_NAMES.find((known) => known === process.argv[2]);
if (name === undefined || process.send === undefined) {
  process.stderr.write('this is a part of ptn-miner run, and cannot be started by itself\n');
  process.exit(REFUSED_EXIT_CODE);
}
process.once('message', (config) => {
  void run(name, config as RunConfig);
});
