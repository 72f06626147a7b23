/** How a key file was edited in each step that was recorded of the Python servers, and what is answered otherwise here. */
import { renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';

export interface KeyFileEdit {
  /** Puts the file at its path into the state of the step. */
  readonly edit: (path: string) => void;
  /** What is logged once that was seen. */
  readonly event: 'keys-read' | 'keys-file-bad' | 'keys-file-gone' | 'no-file-at-start';
  /** The file is watched anew, as a server does that starts in this step. */
  readonly isStart?: true;
}

const A_LONG_TIME_AGO_S = 1_000_000_000;

function put(path: string, content: unknown): void {
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 });
}

/** Written aside, then renamed into place. */
function replaced(content: unknown): KeyFileEdit {
  return {
    edit: (path) => {
      put(`${path}.new`, content);
      renameSync(`${path}.new`, path);
    },
    event: 'keys-read',
  };
}

function written(content: unknown, event: KeyFileEdit['event'] = 'keys-read'): KeyFileEdit {
  return {
    edit: (path) => {
      put(path, content);
    },
    event,
  };
}

const entry = (key: unknown, tier = 100): unknown => ({ key, tier });

export const KEY_FILE_EDITS: Readonly<Record<string, KeyFileEdit>> = {
  'start a=100 b=0': { ...written({ a: entry('KA'), b: entry('KB', 0) }), isStart: true },
  'tiers swapped only (a->0, b->100)': replaced({ a: entry('KA', 0), b: entry('KB') }),
  'then one key added': replaced({ a: entry('KA', 0), b: entry('KB'), c: entry('KC') }),
  'a revoked': replaced({ b: entry('KB'), c: entry('KC') }),
  'c rotated, same count': replaced({ b: entry('KB'), c: entry('KC2') }),
  'broken JSON written in place': written(
    '{"b": {"key": "KB", "tier": 100}, "c": {"key": "KC3", "tier"',
    'keys-file-bad',
  ),
  'fixed, but with the SAME mtime': {
    edit: (path) => {
      const { atime, mtime } = statSync(path);
      put(path, { z: entry('KZ') });
      utimesSync(path, atime, mtime);
    },
    event: 'keys-read',
  },
  'fixed, but with an OLDER mtime (restored backup, cp -p)': {
    edit: (path) => {
      put(path, { zed: entry('KZ') });
      utimesSync(path, A_LONG_TIME_AGO_S, A_LONG_TIME_AGO_S);
    },
    event: 'keys-read',
  },
  'fixed, new mtime': written({ z: entry('KZ') }),
  'file holds a list': written(['KZ'], 'keys-file-bad'),
  'file holds {}': written({}),
  'same key twice, tiers 100 then 0': written({ y: entry('KZ'), z: entry('KZ', 0) }),
  'file removed': {
    edit: (path) => {
      rmSync(path);
    },
    event: 'keys-file-gone',
  },
  'legacy string + int key + empty key + null': written({
    legacy: 'LEG',
    int: entry(5),
    empty: entry(''),
    none: null,
  }),
  'started without the file': {
    edit: (path) => {
      rmSync(path, { force: true });
    },
    event: 'no-file-at-start',
    isStart: true,
  },
  'file appears later': { ...written({ z: entry('KZ') }), isStart: true },
};

export interface KeyFileDifference {
  readonly step: string;
  readonly key: string;
  /** HTTP status that the Python server gave. */
  readonly theirs: number;
  readonly ours: number;
  readonly reason: string;
}

const AT_ONCE = 'a changed tier counts at once, also where the keys are the same';
const ANY_TIME = 'whatever its modification time, a changed file counts';

/** Deliberate: every change counts at once, and no key answers 500. */
export const KEY_FILE_DIFFERENCES: readonly KeyFileDifference[] = [
  { step: 'tiers swapped only (a->0, b->100)', key: 'KA', theirs: 200, ours: 403, reason: AT_ONCE },
  { step: 'tiers swapped only (a->0, b->100)', key: 'KB', theirs: 403, ours: 200, reason: AT_ONCE },
  ...['fixed, but with the SAME mtime', 'fixed, but with an OLDER mtime (restored backup, cp -p)'].flatMap(
    (step) => [
      { step, key: 'KC2', theirs: 200, ours: 401, reason: ANY_TIME },
      { step, key: 'KZ', theirs: 401, ours: 200, reason: ANY_TIME },
    ],
  ),
  {
    step: 'legacy string + int key + empty key + null',
    key: '',
    theirs: 500,
    ours: 401,
    reason: 'no key answers 500',
  },
];
