import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import type { Test } from 'tap';
import { KeyRing } from '@ptn-api/access';
import type { KeyGrant } from '@ptn-api/access';
import { waitFor } from '@ptn-api/testkit';
import type { TestScope } from '@ptn-api/testkit';
import { StartError } from '../../runtime/dist/start-error.js';
import { watchKeyFile } from '../dist/key-file.js';
import type { KeyFile } from '../dist/key-file.js';

// Most of the time is spent waiting for the next look at the file.
t.jobs = 12;

function test(name: string, run: (t: Test) => Promise<void>): void {
  void t.test(name, { buffered: true }, run);
}

interface Line {
  readonly level: 'info' | 'warn' | 'error';
  readonly event: string;
  readonly text: string;
}

/** A key file that is watched, and what came of it. */
interface Watched {
  readonly keyFile: KeyFile;
  readonly lines: Line[];
  readonly changes: (readonly KeyGrant[])[];
  /** Waits until a key has a tier; `undefined` is an unknown key. */
  readonly sees: (key: string, tier: number | undefined) => Promise<void>;
  /** Waits for a line of this event, from line number `from` on. */
  readonly logs: (event: string, from?: number) => Promise<Line>;
}

function makeFolder(scope: TestScope): string {
  const folder = mkdtempSync(join(tmpdir(), 'ptn-keys-'));
  scope.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

function write(path: string, content: unknown): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 });
}

