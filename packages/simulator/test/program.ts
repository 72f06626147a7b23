import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { waitFor } from '@ptn-api/testkit';
import type { TestScope } from '@ptn-api/testkit';

export interface Program {
  readonly child: ChildProcess;
  /** What it sent over its channel. */
  readonly messages: readonly unknown[];
  stderr(): string;
  /** Resolves to its exit code, or the signal that ended it. */
  ended(): Promise<number | NodeJS.Signals>;
  ready(): Promise<unknown>;
}

/** Runs a program as a process of its own, which is ended with the test. */
export function runProgram(scope: TestScope, path: string, args: readonly string[]): Program {
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  const messages: unknown[] = [];
  let stderr = '';
  child.on('message', (message) => messages.push(message));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  // The event "close" does not come when it was the parent that closed the channel.
  const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const allRead = child.stderr === null ? undefined : once(child.stderr, 'close');
  const ended = async (): Promise<number | NodeJS.Signals> => {
    const [code, signal] = await exit;
    await allRead;
    return code ?? signal ?? 'SIGKILL';
  };
  scope.teardown(async () => {
    child.kill('SIGKILL');
    await ended();
  });
  return {
    child,
    messages,
    stderr: () => stderr,
    ended,
    ready: () => waitFor(() => messages[0], { what: () => `${path} is ready\n${stderr}`, timeoutMs: 20_000 }),
  };
}
