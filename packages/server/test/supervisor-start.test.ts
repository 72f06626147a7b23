import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { childPidsOf } from '@ptn-api/testkit';
import t from 'tap';
import { StartError } from '../dist/config/start-error.js';
import { startSupervisor } from '../dist/supervisor/supervisor.js';
import type { WorkerSpec } from '../dist/supervisor/worker-spec.js';
import { ask, feedSpec, makeSupervisor, memoryLog, restSpec, startedSupervisor, testConfig } from './supervisor-fixture.js';

async function startFailure(t: Tap.Test, workers: readonly WorkerSpec[]): Promise<StartError> {
  const { supervisor } = makeSupervisor(t, { workers });
  const error: unknown = await supervisor.start().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof StartError)) throw new Error('the start did not fail as it should', { cause: error });
  return error;
}
