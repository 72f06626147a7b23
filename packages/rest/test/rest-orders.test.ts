import { makeTemporaryFolder } from '@ptn-api/testkit';
import { pino } from 'pino';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { openOrderLogReader } from '../../order-log/dist/order-log-reader.js';
import { openOrderLogWriter } from '../../order-log/dist/open-order-log-writer.js';
import { BEARER, grant, keysTransaction, testApp } from './rest-fixture.ts';

const DAY_MS = 86_400_000;

interface Orders {
  messages: { sequence: number; timestamp: number; data: { position: { n: number } } }[];
  count: number;
  next: number;
  current_sequence: number;
  epoch: string;
  gap?: { from: number; to: number };
}

await t.test('/orders reads the log from a sequence number on', async (t) => {
  const path = makeTemporaryFolder(t);
  const writer = await openOrderLogWriter({ path, startAfter: 0, log: pino({ enabled: false }) });
  t.teardown(() => writer.close());
  const event = (n: number) => ({
    orderUuid: `order-${n}`,
    hotkey: 'm',
    tradePairId: 'BTCUSD',
    timestampMs: n <= 10 ? 1000 : DAY_MS,
    position: `{"n": ${n}}`,
  });
  await writer.append(Array.from({ length: 150 }, (_, index) => event(index + 1)));
  const reader = openOrderLogReader({ path });
  t.teardown(() => reader.close());
  const { app } = testApp(t, undefined, () => reader);
  const get = async (query: string): Promise<Orders> => {
    const response = await app.inject({ url: `/orders?${query}`, headers: BEARER });
    t.equal(response.statusCode, 200);
    return response.json();
  };

  const first = await get('since=0');
  t.same(
    first.messages.map(({ sequence }) => sequence),
    Array.from({ length: 100 }, (_, index) => index + 1),
  );
  t.same(first.messages[0], { sequence: 1, timestamp: 1000, data: { position: { n: 1 } } });
  t.same([first.count, first.next, first.current_sequence, first.gap], [100, 100, 150, undefined]);
  t.equal(first.epoch, writer.state().epoch);
  const rest = await get(`since=${first.next}&limit=1000`);
  t.same([rest.count, rest.next], [50, 150]);
  const none = await get('since=150');
  t.same([none.messages, none.count, none.next], [[], 0, 150]);
  t.same([(await get('since=999')).count, (await get('since=3&limit=2')).next], [0, 5]);

  await writer.prune(2 * DAY_MS, { maxAgeMs: DAY_MS + 1, maxCount: 1000, maxBytes: Infinity });
  const later = await get('since=3&limit=2');
  t.same(later.gap, { from: 4, to: 10 }, 'what is no longer there is said');
  t.same(
    later.messages.map(({ sequence }) => sequence),
    [11, 12],
  );
});

await t.test('/orders is gzip for clients that take it', async (t) => {
  const path = makeTemporaryFolder(t);
  const writer = await openOrderLogWriter({ path, startAfter: 0, log: pino({ enabled: false }) });
  t.teardown(() => writer.close());
  const names = { hotkey: 'm', tradePairId: 'BTCUSD', timestampMs: DAY_MS };
  await writer.append([{ orderUuid: 'order', ...names, position: `{"text": "${'x'.repeat(5000)}"}` }]);
  const reader = openOrderLogReader({ path });
  t.teardown(() => reader.close());
  const { app } = testApp(t, undefined, () => reader);
  const get = (url: string, encoding: string) =>
    app.inject({ url, headers: { ...BEARER, 'accept-encoding': encoding } });
  const plain = await get('/orders?since=0', 'identity');
  t.match(plain.headers, { 'content-encoding': undefined });
  const packed = await get('/orders?since=0', 'gzip');
  t.match(packed.headers, { 'content-encoding': 'gzip', vary: 'accept-encoding' });
  t.equal(gunzipSync(packed.rawPayload).toString(), plain.body);
  t.match(
    (await get('/orders?since=1', 'gzip')).headers,
    { 'content-encoding': undefined },
    'but for a few bytes',
  );
});