function replace(path: string, content: unknown): void {
  write(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

async function watched(
  scope: TestScope,
  paths: readonly [string, ...string[]],
  mode: 'auto' | 'poll' = 'auto',
  pollMs?: number,
): Promise<Watched> {
  const lines: Line[] = [];
  const changes: (readonly KeyGrant[])[] = [];
  const logAs =
    (level: Line['level']) =>
    (fields: unknown, text?: string): void => {
      lines.push({ level, event: (fields as { event: string }).event, text: text ?? '' });
    };
  const keyFile = await watchKeyFile({
    paths,
    mode,
    ...(pollMs !== undefined && { pollMs }),
    log: { info: logAs('info'), warn: logAs('warn'), error: logAs('error') },
    onChange: (grants) => changes.push(grants),
  });
  scope.teardown(() => keyFile.close());
  return {
    keyFile,
    lines,
    changes,
    sees: async (key, tier) => {
      await waitFor(() => new KeyRing(keyFile.grants).lookup(key, Date.now())?.tier === tier, {
        what: `a key file with ${key} at tier ${String(tier)}`,
      });
    },
    logs: (event, from = 0) =>
      waitFor(() => lines.slice(from).find((line) => line.event === event), {
        what: () => `a log line ${event} in ${JSON.stringify(lines)}`,
      }),
  };
}

async function startError(paths: readonly [string, ...string[]]): Promise<StartError> {
  try {
    await watched({ teardown: () => undefined }, paths);
  } catch (error) {
    if (error instanceof StartError) return error;
    throw error;
  }
  throw new Error('it started');
}

// --- start ----------------------------------------------------------------------------------------------------------

test('the keys are there from the start', async (t) => {
  const path = join(makeFolder(t), 'api_keys.json');
  write(path, { alice: { key: 'KA', tier: 30 }, broken: 5 });
  const { keyFile, lines, changes } = await watched(t, [path]);
  t.same(
    keyFile.grants.map(({ userId, tier }) => [userId, tier]),
    [['alice', 30]],
  );
  t.equal(keyFile.path, path);
  t.same(
    lines.map(({ level, event }) => [level, event]),
    [
      ['warn', 'keys-warning'],
      ['info', 'keys-read'],
    ],
  );
  t.same(changes, []);
});

test('no file at the start names the places where one may lie, first the one with a folder', async (t) => {
  const folder = makeFolder(t);
  const preferred = join(folder, 'vanta_api', 'api_keys.json');
  const other = join(folder, 'ptn_api', 'api_keys.json');
  const neither = await startError([preferred, other]);
  t.equal(neither.code, 'PTN_ERR_START_NO_KEYS');
  t.ok(neither.message.includes(`${other}: no such file, nor at ${preferred}`), neither.message);
  t.match(neither.message, /api_keys\.json\.example/);
  mkdirSync(dirname(preferred));
  t.ok(
    (await startError([preferred, other])).message.includes(`${preferred}: no such file, nor at ${other}`),
  );
});

const BAD_AT_START: readonly (readonly [name: string, make: (path: string) => void, detail: RegExp])[] = [
  [
    'broken JSON',
    (path) => {
      write(path, '{"alice": "secret-key"');
    },
    /not valid JSON/,
  ],
  [
    'a list',
    (path) => {
      write(path, ['secret-key']);
    },
    /a list/,
  ],
  [
    'a folder',
    (path) => {
      mkdirSync(path);
    },
    /not a file/,
  ],
  [
    'a link to itself',
    (path) => {
      symlinkSync(path, path);
    },
    /cannot be read.*ELOOP/,
  ],
  [
    'a named pipe',
    (path) => {
      execFileSync('mkfifo', [path]);
    },
    /not a file/,
  ],
];
for (const [name, make, detail] of BAD_AT_START) {
  test(`${name} in place of the file at the start is an error that says so`, async (t) => {
    const path = join(makeFolder(t), 'api_keys.json');
    make(path);
    const error = await startError([path]);
    t.equal(error.code, 'PTN_ERR_START_BAD_KEYS');
    t.ok(error.message.includes(path));
    t.match(error.message, detail);
    t.notMatch(error.message, /secret-key/);
  });
}

test('a file without a usable key is a start, with a warning', async (t) => {
  const path = join(makeFolder(t), 'api_keys.json');
  write(path, {});
  const { lines } = await watched(t, [path]);
  t.match(lines, [{ level: 'warn', event: 'keys-read', text: /no usable key/ }]);
});

// --- edits ----------------------------------------------------------------------------------------------------------

const BEFORE = { alice: 'KA' };
const AFTER = { alice: 'KB' };
const EDITS: readonly (readonly [name: string, edit: (path: string) => void])[] = [
  [
    'written in place',
    (path) => {
      write(path, AFTER);
    },
  ],
  [
    'replaced by renaming',
    (path) => {
      replace(path, AFTER);
    },
  ],
  [
    'removed and made again',
    (path) => {
      rmSync(path);
      write(path, AFTER);
    },
  ],
  [
    'written with the same size and modification time',
    (path) => {
      const { atime, mtime } = statSync(path);
      write(path, AFTER);
      utimesSync(path, atime, mtime);
    },
  ],
  [
    'replaced by one with an older modification time',
    (path) => {
      write(`${path}.old`, AFTER);
      utimesSync(`${path}.old`, 1_000_000_000, 1_000_000_000);
      renameSync(`${path}.old`, path);
    },
  ],
  [
    'replaced by a link to another file',
    (path) => {
      write(`${path}.b`, AFTER);
      symlinkSync(`${path}.b`, `${path}.link`);
      renameSync(`${path}.link`, path);
    },
  ],
];
for (const mode of ['auto', 'poll'] as const) {
  for (const [name, edit] of EDITS) {
    test(`${mode}: a file that is ${name} counts`, async (t) => {
      const path = join(makeFolder(t), 'api_keys.json');
      write(path, BEFORE);
      const { sees, changes, keyFile } = await watched(t, [path], mode);
      edit(path);
      await sees('KB', 100);
      await sees('KA', undefined);
      t.same(changes, [keyFile.grants]);
    });
  }

  test(`${mode}: a file behind a link counts, also when the link's target changes`, async (t) => {
    const folder = makeFolder(t);
    const path = join(folder, 'api_keys.json');
    write(join(folder, 'v1', 'keys'), BEFORE);
    write(join(folder, 'v2', 'keys'), AFTER);
    symlinkSync(join(folder, 'v1'), join(folder, 'current'));
    symlinkSync(join(folder, 'current', 'keys'), path);
    const { sees } = await watched(t, [path], mode);
    symlinkSync(join(folder, 'v2'), join(folder, 'next'));
    renameSync(join(folder, 'next'), join(folder, 'current'));
    await sees('KB', 100);
    write(join(folder, 'v2', 'keys'), { alice: 'KC' });
    await sees('KC', 100);
  });

  test(`${mode}: the last of 50 edits counts, and none is taken for broken`, async (t) => {
    const path = join(makeFolder(t), 'api_keys.json');
    write(path, BEFORE);
    const { sees, lines } = await watched(t, [path], mode);
    for (let edit = 1; edit <= 50; edit += 1) {
      (edit % 2 === 0 ? write : replace)(path, { alice: `K${edit}`, bob: 'x'.repeat(5000) });
      await delay(20);
    }
    await sees('K50', 100);
    t.same(
      lines.filter(({ level }) => level === 'error'),
      [],
    );
  });
}

test('notices make a change count long before the next look would', async (t) => {
  const path = join(makeFolder(t), 'api_keys.json');
  write(path, BEFORE);
  const { sees } = await watched(t, [path], 'auto', 2000);
  write(path, AFTER);
  await sees('KB', 100);
  const startMs = performance.now();
  for (let edit = 1; edit <= 8; edit += 1) {
    replace(path, { alice: `K${edit}` });
    await sees(`K${edit}`, 100);
  }
  // Looking alone takes two seconds for each but the first.
  t.ok(performance.now() - startMs < 10_000);
});

test('a folder in place of the file leaves the last good keys, until there is a file again', async (t) => {
  const path = join(makeFolder(t), 'api_keys.json');
  write(path, BEFORE);
  const { sees, logs } = await watched(t, [path]);
  rmSync(path);
  mkdirSync(path);
  t.match(await logs('keys-file-bad'), { level: 'error', text: /not a file/ });
  await sees('KA', 100);
  rmSync(path, { recursive: true });
  write(path, AFTER);
  await sees('KB', 100);
});

test('a file that cannot be read leaves the last good keys', async (t) => {
  const path = join(makeFolder(t), 'api_keys.json');
  write(path, BEFORE);
  const { sees, logs } = await watched(t, [path]);
  rmSync(path);
  symlinkSync(path, path);
  t.match(await logs('keys-file-bad'), { level: 'error', text: /cannot be read/ });
  await sees('KA', 100);
});

test('broken content is reported once, and again when it is broken in another way', async (t) => {
  const path = join(makeFolder(t), 'api_keys.json');
  write(path, BEFORE);
  const { sees, logs, lines } = await watched(t, [path]);
  write(path, '{"alice": "secret-key"');
  await logs('keys-file-bad');
  const told = lines.length;
  write(path, '{"alice": "secret-key",}');
  await logs('keys-file-bad', told);
  write(path, AFTER);
  await sees('KB', 100);
  t.equal(lines.filter(({ event }) => event === 'keys-file-bad').length, 2);
  t.notMatch(JSON.stringify(lines), /secret-key/);
});

test('a change that leaves the keys as they are is no change', async (t) => {
  const path = join(makeFolder(t), 'api_keys.json');
  write(path, BEFORE);
  const { logs, lines, changes } = await watched(t, [path]);
  const start = lines.length;
  write(path, JSON.stringify(BEFORE, null, 2));
  await logs('keys-read', start);
  t.same(changes, []);
});

// --- two places -----------------------------------------------------------------------------------------------------

test('the preferred place takes over when a file appears there, and is not left again', async (t) => {
  const folder = makeFolder(t);
  const newer = join(folder, 'vanta_api', 'api_keys.json');
  const older = join(folder, 'ptn_api', 'api_keys.json');
  write(older, { alice: 'OLD' });
  const { sees, logs, keyFile } = await watched(t, [newer, older]);
  t.equal(keyFile.path, older);
  write(newer, { alice: 'NEW' });
  await sees('NEW', 100);
  await sees('OLD', undefined);
  t.equal(keyFile.path, newer);
  rmSync(newer);
  await logs('keys-file-gone');
  await sees('NEW', 100);
  await sees('OLD', undefined);
});

test('of two files at the start the one in the preferred place counts', async (t) => {
  const folder = makeFolder(t);
  const newer = join(folder, 'vanta_api', 'api_keys.json');
  const older = join(folder, 'ptn_api', 'api_keys.json');
  write(newer, { alice: 'NEW' });
  write(older, { alice: 'OLD' });
  const { keyFile } = await watched(t, [newer, older]);
  t.equal(keyFile.path, newer);
});

// --- permissions ----------------------------------------------------------------------------------------------------

test('a file that others may read is reported once for each mode, with what to do', async (t) => {
  const path = join(makeFolder(t), 'api_keys.json');
  write(path, BEFORE);
  chmodSync(path, 0o644);
  const { lines, logs, sees } = await watched(t, [path]);
  t.match(lines[0], { level: 'warn', event: 'keys-file-open', text: /644.*chmod 600 / });
  write(path, AFTER);
  await sees('KB', 100);
  t.equal(lines.filter(({ event }) => event === 'keys-file-open').length, 1);
  const told = lines.length;
  chmodSync(path, 0o640);
  t.match(await logs('keys-file-open', told), { text: /640/ });
});

test('a file for its owner only is no warning', async (t) => {
  const path = join(makeFolder(t), 'api_keys.json');
  write(path, BEFORE);
  const { lines } = await watched(t, [path]);
  t.same(
    lines.map(({ event }) => event),
    ['keys-read'],
  );
});

// --- changes of the folder ------------------------------------------------------------------------------------------

const NEW_PLACE = 'vanta_api/api_keys.json';
const OLD_PLACE = 'ptn_api/api_keys.json';

function places(scope: TestScope): [preferred: string, other: string] {
  const folder = makeFolder(scope);
  return [join(folder, NEW_PLACE), join(folder, OLD_PLACE)];
}

test('a file that moves to a less preferred place is followed, as in a rollback', async (t) => {
  const [preferred, other] = places(t);
  write(preferred, { bob: 'KB', amy: 'KA' });
  const { sees, keyFile } = await watched(t, [preferred, other]);
  mkdirSync(dirname(other), { recursive: true });
  await delay(0);
  renameSync(preferred, other);
  await waitFor(() => keyFile.path === other, { what: 'the other place' });
  write(other, { amy: 'KA' });
  await sees('KB', undefined);
  write(preferred, { amy: 'KA2' });
  await sees('KA2', 100);
  t.equal(keyFile.path, preferred, 'the preferred place takes over again');
});

test('an old file in a less preferred place counts only when it changes after the other is gone', async (t) => {
  const [preferred, other] = places(t);
  write(preferred, { bob: 'KB' });
  write(other, { eve: 'revoked long ago' });
  const { sees, logs } = await watched(t, [preferred, other]);
  await logs('keys-read');
  // Looked at while the file in force is there.
  write(preferred, { bob: 'KB2' });
  await sees('KB2', 100);
  rmSync(preferred);
  await logs('keys-file-gone');
  await sees('KB2', 100);
  await sees('revoked long ago', undefined);
  write(other, { eve: 'added now' });
  await sees('added now', 100);
  await sees('KB2', undefined);
});

for (const [what, breakIt] of Object.entries<(path: string) => void>({
  'that is no JSON': (path) => {
    write(path, '{"broken');
  },
  'that is a folder': (path) => {
    mkdirSync(path, { recursive: true });
  },
})) {
  test(`a file in the preferred place ${what} leaves the one in force with its changes`, async (t) => {
    const [preferred, other] = places(t);
    write(other, { bob: 'KB', amy: 'KA' });
    const { sees, logs } = await watched(t, [preferred, other]);
    breakIt(preferred);
    await logs('keys-file-bad');
    write(other, { amy: 'KA' });
    await sees('KB', undefined);
    await sees('KA', 100);
  });
}
