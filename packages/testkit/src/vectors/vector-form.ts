import type { TestScope } from '../test-scope.ts';
import type { Difference } from './compare-texts.ts';

/** A kind of file that holds what the Python systems answered, and what answers the same here. */
export interface VectorForm {
  readonly name: string;
  /** @param path of a file. */
  readonly recognises: (path: string) => boolean;
  /** Adds what differs, and gives the number of cases. @throws Error where the file is not what it seems. */
  readonly run: (path: string, difference: Difference) => number;
}

/** A kind of file that holds what was asked of something that runs: a server, or what watches a file. */
export interface ServerForm extends Omit<VectorForm, 'run'> {
  readonly run: (path: string, difference: Difference) => Promise<number>;
}

/** Runs what starts something, and ends all of that, the last first. */
export async function inScope<T>(run: (scope: TestScope) => Promise<T>): Promise<T> {
  const teardowns: (() => void | Promise<void>)[] = [];
  try {
    return await run({ teardown: (fn) => teardowns.unshift(fn) });
  } finally {
    for (const teardown of teardowns) await teardown();
  }
}

/** A file of this name, compressed or not, in a folder of that name. */
export function isNamed(path: string, folder: string, name: string): boolean {
  return new RegExp(`(?:^|/)${folder}/${name.replaceAll('.', String.raw`\.`)}(?:\\.gz)?$`).test(path);
}

/** A form that is known by the name of its file, compressed or not. */
export function fileForm(file: string, name: string, run: VectorForm['run']): VectorForm {
  return { name, recognises: (path) => path.split('/').at(-1)?.replace(/\.gz$/, '') === file, run };
}

/** Notes one thing that is not as it was answered. */
export function expectEqual(difference: Difference, name: string, got: unknown, want: unknown): void {
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
  if (a !== b) difference.unequal.push(`${name}: ${a} for ${b}`);
}
