import fs, { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { dirname, join } from 'node:path';
import t from 'tap';
import { makeTemporaryFolder, waitFor } from '@ptn-api/testkit';
import type { TestScope } from '@ptn-api/testkit';
import type { FileWatcherOptions } from '../dist/watch-files.js';
import { watchFiles } from '../dist/watch-files.js';

// Most of the time is spent waiting for silence.
t.jobs = 2;

const NO_POLL_MS = 3_600_000;

/** What was warned of, by path and error code. */
function recordingLog(): { log: FileWatcherOptions['log']; warnings: string[] } {
  const warnings: string[] = [];
  const warn = ({ path, err }: { path: string; err: NodeJS.ErrnoException }): void => {
    warnings.push(`${path} ${err.code ?? ''}`);
  };
  return { log: { warn }, warnings };
}

for (const { name, mode, pollMs } of [
  { name: 'inotify alone', mode: 'auto', pollMs: NO_POLL_MS },
  { name: 'the poll alone', mode: 'poll', pollMs: 20 },
] as const) {
  void t.test(`by ${name}`, { buffered: true }, async (t) => {
    const base = makeTemporaryFolder(t);
    const { log, warnings } = recordingLog();
    const file = join(base, 'file.json');
    const deep = join(base, 'not/yet/there.json');
    const folder = join(base, 'scores/miners');
    const changed = new Set<string>();
    let lastCallMs = 0;
    const watcher = watchFiles({
      paths: [file, deep, folder],
      mode,
      pollMs,
      log,
      onChange: (path) => {
        lastCallMs = performance.now();
        changed.add(path);
      },
    });
    t.teardown(() => watcher.close());

    const put = (path: string, content: string): void => {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(join(base, 'new'), content);
      renameSync(join(base, 'new'), path);
    };
    /** Makes a change and waits until it is reported, and nothing else is. */
    const tells = async (path: string, change: () => void): Promise<void> => {
      // What changed a moment ago is reported once more by the poll, which must not be taken for the new change.
      await waitFor(() => performance.now() - lastCallMs > 150, { what: 'an end of the calls' });
      changed.clear();
      change();
      await waitFor(() => changed.has(path), { what: `the change of ${path}` });
      t.strictSame([...changed], [path]);
    };

    await t.test('a file that appears', () =>
      tells(file, () => {
        put(file, 'one');
      }),
    );
    await t.test('replaced by rename', () =>
      tells(file, () => {
        put(file, 'two');
      }),
    );
    await t.test('written in place', () =>
      tells(file, () => {
        writeFileSync(file, 'thr');
      }),
    );
    await t.test('removed', () =>
      tells(file, () => {
        rmSync(file);
      }),
    );
    await t.test('there again', () =>
      tells(file, () => {
        put(file, 'two');
      }),
    );
    await t.test('in directories that did not exist', () =>
      tells(deep, () => {
        put(deep, 'one');
      }),
    );
    await t.test('replaced there', () =>
      tells(deep, () => {
        put(deep, 'two');
      }),
    );
    await t.test('its directory replaced', () =>
      tells(deep, () => {
        rmSync(join(base, 'not'), { recursive: true });
        put(deep, 'one');
      }),
    );
    await t.test('replaced there too', () =>
      tells(deep, () => {
        put(deep, 'two');
      }),
    );
    await t.test('a directory that appears', () =>
      tells(folder, () => {
        put(join(folder, 'a.json'), 'one');
      }),
    );
    await t.test('a file of a directory replaced', () =>
      tells(folder, () => {
        put(join(folder, 'a.json'), 'two');
      }),
    );
    await t.test('a file of a directory removed', () =>
      tells(folder, () => {
        rmSync(join(folder, 'a.json'));
      }),
    );
    await t.test('a directory removed', () =>
      tells(folder, () => {
        rmSync(folder, { recursive: true });
      }),
    );
    t.strictSame(warnings, []);
  });
}

void t.test('other files beside the watched ones are not told', async (t) => {
  const base = makeTemporaryFolder(t);
  const watched = join(base, 'watched.json');
  const changed: string[] = [];
  const watcher = watchFiles({
    paths: [watched],
    mode: 'auto',
    pollMs: 20,
    log: recordingLog().log,
    onChange: (path) => changed.push(path),
  });
  t.teardown(() => watcher.close());
  writeFileSync(join(base, 'watched.json.new'), 'x');
  mkdirSync(join(base, 'miners/a'), { recursive: true });
  writeFileSync(join(base, 'miners/a/b'), 'x');
  writeFileSync(watched, 'x');
  await waitFor(() => changed.length > 0, { what: 'the change' });
  t.strictSame([...new Set(changed)], [watched]);
});

void t.test('many writes in place are told together', async (t) => {
  const base = makeTemporaryFolder(t);
  const path = join(base, 'large.json');
  let calls = 0;
  const watcher = watchFiles({
    paths: [path],
    mode: 'auto',
    pollMs: NO_POLL_MS,
    log: recordingLog().log,
    onChange: () => {
      calls += 1;
    },
  });
  t.teardown(() => watcher.close());
  for (let part = 0; part < 100; part += 1) writeFileSync(path, 'x', { flag: 'a' });
  await waitFor(() => calls > 0, { what: 'the change' });
  t.equal(calls, 1);
});

/** Makes the system refuse every watch, until what this returns is called. */
function refuseWatches(scope: TestScope, code: string): () => void {
  const { watch } = fs;
  fs.watch = ((path: string) => {
    throw Object.assign(new Error(`${code}: watch '${path}'`), { code });
  }) as typeof watch;
  syncBuiltinESMExports();
  const allow = (): void => {
    fs.watch = watch;
    syncBuiltinESMExports();
  };
  scope.teardown(allow);
  return allow;
}

void t.test(
  'where the system refuses a watch, one warning is logged and the poll finds changes',
  async (t) => {
    const base = makeTemporaryFolder(t);
    const path = join(base, 'file.json');
    const { log, warnings } = recordingLog();
    const changed: string[] = [];
    const allow = refuseWatches(t, 'ENOSPC');
    const watcher = watchFiles({
      paths: [path],
      mode: 'auto',
      pollMs: 20,
      log,
      onChange: (at) => changed.push(at),
    });
    t.teardown(() => watcher.close());
    await waitFor(() => warnings.length > 0, { what: 'the warning' });
    writeFileSync(path, 'x');
    await waitFor(() => changed.length > 0, { what: 'the change' });
    t.strictSame(warnings, [`${base} ENOSPC`]);
    allow();
    let watches = 0;
    const { watch } = fs;
    fs.watch = ((...args: Parameters<typeof watch>) => {
      watches += 1;
      return watch(...args);
    }) as typeof watch;
    syncBuiltinESMExports();
    await waitFor(() => watches > 0, { what: 'a watch, once the system grants it' });
  },
);

void t.test('a file that cannot be checked is warned of once, and its repair is a change', async (t) => {
  const path = join(makeTemporaryFolder(t), 'file.json');
  symlinkSync(path, path);
  const { log, warnings } = recordingLog();
  const changed: string[] = [];
  const watcher = watchFiles({
    paths: [path],
    mode: 'poll',
    pollMs: 20,
    log,
    onChange: (at) => changed.push(at),
  });
  t.teardown(() => watcher.close());
  rmSync(path);
  writeFileSync(path, 'x');
  await waitFor(() => changed.length > 0, { what: 'the change' });
  t.strictSame(warnings, [`${path} ELOOP`]);
});
