import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import type { Logger } from 'pino';
import { waitFor } from '@ptn-api/testkit';
import type { TestScope } from '@ptn-api/testkit';
import type { ServingRole } from '../../runtime/dist/ipc/messages.js';
import { Supervisor } from '../dist/supervisor.js';
import type { SupervisorOptions } from '../dist/supervisor.js';
import type { WorkerSpec } from '../dist/worker-spec.js';
import { testConfig } from '../../runtime/dist-test/config-fixture.js';
import type { RestWorkerAnswer } from './workers/rest-worker.ts';

export function workerPath(name: string): string {
  return fileURLToPath(new URL(`./workers/${name}.js`, import.meta.url));
}

export function temporaryFolder(scope: TestScope): string {
  const path = mkdtempSync(join(tmpdir(), 'ptn-supervisor-'));
  scope.teardown(() => {
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

export function feedSpec(args: readonly string[] = []): WorkerSpec {
  return {
    id: 'feed',
    role: 'feed',
    modulePath: workerPath('feed-worker'),
    args,
    startTimeoutMs: 10_000,
    replacement: 'after-stop',
  };
}

export function restSpec(index: number, args: readonly string[] = [], startTimeoutMs = 10_000): WorkerSpec {
  return servingSpec('rest', index, args, startTimeoutMs);
}

export function wsSpec(index: number, args: readonly string[] = []): WorkerSpec {
  return servingSpec('ws', index, args, 10_000);
}

function servingSpec(
  role: ServingRole,
  index: number,
  args: readonly string[],
  startTimeoutMs: number,
): WorkerSpec {
  return {
    id: `${role}-${index}`,
    role,
    modulePath: workerPath('rest-worker'),
    args,
    startTimeoutMs,
    replacement: 'before-stop',
  };
}

/** One line of the log, parsed. */
export type LogLine = Readonly<Record<string, unknown>>;

export function memoryLog(): { log: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line) as LogLine) });
  return { log, lines };
}

export interface TestSupervisor {
  readonly supervisor: Supervisor;
  readonly lines: readonly LogLine[];
}

/** A supervisor in this process, not started; whatever it starts is stopped after the test. */
export function makeSupervisor(
  scope: TestScope,
  options: Partial<SupervisorOptions> & Pick<SupervisorOptions, 'workers'>,
): TestSupervisor {
  const { log, lines } = memoryLog();
  const supervisor = new Supervisor({ config: testConfig(), log, stopWithinMs: 3000, ...options });
  scope.teardown(() => supervisor.kill());
  return { supervisor, lines };
}

export async function startedSupervisor(
  scope: TestScope,
  options: Partial<SupervisorOptions> & Pick<SupervisorOptions, 'workers'>,
): Promise<TestSupervisor> {
  const made = makeSupervisor(scope, options);
  await made.supervisor.start();
  return made;
}

const TIMEOUT_MS = 10_000;

/** Asks a test worker over a connection of its own. */
export function ask(port: number, path = '/'): Promise<RestWorkerAnswer> {
  return new Promise((resolve, reject) => {
    const agent = new Agent({ keepAlive: false });
    const request = get({ host: '127.0.0.1', port, path, agent, timeout: TIMEOUT_MS }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve(JSON.parse(body) as RestWorkerAnswer);
      });
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', reject);
  });
}

/** The process of a worker that is ready. */
export function pidOf(supervisor: Supervisor, id: string): number {
  const worker = supervisor.status().workers.find((status) => status.id === id);
  if (worker?.pid === undefined || worker.state !== 'ready') throw new Error(`worker ${id} is not ready`);
  return worker.pid;
}

/** Waits until a worker is ready in another process than `oldPid`, and gives the new one. */
export function replaced(supervisor: Supervisor, id: string, oldPid: number): Promise<number> {
  return waitFor(
    () => {
      const pid = pidOf(supervisor, id);
      return pid === oldPid ? undefined : pid;
    },
    { what: `worker ${id} is replaced` },
  );
}
