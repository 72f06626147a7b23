/** The supervisor as a process of its own, with test workers. Arguments: its configuration and its workers, as JSON. */
import type { ServerConfig } from '../../../runtime/dist/config.js';
import { createLogger } from '../../../runtime/dist/log/logger.js';
import { StartError } from '../../../runtime/dist/start-error.js';
import { runSupervisor } from '../../dist/run.js';
import type { WorkerSpec } from '../../dist/worker-spec.js';

const { config, workers, stopWithinMs } = JSON.parse(process.argv[2] ?? '') as {
  config: ServerConfig;
  workers: WorkerSpec[];
  stopWithinMs?: number;
};
const log = createLogger({ name: 'supervisor', level: 'info' });
try {
  process.exit(
    await runSupervisor({ config, workers, log, ...(stopWithinMs === undefined ? {} : { stopWithinMs }) }),
  );
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  log.info({ event: 'start-error', detail: error.message });
  process.exit(error.exitCode);
}
