import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { TestScope } from '@ptn-api/testkit';
import { runProgram } from '../../simulator/dist-test/program.js';
import type { Program } from '../../simulator/dist-test/program.js';

const MAIN_PATH = fileURLToPath(new URL('../dist/main.js', import.meta.url));

export type DevnetProcess = Program;

/** Runs devnet as a process of its own, which is ended with the test. */
export function runDevnet(scope: TestScope, args: readonly string[]): DevnetProcess {
  return runProgram(scope, MAIN_PATH, args);
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
