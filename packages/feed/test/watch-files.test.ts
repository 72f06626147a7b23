import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { waitFor } from '@ptn-api/testkit';
import { watchFiles } from '../dist/watch/watch-files.js';
import { makeFolder, recordingLog } from './watch-fixture.ts';

// Most of the time is spent waiting for silence.
t.jobs = 2;

const NO_POLL_MS = 3_600_000;

for (const { name, mode, pollMs } of [
  { name: 'inotify alone', mode: 'auto', pollMs: NO_POLL_MS },
  { name: 'the poll alone', mode: 'poll', pollMs: 20 },
] as const) {
  void t.test(`by ${name}`, { buffered: true }, async (t) => {
    const { base } = makeFolder(t);
    const { log, lines } = recordingLog();
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
    /** Makes a change and waits until it is told, and nothing else is. */
    const tells = async (path: string, change: () => void): Promise<void> => {
      // What changed a moment ago is told once more by the poll, which must not be taken for the new change.
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
    t.strictSame(lines, []);
  });
}

void t.test('other files beside the watched ones are not told', async (t) => {
  const { base } = makeFolder(t);
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
  const { base } = makeFolder(t);
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
