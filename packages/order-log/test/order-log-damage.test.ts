import { spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { open } from 'lmdb';
import t from 'tap';
import type { Test } from 'tap';
import { isDamage, OrderLogDamagedError } from '../dist/errors.js';
import { openLog } from '../dist/environment.js';
import { checkLog } from '../dist/log-check.js';
import { encodeDelta, NO_BASE } from '../dist/deltas.js';
import { deltaKey, encodeMeta, META_KEY } from '../dist/records.js';
import type { LogMeta } from '../dist/records.js';
import { openOrderLogReader } from '../dist/order-log-reader.js';
import { LOG_PROCESS, logPath, openReader, openWriter, order, orders } from './order-log-fixture.ts';

const PAGE_BYTES = 4_096;
const RESERVED = 10_000;
const noLimit = process.platform === 'linux' ? false : 'no limit of the address space here';

/** A log of small and large messages, some of them pruned, so that there are pages of every kind. */
async function madeLog(t: Test): Promise<string> {
  const path = logPath(t);
  const { writer } = await openWriter(path);
  for (let round = 0; round < 6; round++) {
    await writer.append(orders(`small-${round}`, 40));
    await writer.append(orders(`large-${round}`, 3, { position: JSON.stringify('x'.repeat(9_000)) }));
  }
  await writer.prune(1_000, { maxAgeMs: 1_000, maxCount: 100, maxBytes: Infinity });
  await writer.close();
  return path;
}

const LAST = 6 * 43;

/** Either the damage is in no page in use, and nothing is lost; or all is new, above every number that was used. */
async function checkReopened(
  t: Test,
  path: string,
  epoch: string,
  name: string,
): Promise<'kept' | 'replaced'> {
  const { writer, lines } = await openWriter(path, 3);
  const state = writer.state();
  await writer.append(orders('after', 50, { position: JSON.stringify('y'.repeat(9_000)) }));
  await writer.close();
  if (state.epoch === epoch) {
    t.equal(state.last, LAST, name);
    t.strictSame(lines, [], name);
    return 'kept';
  }
  t.equal(state.last, RESERVED, name);
  t.equal(writer.isNew, true, name);
  t.match(lines, [{ event: 'order-log-damaged', level: 50, reason: String }], name);
  return 'replaced';
}

function epochOf(path: string): string {
  return (JSON.parse(readFileSync(`${path}.high-water.json`, 'utf8')) as { epoch: string }).epoch;
}

void t.test('a log cut short, at any length, is moved aside or whole', async (t) => {
  const path = await madeLog(t);
  const epoch = epochOf(path);
  const file = join(path, 'data.mdb');
  const whole = readFileSync(file);
  const mark = readFileSync(`${path}.high-water.json`);
  const lengths = [
    0,
    1,
    100,
    PAGE_BYTES,
    PAGE_BYTES + 1,
    2 * PAGE_BYTES,
    3 * PAGE_BYTES + 7,
    whole.length >> 1,
  ];
  for (const length of [...lengths, whole.length - 10 * PAGE_BYTES - 5]) {
    writeFileSync(file, whole);
    writeFileSync(`${path}.high-water.json`, mark);
    truncateSync(file, length);
    t.equal(await checkReopened(t, path, epoch, `${length} of ${whole.length}`), 'replaced', `at ${length}`);
  }
});

/** What is there in place of a page. */
function garbage(page: number, seed: number): Buffer {
  return Buffer.from(
    Array.from({ length: PAGE_BYTES }, (_, index) => ((page * PAGE_BYTES + index) * 7919 + seed) & 0xff),
  );
}

void t.test('a log with garbage in a page is moved aside or whole, whichever page', async (t) => {
  const path = await madeLog(t);
  const epoch = epochOf(path);
  const file = join(path, 'data.mdb');
  const whole = readFileSync(file);
  const mark = readFileSync(`${path}.high-water.json`);
  const pages = whole.length / PAGE_BYTES;
  const step = Math.max(1, Math.floor(pages / 24));
  const spoilt = Array.from({ length: Math.ceil(pages / step) }, (_, index) => [index * step, index * step]);
  // These read as keys that are too long for the engine's library: it ends in whichever way.
  for (const page of [2, 3, 5, 9, 22]) spoilt.push([page, 0x78]);
  const outcomes: string[] = [];
  for (const [page = 0, seed = 0] of spoilt) {
    writeFileSync(file, whole);
    const fd = openSync(file, 'r+');
    writeSync(fd, garbage(page, seed), 0, PAGE_BYTES, page * PAGE_BYTES);
    closeSync(fd);
    rmSync(join(path, 'lock.mdb'), { force: true });
    writeFileSync(`${path}.high-water.json`, mark);
    outcomes.push(await checkReopened(t, path, epoch, `page ${page} of ${pages}, seed ${seed}`));
  }
  t.ok(outcomes.includes('replaced'));
});

void t.test('what is in a log is told from what the system refuses', (t) => {
  const errorOf = (code?: number) =>
    Object.assign(new Error('of the engine'), code !== undefined && { code });
  const [ofPage, ofPermission, ofMemory, ofMap] = [-30796, 13, 12, -30792].map(errorOf);
  for (const error of [errorOf(), new OrderLogDamagedError(''), ofPage]) t.equal(isDamage(error), true);
  for (const error of [ofPermission, ofMemory, ofMap]) t.equal(isDamage(error), false);
  t.equal(isDamage(new RangeError('Array buffer allocation failed')), false);
  t.equal(isDamage(Object.assign(new Error(), { code: 'ERR_MEMORY_ALLOCATION_FAILED' })), false);
  t.end();
});

void t.test('a log that halts whoever reads it is damaged', async (t) => {
  const path = await madeLog(t);
  t.same(await checkLog(path), { result: 'sound', isEmpty: false });
  const { environment } = openLog(path, { readOnly: false });
  // Whoever writes waits for the end of this.
  let end = (): void => undefined;
  const writing = environment.transactionSync(() => new Promise<void>((resolve) => (end = resolve)));
  t.same(await checkLog(path, 500), { result: 'damaged', reason: 'reading it got nowhere for 0.5 s' });
  end();
  await writing;
  await environment.close();
});

void t.test('a damaged log is moved to a folder beside it, byte by byte', async (t) => {
  const path = await madeLog(t);
  const garbage = Buffer.from('this is no database, '.repeat(1_000));
  writeFileSync(join(path, 'data.mdb'), garbage);
  const { writer, lines } = await openWriter(path);
  const aside = readdirSync(dirname(path)).find((name) => name.startsWith('orders.damaged-'));
  t.ok(aside);
  const movedTo = join(dirname(path), aside ?? '');
  t.match(lines, [{ movedTo }]);
  t.ok(readFileSync(join(movedTo, 'data.mdb')).equals(garbage));
  await writer.close();
});

void t.test('a log that the system lets nobody open is not taken for damaged', async (t) => {
  const path = await madeLog(t);
  const epoch = epochOf(path);
  const lock = join(path, 'lock.mdb');
  rmSync(lock);
  mkdirSync(lock);
  t.throws(() => openOrderLogReader({ path }), { name: 'OrderLogLockFileError' });
  await t.rejects(openWriter(path), { message: /cannot be read: .*lock\.mdb is no file/ });
  rmSync(lock, { recursive: true });
  t.equal(epochOf(path), epoch);
});

void t.test(
  'a limit of the address space is named, and the log left as it is',
  { skip: noLimit },
  async (t) => {
    const path = await madeLog(t);
    const epoch = epochOf(path);
    for (const task of ['read', 'hold']) {
      const { status, stderr } = spawnSync(
        'sh',
        ['-c', 'ulimit -v 100000000; exec "$@"', 'sh', process.execPath, LOG_PROCESS, task, path],
        { encoding: 'utf8' },
      );
      t.equal(status, 1, task);
      t.match(stderr, /needs 256 GiB of address space.* may have 95: lift the limit \(ulimit -v/);
    }
    t.equal(epochOf(path), epoch);
  },
);

void t.test('a log whose file is gone is a lost one', async (t) => {
  const path = await madeLog(t);
  const epoch = epochOf(path);
  rmSync(join(path, 'data.mdb'));
  t.equal(await checkReopened(t, path, epoch, 'gone'), 'replaced');
});

void t.test('a lost mark is made anew', async (t) => {
  const path = await madeLog(t);
  const epoch = epochOf(path);
  for (const text of ['', 'null', '{"epoch":1}']) {
    writeFileSync(`${path}.high-water.json`, text);
    const { writer, lines } = await openWriter(path);
    t.match(lines, [{ event: 'order-log-high-water-damaged', level: 40 }]);
    t.equal(epochOf(path), epoch);
    await writer.close();
  }
  rmSync(`${path}.high-water.json`);
  const { writer } = await openWriter(path);
  t.match(JSON.parse(readFileSync(`${path}.high-water.json`, 'utf8')), { epoch, last: LAST + RESERVED });
  await writer.close();
});

void t.test('numbers are set aside before they are used', async (t) => {
  const path = logPath(t);
  const { writer } = await openWriter(path);
  await writer.append(orders('a', 10_500));
  t.match(JSON.parse(readFileSync(`${path}.high-water.json`, 'utf8')), { last: 10_500 + RESERVED });
  await writer.close();
});

function changeLog(
  path: string,
  change: (put: (key: Uint8Array, value: Buffer) => void, meta: LogMeta) => void,
) {
  const environment = open<Buffer, Uint8Array>(path, {
    encoding: 'binary',
    keyEncoding: 'binary',
    overlappingSync: false,
  });
  const meta = JSON.parse(environment.getBinary(META_KEY)?.toString('utf8', 4) ?? '') as LogMeta;
  environment.transactionSync(() => {
    change((key, value) => {
      environment.putSync(key, value);
    }, meta);
  });
  return environment.close();
}

void t.test('a log of a newer version is refused and left as it is', async (t) => {
  const path = await madeLog(t);
  await changeLog(path, (put, meta) => {
    put(META_KEY, encodeMeta({ ...meta, version: 3 }));
  });
  const before = readFileSync(join(path, 'data.mdb'));
  await t.rejects(openWriter(path), { name: 'OrderLogVersionError', message: /format version 3, .*upgrade/ });
  t.throws(() => openReader(t, path), { name: 'OrderLogVersionError' });
  t.ok(readFileSync(join(path, 'data.mdb')).equals(before));
  t.strictSame(readdirSync(dirname(path)).sort(), ['orders', 'orders.high-water.json']);
});

void t.test('a log that lacks a message is damaged', async (t) => {
  const path = await madeLog(t);
  const epoch = epochOf(path);
  await changeLog(path, (put, meta) => {
    put(META_KEY, encodeMeta({ ...meta, last: meta.last + 1 }));
  });
  t.equal(await checkReopened(t, path, epoch, 'one too few'), 'replaced');
});

void t.test('a message that is not what was written is not read', async (t) => {
  const path = await madeLog(t);
  await changeLog(path, (put) => {
    const value = encodeDelta(LAST, order('changed'), NO_BASE);
    value.writeUInt8(value.readUInt8(value.length - 3) ^ 1, value.length - 3);
    put(deltaKey(LAST), value);
    put(deltaKey(LAST - 1), encodeDelta(LAST - 2, order('of another number'), NO_BASE));
  });
  const reader = openReader(t, path);
  t.equal(reader.read(LAST - 3, 1).length, 1);
  t.throws(() => reader.read(LAST - 1, 1), {
    name: 'OrderLogDamagedError',
    message: new RegExp(`order ${LAST} `),
  });
  t.throws(() => reader.read(LAST - 2, 1), { name: 'OrderLogDamagedError' });
  t.throws(() => reader.orders(LAST - 1, 1), { name: 'OrderLogDamagedError' });
});

void t.test('a reader sees that the log was replaced', async (t) => {
  const path = await madeLog(t);
  const reader = openReader(t, path);
  const before = reader.state();
  writeFileSync(join(path, 'data.mdb'), 'no log at all');
  const { writer } = await openWriter(path);
  t.not(reader.state().epoch, before.epoch);
  t.strictSame(reader.state(), writer.state());
  await writer.append([order('new')]);
  t.equal(reader.read(before.last, 1)[0]?.sequence, RESERVED + 1);
  await writer.close();
});
