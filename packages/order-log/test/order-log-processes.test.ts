import { execFileSync, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { open } from 'lmdb';
import t from 'tap';
import { openOrderLogReader } from '../dist/order-log-reader.js';
import type { OrderLogState } from '../dist/order-log.js';
import {
  killed,
  LOG_PROCESS,
  logPath,
  message,
  openReader,
  openWriter,
  order,
  startProcess,
} from './order-log-fixture.ts';

interface Appended {
  readonly last: number;
  readonly uuids: readonly string[];
}

void t.test(
  'a writer that is killed while it appends, 20 times, loses, repeats and skips nothing',
  async (t) => {
    const path = logPath(t);
    const acknowledged = new Map<number, string>();
    for (let round = 0; round < 20; round++) {
      const child = fork(LOG_PROCESS, ['append', path]);
      let left = 3 + round * 2;
      await new Promise<void>((enough) => {
        child.on('message', ({ last, uuids }: Appended) => {
          uuids.forEach((uuid, index) => acknowledged.set(last - 2 + index, uuid));
          if (--left === 0) enough();
        });
      });
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    }
    const { writer, lines } = await openWriter(path);
    t.strictSame(lines, []);
    const messages = openReader(t, path).read(0, 1_000_000);
    t.strictSame(
      messages.map(({ sequence }) => sequence),
      messages.map((_, index) => index + 1),
    );
    const uuids = messages.map(({ bytes }) => /"uuid":"([^"]+)"/.exec(Buffer.from(bytes).toString())?.[1]);
    t.equal(new Set(uuids).size, messages.length);
    t.equal(messages.length % 3, 0, 'an append is in as a whole or not at all');
    t.ok(acknowledged.size >= 20 * 9);
    for (const [sequence, uuid] of acknowledged)
      if (uuids[sequence - 1] !== uuid) t.equal(uuids[sequence - 1], uuid);
    t.equal(writer.state().last, messages.length);
    await writer.close();
  },
);

void t.test('a reader sees what another process committed, at once', async (t) => {
  const path = logPath(t);
  const child = startProcess(t, 'append', path);
  let { last } = await message<Appended>(child);
  const reader = openReader(t, path);
  for (let round = 0; round < 50; round++) {
    t.ok(reader.state().last >= last);
    t.equal(reader.read(last - 1, 1)[0]?.sequence, last);
    ({ last } = await message<Appended>(child));
  }
});

void t.test('a reader outlives the writer that it read from, and reads from the next', async (t) => {
  const path = logPath(t);
  const first = startProcess(t, 'append', path);
  await message(first);
  const reader = openReader(t, path);
  await killed(first);
  const { last } = reader.state();
  const second = startProcess(t, 'append', path);
  const said = await message<Appended>(second);
  // Readers see a commit once its writer has said so to them. Killed between the two, it is the next writer who does:
  // then there are three more.
  t.ok([last + 3, last + 6].includes(said.last), `${said.last} after ${last}`);
  const added = reader.read(last, said.last - last).map(({ sequence }) => sequence);
  t.same(
    added,
    Array.from({ length: said.last - last }, (_, index) => last + 1 + index),
  );
});

void t.test('nothing is committed while a process opens the log, until it has or is killed', async (t) => {
  const path = logPath(t);
  const writing = startProcess(t, 'append', path);
  await message(writing);
  const opening = fork(LOG_PROCESS, ['lock-openings', path], { silent: true });
  t.teardown(() => killed(opening));
  if (opening.stdout) await once(opening.stdout, 'data');
  const reading = startProcess(t, 'read', path);
  let said = 0;
  let before: number;
  writing.on('message', () => said++);
  reading.on('message', () => said++);
  // What was said before is still on its way.
  do {
    before = said;
    await setTimeout(200);
  } while (said > before);
  const [appended, read] = [message<Appended>(writing), message<OrderLogState>(reading)];
  await killed(opening);
  const { last } = await appended;
  t.ok((await read).last >= last - 3);
});

