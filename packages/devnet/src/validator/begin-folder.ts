import type { BucketEntry } from '@ptn-api/scoring';
import { challengeText, SCORING_PATHS } from '@ptn-api/validator-files';
import type { DurableFolder } from './durable-folder.ts';
import { ELIMINATIONS_PATH, NO_ELIMINATIONS } from './eliminations-file.ts';

export interface Beginning {
  /** Of the validator. */
  readonly version: string;
  /** Who is in the main competition from the start. */
  readonly founders: readonly string[];
  /** Unix ms. */
  readonly startMs: number;
}

/** Writes what a new folder begins with; what is there stays. */
export function beginFolder(folder: DurableFolder, { version, founders, startMs }: Beginning): void {
  const entry: BucketEntry = { bucket: 'MAINCOMP', startMs };
  for (const [path, text] of [
    ['meta/meta.json', JSON.stringify({ subnet_version: version })],
    // So that readers see that nobody is out yet.
    [ELIMINATIONS_PATH, NO_ELIMINATIONS],
    [SCORING_PATHS.challenge, challengeText(new Map(founders.map((hotkey) => [hotkey, entry])))],
  ] as const) {
    if (folder.read(path) === undefined) folder.write(path, text);
  }
}
