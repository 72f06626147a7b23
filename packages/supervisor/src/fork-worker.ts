import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { isStdoutReplaced } from '@ptn-api/runtime';
import { forwardLines } from './forward-lines.ts';
import { workerEnvironment } from './worker-environment.ts';
import type { WorkerSpec } from './worker-spec.ts';

/** Before the worker's own modules, whose loading takes a while. */
const NO_DEBUGGER = import.meta.resolve('@ptn-api/runtime/no-debugger');

/**
 * Starts a worker's process, with what it prints on its way.
 *
 * @param printLines takes what it prints on stdout, in whole lines; by default it goes where this process prints.
 * @throws Error where the system refuses at once; as a rule it is the process that has an `error` then.
 */
export function forkWorker(spec: WorkerSpec, printLines?: (lines: string) => void): ChildProcess {
  // Where stdout is replaced or this process writes the log of all, what the worker prints passes through it as well.
  const output = printLines !== undefined || isStdoutReplaced() ? 'pipe' : 'inherit';
  // The last argument is for lists of processes: it says which worker this is, whatever its program is called.
  const child = fork(spec.modulePath, [...(spec.args ?? []), `${spec.role}/main:${spec.id}`], {
    execArgv: [
      ...process.execArgv,
      '--import',
      NO_DEBUGGER,
      ...(spec.inspectPort === undefined ? [] : [`--inspect=127.0.0.1:${spec.inspectPort}`]),
    ],
    serialization: 'advanced',
    env: workerEnvironment(process.env),
    stdio: ['ignore', output, output, 'ipc'],
  });
  // In whole lines: several workers print at the same time.
  if (child.stdout !== null) {
    forwardLines(child.stdout, printLines ?? ((lines) => process.stdout.write(lines)));
  }
  if (child.stderr !== null) forwardLines(child.stderr, (lines) => process.stderr.write(lines));
  return child;
}
