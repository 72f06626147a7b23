import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Position } from '@ptn-api/protocol';
import { makeTemporaryFolder } from '@ptn-api/testkit';
import type { TestScope } from '@ptn-api/testkit';
import { SimulatedValidator } from '@ptn-api/simulator';
import type { ValidatorOptions } from '@ptn-api/simulator';
import { runProgram } from './program.ts';
import type { Program } from './program.ts';

/** A Friday at which all markets are open, long after slippage was introduced. */
export const END_MS = Date.UTC(2025, 10, 14, 16, 30);

export const SMALL: Omit<ValidatorOptions, 'root'> = {
  seed: 1,
  miners: 40,
  positions: 1200,
  months: 3,
  endMs: END_MS,
  generation: '2025',
  ordersPerSecond: 0,
  refreshMs: 0,
  outputsMs: 0,
  onFault: (error) => {
    throw error;
  },
};

/** Runs the simulated validator as a process of its own, which is ended with the test. */
export function runSimulator(scope: TestScope, args: readonly string[]): Program {
  return runProgram(scope, fileURLToPath(new URL('../dist/main.js', import.meta.url)), args);
}

/** A simulated validator whose history is on disk, in a folder that is removed after the test. */
export async function writtenHistory(
  scope: TestScope,
  options: Partial<ValidatorOptions> = {},
): Promise<SimulatedValidator> {
  const validator = new SimulatedValidator({ ...SMALL, ...options, root: makeTemporaryFolder(scope) });
  scope.teardown(() => validator.stop());
  await validator.writeHistory();
  return validator;
}

/** The paths of all files under a folder, relative to it, sorted. */
export function filesUnder(root: string, folder = '.'): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}

/** A file of the tree of positions. */
export interface PositionFile {
  readonly hotkey: string;
  readonly tradePairId: string;
  readonly side: string;
  readonly uuid: string;
  readonly text: string;
  readonly position: Position;
}

/** The files of positions; those of limit orders beside them are none. */
export function readTree(root: string): PositionFile[] {
  const paths = filesUnder(root, 'validation/miners').filter((path) => path.includes('/positions/'));
  return paths.map((path) => {
    const [, , hotkey = '', , tradePairId = '', side = '', uuid = ''] = path.split('/');
    const text = readFileSync(join(root, path), 'utf8');
    return { hotkey, tradePairId, side, uuid, text, position: JSON.parse(text) as Position };
  });
}
