import { createServer } from 'node:net';
import { existsSync, linkSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeTemporaryFolder, waitFor } from '@ptn-api/testkit';
import pino from 'pino';
import t from 'tap';
import { positionText } from '../dist/order-log/order-log.js';
import type { Test } from 'tap';
import { IngestSocket } from '../dist/feed/ingest/ingest-socket.js';
import { OrderStream } from '../dist/feed/orders/order-stream.js';
import { HOUR_MS, trade } from './feed-fixture.ts';
import { IngestSender } from './ingest-fixture.ts';
import { MemoryOrderLog } from './memory-order-log.ts';

/** A socket over an order log in memory that has begun. */
async function ingest(t: Test, { path = join(makeTemporaryFolder(t), 'ingest.sock') } = {}) {
  const writer = new MemoryOrderLog(Date.now());
  let commits = 0;
  const logged: Record<string, unknown>[] = [];
  const log = pino(
    { level: 'debug' },
    { write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const orders = new OrderStream({
    writer,
    log,
    retention: { maxAgeMs: 1e9, maxCount: 1e9, maxBytes: Infinity },
    onState: () => {
      commits += 1;
      return Promise.resolve();
    },
  });
  await orders.begin();
  const socket = new IngestSocket({ path, orders, log });
  await socket.open();
  t.teardown(async () => {
    socket.stopReading();
    await orders.finish();
    await socket.close();
    await orders.close();
  });
  const events = (name: string) => logged.filter(({ event }) => event === name);
  return { writer, orders, socket, path, events, commits: () => commits };
}

const uuids = (writer: MemoryOrderLog): string[] => writer.appended.map(({ orderUuid }) => orderUuid);

await t.test('an order is stored and answered by its number, a second time as a duplicate', async (t) => {
  const { writer, path } = await ingest(t);
  const sender = await IngestSender.connect(t, path);
  const position = trade({ uuid: 'p', times: [Date.now()] });
  sender.put(position);
  t.same(await sender.answered(1), [{ ok: true, sequence: 1, duplicate: false }]);
  sender.put(position);
  t.same((await sender.answered(2))[1], { ok: true, sequence: 1, duplicate: true });
  t.equal(writer.appended.length, 1);
  t.equal(writer.appended[0]?.hotkey, 'miner-a');
  t.equal(
    positionText(writer.appended[0]?.position ?? ''),
    JSON.stringify(position),
    'sent on as it was written',
  );
});

await t.test(
  'lines that arrive together are stored with one commit and answered in their order',
  async (t) => {
    const { writer, path, commits } = await ingest(t);
    const sender = await IngestSender.connect(t, path);
    const before = commits();
    const now = Date.now();
    sender.put(
      ...Array.from({ length: 10 }, (_, index) => trade({ uuid: `p${index}`, times: [now + index] })),
    );
    const answers = await sender.answered(10);
    t.same(
      answers.map(({ sequence }) => sequence),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    );
    t.equal(commits() - before, 1);
    t.equal(writer.appended.length, 10);
  },
);

await t.test('of several unknown orders each is a message; old ones only if they are the last', async (t) => {
  const { writer, path } = await ingest(t);
  const sender = await IngestSender.connect(t, path);
  const now = Date.now();
  sender.put(trade({ uuid: 'p', times: [now - HOUR_MS, now - 1000, now] }));
  await sender.answered(1);
  sender.put(trade({ uuid: 'old', times: [now - 2 * HOUR_MS, now - HOUR_MS] }));
  t.same(
    (await sender.answered(2)).map(({ sequence }) => sequence),
    [2, 3],
    'the number of the last order is answered',
  );
  t.same(uuids(writer), ['p-order-1', 'p-order-2', 'old-order-1']);
  t.same(
    writer.appended.map(
      ({ position }) => (JSON.parse(positionText(position)) as { orders: unknown[] }).orders.length,
    ),
    [2, 3, 2],
  );
});

await t.test('a position of the dashboard, and numbers that are not JSON, are taken', async (t) => {
  const { writer, path } = await ingest(t);
  const sender = await IngestSender.connect(t, path);
  const position = { ...trade({ uuid: 'p', times: [Date.now()] }), close_ms: 0 };
  const text = JSON.stringify(position).replace(/"return_at_close":[^,]+/, '"return_at_close":NaN');
  sender.socket.write(`{"miner_repo_version": "1.2.3", "position": ${text}}\n`);
  t.same(await sender.answered(1), [{ ok: true, sequence: 1, duplicate: false }]);
  t.match(positionText(writer.appended[0]?.position ?? ''), '"return_at_close":null');
});

await t.test('lines that cannot be taken are refused one by one, the others are stored', async (t) => {
  const { writer, path } = await ingest(t);
  const sender = await IngestSender.connect(t, path);
  const good = trade({ uuid: 'p', times: [Date.now()] });
  const line = (position: unknown) => JSON.stringify({ position });
  const lines: [text: string, code: string | undefined][] = [
    ['{"position":', 'PTN_ERR_INGEST_NOT_JSON'],
    ['', 'PTN_ERR_INGEST_NOT_JSON'],
    ['[1]', 'PTN_ERR_INGEST_NO_POSITION'],
    ['{"order": 1}', 'PTN_ERR_INGEST_NO_POSITION'],
    [line(null), 'PTN_ERR_INGEST_BAD_POSITION'],
    [line({ ...good, orders: [] }), 'PTN_ERR_INGEST_BAD_POSITION'],
    [line({ ...good, position_uuid: undefined }), 'PTN_ERR_INGEST_BAD_POSITION'],
    [line({ ...good, miner_hotkey: undefined }), 'PTN_ERR_INGEST_BAD_POSITION'],
    [line({ ...good, miner_hotkey: 'x'.repeat(70_000) }), 'PTN_ERR_INGEST_BAD_POSITION'],
    [line({ ...good, orders: [{ ...good.orders[0], order_uuid: '' }] }), 'PTN_ERR_INGEST_BAD_POSITION'],
    [line({ ...good, trade_pair: ['x'.repeat(70_000)] }), 'PTN_ERR_INGEST_BAD_POSITION'],
    [line(good), undefined],
  ];
  sender.socket.write(lines.map(([text]) => `${text}\n`).join(''));
  const answers = await sender.answered(lines.length);
  t.same(
    answers.map(({ code }) => code),
    lines.map(([, code]) => code),
  );
  for (const { message } of answers.slice(0, -1)) t.match(message, /^The (line|position) /);
  t.same(uuids(writer), ['p-order-0']);
});

await t.test(
  'a line that is too long is told and ends the connection, what came before it counts',
  async (t) => {
    const { path } = await ingest(t);
    const sender = await IngestSender.connect(t, path);
    sender.put(trade({ uuid: 'p', times: [Date.now()] }));
    sender.socket.write('x'.repeat(5 * 2 ** 20));
    const answers = await sender.answered(2);
    t.equal(answers[0]?.ok, true);
    t.equal(answers[1]?.code, 'PTN_ERR_INGEST_LINE_TOO_LONG');
    await waitFor(() => sender.isClosed, { what: 'the connection ends' });
  },
);

await t.test('the ninth connection is refused, and accepted when another has gone', async (t) => {
  const { path } = await ingest(t);
  const senders = [];
  for (let index = 0; index < 8; index++) senders.push(await IngestSender.connect(t, path));
  for (const [index, sender] of senders.entries())
    sender.put(trade({ uuid: `p${index}`, times: [Date.now()] }));
  await Promise.all(senders.map((sender) => sender.answered(1)));
  const ninth = await IngestSender.connect(t, path);
  t.equal((await ninth.answered(1))[0]?.code, 'PTN_ERR_INGEST_MAX_CONNECTIONS');
  await waitFor(() => ninth.isClosed, { what: 'it is ended' });
  senders[0]?.socket.destroy();
  await waitFor(
    async () => {
      const next = await IngestSender.connect(t, path);
      next.put(trade({ uuid: 'next', times: [Date.now()] }));
      return (await next.answered(1))[0]?.ok;
    },
    { what: 'another one is accepted' },
  );
});

await t.test('from a sender that takes no answers no more is read', async (t) => {
  const { orders, path } = await ingest(t);
  let taken = 0;
  const take = orders.take.bind(orders);
  orders.take = (hotkey, position) => {
    taken += 1;
    return take(hotkey, position);
  };
  const sender = await IngestSender.connect(t, path);
  sender.socket.pause();
  const lines = 20_000;
  sender.put(...Array.from({ length: lines }, () => trade({ uuid: 'p', times: [Date.now()] })));
  let before = -1;
  let standing = 0;
  await waitFor(
    () => {
      standing = taken > 0 && taken === before ? standing + 1 : 0;
      before = taken;
      return standing === 30;
    },
    { what: 'no more lines are taken for 300 ms' },
  );
  t.ok(taken < lines, `${taken} of ${lines} lines were taken`);
  sender.socket.resume();
  t.equal((await sender.answered(lines)).length, lines, 'it goes on when they are');
});

await t.test(
  'while an order cannot be stored it is not answered; at the end it is left to be sent again',
  async (t) => {
    const { writer, orders, socket, path, events } = await ingest(t);
    const sender = await IngestSender.connect(t, path);
    writer.isFull = true;
    sender.put(trade({ uuid: 'p', times: [Date.now()] }));
    await waitFor(() => events('order-log-write-failed').length > 0, { what: 'it cannot be stored' });
    t.same(sender.answers, []);
    socket.stopReading();
    await orders.finish();
    await socket.close();
    await waitFor(() => sender.isClosed, { what: 'the connection ends' });
    t.same(sender.answers, [], 'without an answer');
  },
);

await t.test('closing answers what is being stored', async (t) => {
  const { writer, orders, socket, path, events } = await ingest(t);
  const sender = await IngestSender.connect(t, path);
  writer.isFull = true;
  sender.put(trade({ uuid: 'p', times: [Date.now()] }));
  await waitFor(() => events('order-log-write-failed').length > 0, { what: 'it waits' });
  writer.isFull = false;
  socket.stopReading();
  t.notOk(existsSync(path), 'the file is gone at once');
  await waitFor(() => writer.appended.length === 1, { what: 'it is stored' });
  await orders.finish();
  await socket.close();
  t.same(await sender.answered(1), [{ ok: true, sequence: 1, duplicate: false }]);
});

await t.test('only the owner may use it; what a dead server left is replaced', async (t) => {
  const path = join(makeTemporaryFolder(t), 'ingest.sock');
  // A server that is unlinked by nobody: the file of one that was killed.
  const dead = createServer();
  await new Promise<void>((resolve) => dead.listen(`${path}.dead`, resolve));
  linkSync(`${path}.dead`, path);
  await new Promise((resolve) => dead.close(resolve));
  await t.rejects(IngestSender.connect(t, path), /ECONNREFUSED/);
  const { events } = await ingest(t, { path });
  t.equal(events('ingest-socket')[0]?.['path'], path);
  t.equal(statSync(path).mode & 0o777, 0o600);
  const sender = await IngestSender.connect(t, path);
  sender.put(trade({ uuid: 'p', times: [Date.now()] }));
  t.equal((await sender.answered(1))[0]?.ok, true);
});

await t.test(
  'a path that is too long, or taken by a file, is told and the server goes on without',
  async (t) => {
    const folder = join(makeTemporaryFolder(t), 'x'.repeat(110));
    mkdirSync(folder);
    const long = await ingest(t, { path: join(folder, 'ingest.sock') });
    t.match(long.events('no-ingest-socket')[0]?.['msg'], /bytes and may have 107.*--state-dir/);
    t.notOk(existsSync(long.path));
    const taken = join(makeTemporaryFolder(t), 'ingest.sock');
    writeFileSync(taken, 'mine');
    const { events } = await ingest(t, { path: taken });
    t.equal(events('no-ingest-socket').length, 1);
    t.ok(statSync(taken).isFile(), 'it is left alone');
  },
);
