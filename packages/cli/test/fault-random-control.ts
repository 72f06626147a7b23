/** What a run of random faults and the processes under it tell each other, by files in one folder. */
import fs from 'node:fs';
import { join } from 'node:path';

/** Names the folder, for the processes of the server. */
export const FOLDER_VARIABLE = 'PTN_TEST_RANDOM_FAULTS';
/** Marks the feed's process, for its threads and for the processes that it starts. */
export const FEED_VARIABLE = 'PTN_TEST_RANDOM_FAULTS_FEED';

export interface Control {
  /** Whether anything fails. */
  readonly isOn: boolean;
  /** A call that is made all the time fails about this often. */
  readonly meanMs: number;
  readonly seed: number;
  /** Whatever is asked of a path below one of these is denied. */
  readonly unreadable: readonly string[];
  /** Sites of which the next call fails, also while the feed starts; each once. */
  readonly targets: readonly string[];
}

export interface Hit {
  readonly site: string;
  /** How it failed. */
  readonly kind: string;
}

// As they were before anything was made to fail.
const { readFileSync, appendFileSync, writeFileSync, renameSync } = fs;
const HITS = 'hits';
const AT_START = 'at-start';

export function readControl(folder: string): Control {
  return JSON.parse(readFileSync(join(folder, 'control.json'), 'utf8')) as Control;
}

export function writeControl(folder: string, control: Control): void {
  const path = join(folder, 'control.json');
  // Read at any time: never half of it.
  writeFileSync(`${path}.new`, JSON.stringify(control));
  renameSync(`${path}.new`, path);
}

function linesOf(folder: string, name: string): string[] {
  try {
    return readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

export function noteHit(folder: string, { site, kind }: Hit): void {
  appendFileSync(join(folder, HITS), `${site}\t${kind}\n`);
}

/** Every fault so far, of all processes and threads. */
export function readHits(folder: string): Hit[] {
  return linesOf(folder, HITS).map((line) => {
    const [site = '', kind = ''] = line.split('\t');
    return { site, kind };
  });
}

/** A site that is called before the feed is ready: a fault there ends the start. */
export function noteAtStart(folder: string, site: string): void {
  appendFileSync(join(folder, AT_START), `${site}\n`);
}

export function readAtStart(folder: string): Set<string> {
  return new Set(linesOf(folder, AT_START));
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function oneOf<T>(random: () => number, choices: readonly T[]): T | undefined {
  return choices[Math.floor(random() * choices.length)];
}