void t.test('orders that were acknowledged stay, however often the log is opened meanwhile', async (t) => {
  const path = logPath(t);
  const writing = startProcess(t, 'append', path);
  const acknowledged: string[] = [];
  writing.on('message', ({ uuids }: Appended) => acknowledged.push(...uuids));
  await message(writing);
  for (let opened = 0; opened < 200; opened++) {
    await openOrderLogReader({ path }).close();
    if (opened % 20 === 0) await setImmediate();
  }
  await message(writing);
  await killed(writing);
  const { writer, lines } = await openWriter(path);
  t.strictSame(lines, []);
  t.strictSame(
    acknowledged.filter((uuid) => !writer.isKnown(uuid)),
    [],
  );
  await writer.close();
});

const noLocks = existsSync('/proc/locks') ? false : 'the system does not say who locks which file';

void t.test('who opens the log again keeps the locks that it has', { skip: noLocks }, async (t) => {
  const path = logPath(t);
  const { writer } = await openWriter(path);
  const locksHeld = (): boolean[] => {
    const locks = readFileSync('/proc/locks', 'utf8');
    return ['lock.mdb', 'opening-lock-lock'].map((name) =>
      new RegExp(` ${process.pid} \\S+:${statSync(join(path, name)).ino} `).test(locks),
    );
  };
  t.strictSame(locksHeld(), [true, true]);
  const reader = openOrderLogReader({ path });
  t.strictSame(locksHeld(), [true, true]);
  await reader.close();
  t.strictSame(locksHeld(), [true, true]);
  await writer.close();
  t.strictSame(locksHeld(), [false, false]);
});

void t.test('a damaged lock of openings is made anew by the next writer', async (t) => {
  const path = logPath(t);
  const file = join(path, 'opening-lock');
  const first = await openWriter(path);
  await first.writer.append([order('a')]);
  await first.writer.close();
  const sound = readFileSync(file);
  const damages = [
    Buffer.alloc(0),
    Buffer.from('no lock'),
    Buffer.alloc(sound.length),
    Buffer.alloc(sound.length, 'no lock at all'),
    sound.subarray(0, sound.length / 2),
    Buffer.from(sound).fill(0xff, 40, 48),
  ];
  for (const damage of damages) {
    writeFileSync(file, damage);
    const reader = openOrderLogReader({ path });
    t.equal(reader.state().last, 1);
    await reader.close();
    t.ok(readFileSync(file).equals(damage), 'who only reads leaves it alone');
    const { writer, lines } = await openWriter(path);
    t.strictSame(lines, []);
    t.ok(writer.isKnown('a'));
    await writer.close();
    t.ok(readFileSync(file).equals(sound));
  }
});

void t.test('a lock of openings that cannot be read is said', async (t) => {
  const path = logPath(t);
  const { writer } = await openWriter(path);
  await writer.close();
  const file = join(path, 'opening-lock');
  rmSync(file);
  mkdirSync(file);
  t.throws(() => openOrderLogReader({ path }), { code: 'EISDIR' });
  await t.rejects(openWriter(path), /opening-lock|EISDIR/);
  await t.rejects(openWriter(path), /opening-lock is no file: remove it/);
  rmSync(file, { recursive: true });
  const again = await openWriter(path);
  await again.writer.close();
});

void t.test('a second writer is refused, by the pid of the first', async (t) => {
  const path = logPath(t);
  const child = startProcess(t, 'hold', path);
  await message(child);
  await t.rejects(openWriter(path), { name: 'OrderLogInUseError', pid: child.pid });
  await killed(child);
  const { writer } = await openWriter(path);
  await t.rejects(openWriter(path), { name: 'OrderLogInUseError', pid: process.pid });
  t.match(await writer.append([order('a')]), { last: 1 });
  await writer.close();
  t.strictSame(
    readdirSync(path).filter((name) => name.startsWith('writer-')),
    [],
  );
});

