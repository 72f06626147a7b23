import { existsSync, mkdirSync, renameSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { waitFor } from '@ptn-api/testkit';
import { isFresh } from '@ptn-api/watch/file-stamp';
import { SweptTree } from '../dist/swept-tree.js';
import type { SweepChanges } from '../dist/swept-tree.js';
import { KINDS, makeFolder } from './watch-fixture.ts';
import type { Folder } from './watch-fixture.ts';

function sweep(tree: SweptTree): SweepChanges {
  const all: SweepChanges = { hints: [], directories: [], removed: [], unreadable: [], links: [] };
  tree.sweep(({ hints, directories, removed, unreadable }) => {
    all.hints.push(...hints);
    all.directories.push(...directories);
    all.removed.push(...removed);
    all.unreadable.push(...unreadable);
  });
  return all;
}

function isEmpty({ hints, directories, removed, unreadable }: SweepChanges): boolean {
  return hints.length + directories.length + removed.length + unreadable.length === 0;
}

/** Waits until the last changes are so old that a sweep is sure of them. */
async function settle(tree: SweptTree): Promise<void> {
  await waitFor(() => isEmpty(sweep(tree)), { what: 'a sweep without changes' });
}

void t.test('the first sweep finds everything new, parents before children', (t) => {
  const folder = makeFolder(t);
  folder.write('a/b/one');
  folder.write('stray');
  const tree = new SweptTree(folder.root, KINDS);
  const found = sweep(tree);
  t.strictSame(found.directories, ['', 'a', 'a/b']);
  t.strictSame(found.hints.sort(), ['a/b/one', 'stray']);
  t.match({ directories: tree.directories, files: tree.files }, { directories: 3, files: 2 });
  t.end();
});

const name = fc.constantFrom('a', 'b', 'c');
const change = fc.record({
  kind: fc.constantFrom('put', 'remove', 'remove-directory', 'replace-directory'),
  path: fc.tuple(name, name, name).map((parts) => parts.join('/')),
});

/** Applies the change and returns the files that it touches. */
function apply(folder: Folder, files: Set<string>, { kind, path }: { kind: string; path: string }): string[] {
  const directory = path.slice(0, path.lastIndexOf('/'));
  if (kind === 'put') {
    folder.put(path, `${Math.random()}`);
    files.add(path);
    return [path];
  }
  const touched = [...files].filter((file) =>
    kind === 'remove' ? file === path : file.startsWith(`${directory}/`),
  );
  if (touched.length === 0) return [];
  for (const file of touched) files.delete(file);
  folder.remove(kind === 'remove' ? path : directory);
  if (kind === 'replace-directory') {
    folder.put(path);
    files.add(path);
    return [...touched, path];
  }
  return touched;
}

void t.test('whatever changed is in the next sweep, and nothing else', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(change, { minLength: 1, maxLength: 8 }), { maxLength: 4 }),
      async (rounds) => {
        const folder = makeFolder(t);
        const files = new Set<string>();
        const tree = new SweptTree(folder.root, KINDS);
        for (const changes of rounds) {
          await settle(tree);
          const touched = new Set(changes.flatMap((one) => apply(folder, files, one)));
          const found = new Set(sweep(tree).hints);
          // A file that came and went in between may go without a hint: nobody can have known it.
          const known = [...touched].filter((path) => files.has(path));
          if (!known.every((path) => found.has(path))) return false;
          if (![...found].every((path) => touched.has(path))) return false;
        }
        return true;
      },
    ),
    { numRuns: 15 },
  );
});

void t.test('every file that is gone is hinted, with its directory or alone', async (t) => {
  const folder = makeFolder(t);
  for (const path of ['a/b/one', 'a/b/two', 'a/c/three', 'd/four']) folder.write(path);
  const tree = new SweptTree(folder.root, KINDS);
  sweep(tree);
  await settle(tree);
  folder.remove('a');
  folder.remove('d/four');
  const found = sweep(tree);
  t.strictSame(found.hints.sort(), ['a/b/one', 'a/b/two', 'a/c/three', 'd/four']);
  t.strictSame(found.removed.sort(), ['a', 'a/b', 'a/c']);
  t.match({ directories: tree.directories, files: tree.files }, { directories: 2, files: 0 });
});

void t.test(
  'a directory that was replaced by an equal one is reported as new, as its watch is dead',
  async (t) => {
    const folder = makeFolder(t);
    folder.makeDirectory('a/b');
    const tree = new SweptTree(folder.root, KINDS);
    sweep(tree);
    await settle(tree);
    folder.remove('a/b');
    folder.makeDirectory('a/b');
    t.strictSame(sweep(tree).directories, ['a/b']);
  },
);

