import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@ptn-api/testkit';
import type { TestScope } from '@ptn-api/testkit';

const MAIN_PATH = fileURLToPath(new URL('../dist/main.js', import.meta.url));

export interface DevnetProcess {
  readonly child: ChildProcess;
  /** What it sent over its channel. */
  readonly messages: readonly unknown[];
  stderr(): string;
  /** Resolves to its exit code, or the signal that ended it. */
  ended(): Promise<number | NodeJS.Signals>;
  ready(): Promise<unknown>;
}

/** Runs devnet as a process of its own, which is ended with the test. */
export function runDevnet(scope: TestScope, args: readonly string[]): DevnetProcess {
  const child = spawn(process.execPath, [MAIN_PATH, ...args], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
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
    ready: () => waitFor(() => messages[0], { what: () => `devnet is ready\n${stderr}`, timeoutMs: 20_000 }),
  };
}

/** Runs a command of devnet to its end. */
export function runCommand(
  args: readonly string[],
): Promise<{ readonly code: number | string; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN_PATH, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? String(error.signal)), stdout, stderr });
    });
  });
}
