import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import type { OrderMessage } from '../../order-log/dist/order-log.js';
import { Replays } from '../dist/replays.js';
import { MemoryLog, serve, until } from './ws-fixture.ts';

/** Takes a millisecond for each reading. */
class SlowLog extends MemoryLog {
  override read(after: number, limit: number): OrderMessage[] {
    const untilMs = performance.now() + 1;
    while (performance.now() < untilMs);
    return super.read(after, limit);
  }
}

/** A session far behind: each of its parts takes so long. */
function behind(
  name: string,
  parts: number,
  partMs: number,
  told: string[],
  sentUpTo = 0,
  startedAt = Infinity,
) {
  return {
    digest: name[0],
    sentUpTo,
    startedAt,
    feedPart(this: { sentUpTo: number }) {
      this.sentUpTo += 1;
      const untilMs = performance.now() + partMs;
      while (performance.now() < untilMs);
      told.push(name);
      parts -= 1;
      return parts > 0;
    },
  };
}

await t.test('replays are given their parts in turn, and everything else goes between', async (t) => {
  const replays = new Replays();
  const told: string[] = [];
  for (const name of ['a', 'b', 'c']) replays.add(behind(name, 10, 2, told));
  let most = 0;
  while (told.length < 30) {
    const before = told.length;
    await nextTurn();
    most = Math.max(most, told.length - before);
  }
  t.equal(told.join(''), 'abc'.repeat(10));
  t.ok(most <= 4, `${most} parts of 2 ms in one turn`);
});

await t.test('a key with many connections has no more of the time than one with one', async () => {
  const replays = new Replays();
  const told: string[] = [];
  for (const name of ['a1', 'a2', 'a3', 'b1']) replays.add(behind(name, 3, 0, told));
  while (told.length < 12) await nextTurn();
  t.equal(told.join(' '), 'a1 b1 a2 b1 a3 b1 a1 a2 a3 a1 a2 a3');
});

await t.test('whoever has not had its turn when the time is over has it in the next', async (t) => {
  const replays = new Replays();
  const told: string[] = [];
  for (const name of ['a', 'b', 'c']) replays.add(behind(name, 1, 10, told));
  while (told.length < 3) await nextTurn();
  t.equal(told.join(''), 'abc');
});

await t.test('replays have a quarter of the time, also where each part waits for the network', async (t) => {
  const replays = new Replays();
  const told: string[] = [];
  const startedMs = performance.now();
  replays.add(behind('a', 10, 2, told));
  while (told.length < 10) await nextTurn();
  // One part at a time, as after each there was no room for another.
  while (told.length < 20) {
    replays.add(behind('b', 1, 2, told));
    const before = told.length;
    while (told.length === before) await nextTurn();
  }
  // Nine pauses of 6 ms after ten parts of 2 ms, twice; clocks and timers count in whole ms.
  t.ok(performance.now() - startedMs >= 2 * (20 + 9 * 6) - 10);
});

await t.test('a key that goes on and on has less of the time, and holds up no other', async (t) => {
  const replays = new Replays({ perSecond: 100, atOnce: 10 });
  const told: string[] = [];
  const startedMs = performance.now();
  replays.add(behind('a', 20, 2, told));
  while (told.length < 6) await nextTurn();
  replays.add(behind('b', 3, 2, told));
  while (told.length < 23) await nextTurn();
  t.ok(told.lastIndexOf('b') < 15, told.join(''));
  // 40 ms of work, of which 10 are there at once and the last part is owed.
  t.ok(performance.now() - startedMs >= 280);
});