void t.test('the lock of a process whose pid is used by another one now blocks nobody', async (t) => {
  const path = logPath(t);
  const first = await openWriter(path);
  await first.writer.close();
  writeFileSync(join(path, `writer-${process.ppid}-1.lock`), '');
  const { writer } = await openWriter(path);
  t.equal(readdirSync(path).filter((name) => name.startsWith('writer-')).length, 1);
  await writer.close();
});

void t.test('a lock file that an attempt of this process left keeps it from nothing', async (t) => {
  const path = logPath(t);
  const { writer } = await openWriter(path);
  const own = readdirSync(path).find((name) => name.startsWith('writer-')) ?? '';
  await writer.close();
  writeFileSync(join(path, own), '');
  const again = await openWriter(path);
  await t.rejects(openWriter(path), { name: 'OrderLogInUseError' }, 'one that writes still counts');
  await again.writer.close();
});

void t.test('a log that cannot be looked at is not taken for one that is missing', async (t) => {
  const path = logPath(t);
  const { writer } = await openWriter(path);
  await writer.close();
  const data = join(path, 'data.mdb');
  renameSync(data, `${data}.good`);
  symlinkSync(data, data);
  await t.rejects(openWriter(path), { code: 'ELOOP' });
  renameSync(`${data}.good`, data);
  const again = await openWriter(path);
  t.equal(again.writer.isNew, false);
  await again.writer.close();
});

void t.test('a reader that found no log to read leaves it to this process to write one', async (t) => {
  const path = logPath(t);
  const empty = open({ path, noSubdir: false });
  await empty.close();
  t.throws(() => openOrderLogReader({ path }), { name: 'OrderLogMissingError' });
  const { writer } = await openWriter(path);
  t.match(await writer.append([order('a')]), { last: 1 });
  await writer.close();
});

void t.test('of many that open it at the same time, at most one writes', async (t) => {
  const path = logPath(t);
  const children = Array.from({ length: 4 }, () => {
    const child = spawn(process.execPath, [LOG_PROCESS, 'hold', path], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    t.teardown(() => killed(child));
    return child;
  });
  const outcomes = await Promise.all(
    children.map((child) =>
      Promise.race([
        once(child, 'message').then(() => 'writes'),
        once(child, 'exit').then(([code]: unknown[]) => `ended with ${String(code)}`),
      ]),
    ),
  );
  t.ok(outcomes.filter((outcome) => outcome === 'writes').length <= 1, outcomes.join());
  t.ok(outcomes.filter((outcome) => outcome === 'ended with 1').length >= 3, outcomes.join());
});

interface Filled {
  readonly failed: string;
  readonly message: string;
  readonly last: number;
  readonly appended: number;
}

const skip = spawnSync('prlimit', ['--version']).status === 0 ? false : 'not installed: prlimit';

void t.test(
  'a full disk refuses an append as a whole; it succeeds when there is room',
  { skip },
  async (t) => {
    const path = logPath(t);
    // No file of the process may grow beyond 2 MB (in blocks of 512 or 1,024 bytes), until the limit is lifted.
    const child = spawn(
      'sh',
      ['-c', 'ulimit -S -f 4000; exec "$@"', 'sh', process.execPath, LOG_PROCESS, 'fill', path],
      {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      },
    );
    t.teardown(() => killed(child));
    const full = await message<Filled>(child);
    t.equal(full.failed, 'OrderLogWriteError');
    t.match(full.message, /disk is neither full nor read-only/);
    t.ok(full.appended > 10);
    t.equal(full.last, full.appended);
    execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited']);
    const exit = once(child, 'exit');
    child.send('again');
    t.match(await message(child), { last: full.last + 1 });
    t.strictSame(await exit, [0, null]);
    const reader = openOrderLogReader({ path });
    t.equal(reader.read(0, 1_000).length, full.last + 1);
    await reader.close();
  },
);