await t.test('/orders: access, range, and no log yet', async (t) => {
  const { app } = testApp(t);
  const status = async (url: string, headers: Record<string, string>) => {
    const response = await app.inject({ url, headers });
    return [response.statusCode, response.json<{ error: string }>().error];
  };
  t.same(await status('/orders?since=0', {}), [401, 'Unauthorized access']);
  t.same(await status('/orders?since=0', { authorization: 'Bearer key-tier50' }), [
    403,
    'Order data requires tier 100 access',
  ]);
  for (const query of [
    '',
    'since=',
    'since=-1',
    'since=1.5',
    'since=x',
    'since=0&limit=0',
    'since=0&limit=1001',
    'since=0&limit=a',
  ]) {
    t.equal((await status(`/orders?${query}`, BEARER))[0], 400, query);
  }
  t.equal((await status('/orders?since=0', BEARER))[0], 503);
});

await t.test('/orders with large messages ends at 1 MiB and reads no further', async (t) => {
  const path = makeTemporaryFolder(t);
  const writer = await openOrderLogWriter({ path, startAfter: 0, log: pino({ enabled: false }) });
  t.teardown(() => writer.close());
  const text = 'x'.repeat(300_000);
  const event = (n: number) => ({
    orderUuid: `order-${n}`,
    hotkey: 'm',
    tradePairId: 'BTCUSD',
    timestampMs: DAY_MS,
    position: `{"n": ${n}, "text": "${text}"}`,
  });
  await writer.append(Array.from({ length: 60 }, (_, index) => event(index + 1)));
  const reader = openOrderLogReader({ path });
  t.teardown(() => reader.close());
  t.equal(reader.read(0, 1000, 2 ** 20).length, 4, 'the one that reaches the limit is the last');
  t.equal(reader.read(0, 1000, 1).length, 1, 'one is always read');
  t.equal(reader.read(0, 10).length, 10);
  const { app } = testApp(t, undefined, () => reader);
  let since = 0;
  const seen: number[] = [];
  while (since < 60) {
    const response = await app.inject({ url: `/orders?since=${since}&limit=1000`, headers: BEARER });
    t.ok(response.rawPayload.length < 1.5 * 2 ** 20);
    const page = response.json<Orders>();
    t.equal(page.count, page.messages.length);
    seen.push(...page.messages.map(({ sequence }) => sequence));
    since = page.next;
  }
  t.same(
    seen,
    Array.from({ length: 60 }, (_, index) => index + 1),
    'pages follow each other without a hole',
  );
});

await t.test('many pages at once follow each other, and other users do not wait for them', async (t) => {
  const path = makeTemporaryFolder(t);
  const writer = await openOrderLogWriter({ path, startAfter: 0, log: pino({ enabled: false }) });
  t.teardown(() => writer.close());
  const position = `{"text": "${'x'.repeat(300_000)}"}`;
  const names = { hotkey: 'm', tradePairId: 'BTCUSD', timestampMs: DAY_MS };
  await writer.append([1, 2, 3, 4].map((n) => ({ orderUuid: `order-${n}`, ...names, position })));
  const reader = openOrderLogReader({ path });
  t.teardown(() => reader.close());
  const { app, snapshots } = testApp(t, undefined, () => reader);
  snapshots.apply([
    keysTransaction([
      { ...grant('heavy', 100), userId: 'heavy' },
      { ...grant('other', 100), userId: 'other' },
    ]),
  ]);
  const ended: string[] = [];
  const page = async (user: string) => {
    const response = await app.inject({
      url: '/orders?since=0&limit=1000',
      headers: { authorization: `Bearer ${user}`, 'accept-encoding': 'identity' },
    });
    t.equal(response.json<Orders>().count, 4);
    ended.push(user);
  };
  const startedMs = performance.now();
  const heavy = Array.from({ length: 6 }, () => page('heavy'));
  await page('other');
  await Promise.all(heavy);
  t.ok(performance.now() - startedMs > 400, '1.1 MiB each, 8 MiB a second after the first 2');
  t.ok(ended.indexOf('other') <= 3, ended.join(' '));
});