for (const { kind, path, rewrite } of [
  { kind: 'a file written in place', path: 'a/one', rewrite: writeFileSync },
  {
    kind: 'a new file',
    path: 'a/two',
    rewrite: (_: string, content: string, folder: Folder) => {
      folder.write('a/two', content);
    },
  },
]) {
  void t.test(
    `${kind} in the tick of the clock in which the sweep looked is found by a later one`,
    async (t) => {
      const folder = makeFolder(t);
      folder.write('a/one', '1');
      const tree = new SweptTree(folder.root, KINDS);
      sweep(tree);
      await settle(tree);
      // Newer kernels stamp a change after a look finer than by ticks, so the like times are set.
      const now = Date.now() / 1000;
      const setTimes = (): void => {
        for (const one of ['a', path]) {
          if (existsSync(folder.absolute(one))) utimesSync(folder.absolute(one), now, now);
        }
      };
      writeFileSync(folder.absolute('a/one'), '2');
      setTimes();
      sweep(tree);
      rewrite(folder.absolute('a/one'), '3', folder);
      setTimes();
      await waitFor(() => sweep(tree).hints.includes(path), { what: 'the change' });
      await settle(tree);
    },
  );
}

void t.test('a file that is written in place is found within 20 sweeps', async (t) => {
  const folder = makeFolder(t);
  folder.write('a/one', '1');
  const tree = new SweptTree(folder.root, KINDS);
  sweep(tree);
  await settle(tree);
  writeFileSync(folder.absolute('a/one'), '2');
  const hints = Array.from({ length: 20 }, () => sweep(tree).hints).flat();
  t.ok(hints.includes('a/one'));
});

void t.test('a directory that became a link to a like one is gone with all below it', async (t) => {
  const folder = makeFolder(t);
  folder.write('a/b/one');
  const tree = new SweptTree(folder.root, KINDS);
  sweep(tree);
  await settle(tree);
  renameSync(folder.absolute('a'), join(folder.base, 'away'));
  symlinkSync(join(folder.base, 'away'), folder.absolute('a'));
  const found = sweep(tree);
  t.strictSame(found.hints, ['a/b/one']);
  t.strictSame(found.removed, ['a', 'a/b']);
  writeFileSync(join(folder.base, 'away/b/two'), 'x');
  await settle(tree);
  t.equal(tree.files, 0);
});

void t.test('a file that became a link or a directory is hinted as gone', async (t) => {
  const folder = makeFolder(t);
  folder.write('a/one');
  folder.write('a/two');
  const tree = new SweptTree(folder.root, KINDS);
  sweep(tree);
  await settle(tree);
  folder.remove('a/one');
  symlinkSync(folder.absolute('a/two'), folder.absolute('a/one'));
  folder.remove('a/two');
  mkdirSync(folder.absolute('a/two'));
  t.strictSame(sweep(tree).hints.sort(), ['a/one', 'a/two']);
});

void t.test('what others learned is reported when it is gone', (t) => {
  const folder = makeFolder(t);
  const tree = new SweptTree(folder.root, KINDS);
  sweep(tree);
  tree.learn(['x', 'x/y'], ['x/y/one']);
  const found = sweep(tree);
  t.strictSame(found.hints, ['x/y/one']);
  t.strictSame(found.removed, ['x', 'x/y']);
  t.equal(tree.directories, 1);
  t.end();
});

void t.test(
  'a directory that may not be read is reported once, and found when it may',
  { skip: process.getuid?.() === 0 ? false : 'only root can take and give rights here' },
  (t) => {
    const folder = makeFolder(t);
    folder.write('a/one');
    const tree = new SweptTree(folder.root, KINDS);
    const asNobody = (run: () => SweepChanges): SweepChanges => {
      process.seteuid?.(65534);
      try {
        return run();
      } finally {
        process.seteuid?.(0);
      }
    };
    const refused = asNobody(() => sweep(tree));
    t.strictSame(refused.unreadable, [{ path: '', code: 'EACCES' }]);
    t.strictSame(asNobody(() => sweep(tree)).unreadable, []);
    t.strictSame(sweep(tree).hints, ['a/one']);
    t.end();
  },
);

void t.test(
  'a modification time is fresh for a few ticks, and for a second where only seconds are kept',
  (t) => {
    const nowMs = 1_700_000_000_900;
    const at = (ms: number): bigint => BigInt(ms) * 1_000_000n + 1n;
    t.ok(isFresh(at(nowMs - 40), nowMs));
    t.ok(isFresh(at(nowMs + 2), nowMs), 'a change between the look at the clock and the look at the file');
    t.notOk(isFresh(at(nowMs - 60), nowMs));
    t.notOk(isFresh(at(nowMs + 3_600_000), nowMs), 'a clock that was set back');
    t.ok(isFresh(1_700_000_000_000_000_000n, nowMs));
    t.notOk(isFresh(1_700_000_000_000_000_000n, nowMs + 1000));
    t.end();
  },
);