await t.test('orders that came since are sent once to each key without that limit', async (t) => {
  const replays = new Replays({ perSecond: 100, atOnce: 1 });
  const told: string[] = [];
  const partsOf = async (sessions: readonly ReturnType<typeof behind>[], count: number) => {
    told.length = 0;
    const startedMs = performance.now();
    for (const session of sessions) replays.add(session);
    while (told.length < count) await nextTurn();
    return performance.now() - startedMs;
  };
  const isLimited = (ms: number) => ms >= 300;
  replays.logOpened(1000);
  t.notOk(isLimited(await partsOf([behind('a', 20, 2, told, 1000)], 20)), 'behind the opening');
  t.notOk(isLimited(await partsOf([behind('b', 20, 2, told, 1000)], 20)), 'of another key');
  t.ok(isLimited(await partsOf([behind('b', 25, 2, told, 1000)], 25)), 'the same again');
  t.notOk(
    isLimited(await partsOf([behind('b', 25, 2, told, 1000, 1000)], 25)),
    'of a session that began before they came, though another of its key has them',
  );
  t.ok(isLimited(await partsOf([behind('c', 25, 2, told, 0)], 25)), 'before the opening');
  const both = [behind('a1', 10, 2, told, 0), behind('a2', 20, 2, told, 1020)];
  await partsOf(both, 21);
  const ofNew = told.filter((name) => name === 'a2').length;
  t.ok(ofNew >= 12, `and who waits for time holds up no other of its key: ${told.join(' ')}`);
  while (told.length < 30) await nextTurn();
  replays.logOpened(5000);
  t.ok(isLimited(await partsOf([behind('a', 25, 2, told, 1040)], 25)), 'before the opening of another log');
});

await t.test(
  'what came since waits for nothing, and what was sent before leaves its time to others',
  async (t) => {
    const replays = new Replays();
    replays.logOpened(0);
    const told: string[] = [];
    const timeOf = async (session: ReturnType<typeof behind>) => {
      told.length = 0;
      const startedMs = performance.now();
      replays.add(session);
      while (told.length < 20) await nextTurn();
      return performance.now() - startedMs;
    };
    const first = await timeOf(behind('a', 20, 2, told));
    const again = await timeOf(behind('a', 20, 2, told));
    // 20 parts of 2 ms, and 19 pauses of none, and of 6 ms; clocks and timers count in whole ms.
    t.ok(again >= 145, `${again.toFixed(0)} ms`);
    t.ok(first < again / 2, `${first.toFixed(0)} ms, and ${again.toFixed(0)} ms for the same again`);
  },
);

await t.test('a live order does not wait for a resume from far back', async (t) => {
  const log = new MemoryLog();
  log.appendMany(5000, { content: JSON.stringify({ text: 'x'.repeat(10_000) }) });
  const { client, streams } = await serve(t, { log });
  const live = await client();
  await live.subscribe();
  const far = await Promise.all([1, 2, 3].map(() => client({ last_sequence: 0, epoch: log.epoch })));
  for (const session of far) await session.subscribe();
  const waitsMs: number[] = [];
  for (let order = 5001; order <= 5020; order++) {
    const placedMs = performance.now();
    log.append({});
    streams.ordersChanged();
    await live.until(() => live.sequences().at(-1) === order);
    waitsMs.push(performance.now() - placedMs);
  }
  t.ok(
    far.some((session) => (session.sequences().at(-1) ?? 0) < 5000),
    'the replays are still under way',
  );
  const median = waitsMs.toSorted((a, b) => a - b)[10] ?? Infinity;
  t.ok(median < 300, `half of the live orders came within ${median.toFixed(1)} ms`);
  for (const session of far) await session.until(() => session.sequences().at(-1) === 5020);
});

await t.test('a replay ends with its connection', async (t) => {
  const log = new SlowLog();
  log.appendMany(50_000);
  const { client, streams } = await serve(t, { log });
  const far = await client({ last_sequence: 0, epoch: log.epoch });
  far.send({ type: 'subscribe', trade_pairs: ['NONE'] });
  await until(() => log.readCount > 5);
  far.socket.terminate();
  while (streams.openCount > 0) await nextTurn();
  const before = log.readCount;
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  t.equal(log.readCount, before);
  t.ok(before < 50_000 / 128, `${before} parts were read`);
});
