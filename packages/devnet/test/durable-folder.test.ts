import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeTemporaryFolder } from '@ptn-api/testkit';
import t from 'tap';
import { DurableFolder, isFileError } from '../dist/validator/durable-folder.js';
import { FailingCalls, contentsOf } from './validator-fixture.ts';

const DRAFTS = 'validation/tmp';

function draftsIn(root: string): string[] {
  return existsSync(join(root, DRAFTS)) ? readdirSync(join(root, DRAFTS)) : [];
}

void t.test('what is written can be read, listed and removed', (t) => {
  const root = makeTemporaryFolder(t);
  const folder = new DurableFolder(root);
  t.equal(folder.read('a/b'), undefined);
  t.strictSame(folder.list('a'), []);
  folder.write('a/b', 'one');
  folder.write('a/b', 'two');
  folder.write('a/c', 'three');
  t.equal(folder.read('a/b'), 'two');
  t.strictSame(folder.list('a'), ['b', 'c']);
  folder.remove('a/b');
  t.equal(folder.read('a/b'), undefined);
  t.throws(
    () => {
      folder.remove('a/b');
    },
    { code: 'ENOENT' },
  );
  t.throws(() => folder.read('a'), { code: 'EISDIR' }, 'only absence is no error');
  t.throws(() => folder.list('a/c'), { code: 'ENOTDIR' });
  folder.write('a/d/e', Uint8Array.of(102, 111, 117, 114));
  t.equal(folder.read('a/d/e'), 'four');
  folder.removeTree('a');
  folder.removeTree('a');
  t.strictSame(folder.list('a'), []);
  t.strictSame(draftsIn(root), []);
  t.end();
});

void t.test('content and folder are synced before a commit returns', (t) => {
  const calls = new FailingCalls();
  const names: string[] = [];
  calls.fails = (_number, name) => {
    names.push(name);
    return false;
  };
  const root = makeTemporaryFolder(t);
  const folder = new DurableFolder(root, { calls: calls.calls });
  folder.write('a', '1');
  names.length = 0;
  folder.write('a', '2');
  const [written, renamed] = [names.indexOf('writeFileSync'), names.indexOf('renameSync')];
  const synced = names.flatMap((name, index) => (name === 'fsyncSync' ? [index] : []));
  t.equal(synced.length, 2);
  t.ok(
    written < (synced[0] ?? 0) && (synced[0] ?? 0) < renamed && renamed < (synced[1] ?? 0),
    names.join(' '),
  );
  new DurableFolder(root, { calls: calls.calls, isDurable: false }).write('a', '3');
  t.equal(names.filter((name) => name === 'fsyncSync').length, 2, 'but for simulations');
  t.equal(readFileSync(join(root, 'a'), 'utf8'), '3');
  t.end();
});

void t.test('whichever call fails, all is done or nothing', (t) => {
  const before = { 'open/1': 'old', 'open/2': 'gone soon' };
  const after = { 'closed/2': 'new', 'open/1': 'newer' };
  let number = 1;
  for (; ; number += 1) {
    const root = makeTemporaryFolder(t);
    const calls = new FailingCalls();
    const folder = new DurableFolder(root, { calls: calls.calls });
    for (const [path, text] of Object.entries(before)) folder.write(`x/${path}`, text);
    const first = calls.made;
    calls.fails = (made) => made === first + number;
    const changes = {
      write: [
        { path: 'x/open/1', text: 'newer' },
        { path: 'x/closed/2', text: 'new' },
      ],
      remove: ['x/open/2'],
    };
    let isDone = true;
    try {
      folder.commit(changes);
    } catch (error) {
      if (!isFileError(error)) throw error;
      isDone = false;
    }
    t.strictSame(contentsOf(root, 'x'), isDone ? after : before, `call ${number} of ${calls.made - first}`);
    const hasFailed = calls.made >= first + number;
    calls.fails = () => false;
    if (!isDone) {
      folder.commit(changes);
      t.strictSame(contentsOf(root, 'x'), after, 'and the next time it is done');
    }
    folder.removeDrafts();
    t.strictSame(draftsIn(root), []);
    if (!hasFailed) break;
  }
  t.ok(number > 20, `${number} calls`);
  t.end();
});

void t.test('what cannot even be undone is undone by the next commit', (t) => {
  const root = makeTemporaryFolder(t);
  const calls = new FailingCalls();
  const folder = new DurableFolder(root, { calls: calls.calls });
  folder.write('x/1', 'old');
  let isBroken = false;
  // From the first sync of a folder on, nothing goes any more.
  calls.fails = (_number, name) => {
    if (name === 'openSync' && isRenamed(root)) isBroken = true;
    return isBroken;
  };
  const changes = { write: [{ path: 'x/1', text: 'new' }], remove: [] };
  t.throws(
    () => {
      folder.commit(changes);
    },
    { code: 'ENOSPC' },
  );
  t.strictSame(contentsOf(root, 'x'), { 1: 'new' }, 'it is half done');
  t.throws(
    () => {
      folder.write('y', 'other');
    },
    { code: 'ENOSPC' },
    'nothing else is written before',
  );
  calls.fails = () => false;
  folder.write('y', 'other');
  t.strictSame(contentsOf(root, 'x'), { 1: 'old' });
  t.equal(folder.read('y'), 'other');
  t.end();
});

function isRenamed(root: string): boolean {
  return readFileSync(join(root, 'x/1'), 'utf8') === 'new';
}

void t.test('drafts of a process that was killed are removed', (t) => {
  const root = makeTemporaryFolder(t);
  mkdirSync(join(root, DRAFTS), { recursive: true });
  writeFileSync(join(root, DRAFTS, 'half'), '{');
  new DurableFolder(root).removeDrafts();
  t.strictSame(draftsIn(root), []);
  t.end();
});
