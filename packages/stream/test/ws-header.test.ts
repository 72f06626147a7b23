/** The login by the header of the handshake, as clients of 2026 send it: the server speaks first. */
import t from 'tap';
import { grant, KEY, MemoryLog, range, serve } from './ws-fixture.ts';

const bearer = (key: string) => ({ Authorization: `Bearer ${key}` });

void t.test('a good key is answered before the client has sent anything', async (t) => {
  const log = new MemoryLog(7);
  const stream = await serve(t, { log });
  const client = await stream.connect('/', bearer(KEY));
  await client.until(() => client.received.length > 0);
  t.match(client.received[0], {
    status: 'success',
    message: 'Authentication successful.',
    current_sequence: 7,
    tier: 100,
  });
  t.match(await client.subscribe(), { type: 'subscription_status', all: true });
  log.append({});
  stream.streams.ordersChanged();
  await client.until(() => client.orders().length > 0);
  t.same(client.sequences(), [8]);
});

for (const [name, header, message, closeCode] of [
  ['a wrong key', 'Bearer wrong', 'Invalid API key. Authentication failed.', 4501],
  ['no key', 'Bearer', 'Authentication required. Provide API key in Authorization: Bearer header.', 4500],
  [
    'a key of tier 50',
    'bearer low',
    'WebSocket connections require tier 100 access. Please upgrade your API key.',
    4502,
  ],
] as const) {
  void t.test(`${name} in the header is refused at once`, async (t) => {
    const stream = await serve(t, { grants: [grant(KEY, 100), grant('low', 50)] });
    const client = await stream.connect('/', { Authorization: header });
    t.equal(await client.closed(), closeCode);
    t.match(client.received, [{ status: 'error', message }]);
  });
}

void t.test('a header of another scheme is a proxy’s: the key comes in the first message', async (t) => {
  const stream = await serve(t);
  const client = await stream.connect('/', { Authorization: 'Basic dXNlcjpwYXNz' });
  t.match(await client.ask({ api_key: KEY }), { status: 'success', tier: 100 });
});

void t.test('who sends the key in the first message too is answered once, and resumes', async (t) => {
  const log = new MemoryLog();
  log.appendMany(5);
  const stream = await serve(t, { log });
  const client = await stream.connect('/', bearer(KEY));
  await client.until(() => client.received.length > 0);
  client.send({ api_key: KEY, last_sequence: 2, epoch: log.epoch });
  client.send({ type: 'subscribe', all: true });
  await client.until(() => client.orders().length === 3);
  t.same(client.sequences(), range(3, 5));
  t.equal(client.received.filter(({ status }) => status === 'success').length, 2, 'login and subscription');
  const again = await client.ask({ api_key: KEY });
  t.match(again, { type: 'error', code: 'PTN_ERR_WS_UNKNOWN_TYPE' }, 'later it is no message');
});

void t.test('another key in the first message changes nothing', async (t) => {
  const stream = await serve(t, { grants: [grant(KEY, 100), grant('other', 100)] });
  const client = await stream.connect('/', bearer(KEY));
  await client.until(() => client.received.length > 0);
  t.match(await client.ask({ api_key: 'other' }), { type: 'error', code: 'PTN_ERR_WS_UNKNOWN_TYPE' });
});

void t.test('wrong keys in headers are counted as those in messages are', async (t) => {
  let asked = 0;
  const stream = await serve(t, { failures: { add: () => ((asked += 1) > 1 ? 30 : undefined) } });
  const first = await stream.connect('/', bearer('wrong'));
  t.equal(await first.closed(), 4501);
  const second = await stream.connect('/', bearer('wrong'));
  t.equal(await second.closed(), 4010);
});

void t.test('a key of tier 200 is echoed, and has as many connections as it likes', async (t) => {
  const stream = await serve(t, {
    grants: [grant('services', 200), grant('few', 500, { maxConnections: 2 })],
  });
  const services = [];
  while (services.length < 8) {
    const client = await stream.connect('/', bearer('services'));
    await client.until(() => client.received.length > 0);
    services.push(client);
  }
  t.ok(services.every(({ received }) => received[0]?.['tier'] === 200));
  t.ok(services.every(({ closeCode }) => closeCode === undefined));
  const few = [];
  while (few.length < 3) few.push(await stream.connect('/', bearer('few')));
  t.equal(await few[0]?.closed(), 4504, 'but for what the key file says');
});

void t.test('subaccounts are refused with what to do instead, and the connection stays', async (t) => {
  const stream = await serve(t);
  const client = await stream.client();
  for (const type of [
    'subscribe_subaccount',
    'subscribe_subaccounts',
    'unsubscribe_subaccount',
    'unsubscribe_subaccounts',
  ]) {
    const answer = await client.ask({ type, synthetic_hotkey: 'entity_0' });
    t.match(answer, { type: 'error', code: 'PTN_ERR_WS_NO_SUBACCOUNTS', message: /miner_hotkeys/ });
  }
  t.match(await client.ask({ type: 'ping', timestamp: 1 }), { type: 'pong' });
});
