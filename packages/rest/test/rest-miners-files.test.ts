/** Answers from files that are kept by miner, and a miner's orders. */
import { deflateSegment } from '@ptn-api/positions';
import type { AnyTransaction, MinersFileMember, MinersFileName, MinerView } from '@ptn-api/runtime';
import { minersFileTopic } from '@ptn-api/runtime';
import t from 'tap';
import type { TestApp } from './rest-fixture.ts';
import {
  BEARER,
  fixtureTransactions,
  grant,
  keysTransaction,
  minerValue,
  positionsTransaction,
  testApp,
} from './rest-fixture.ts';

const MODIFIED_MS = 1_765_000_000_123;

type Views = Readonly<Partial<Record<MinerView, unknown>>>;

function member(views: Views): MinersFileMember {
  const texts = Object.entries(views).map(([view, value]) => [
    view,
    { text: deflateSegment(JSON.stringify(value)), items: Array.isArray(value) ? value.length : 1 },
  ]);
  return { kind: 'miners-file-member', views: Object.fromEntries(texts) as MinersFileMember['views'] };
}

function file(name: MinersFileName, miners: Readonly<Record<string, Views>>, reset = true): AnyTransaction {
  return {
    topic: minersFileTopic(name),
    reset,
    put: [
      ['head', { kind: 'miners-file-head', hotkeys: Object.keys(miners), modifiedMs: MODIFIED_MS }],
      ...Object.entries(miners).map(([hotkey, views]) => [`miner:${hotkey}`, member(views)] as const),
    ],
    remove: [],
  };
}

async function ask({ app }: TestApp, url: string, headers: Readonly<Record<string, string>> = BEARER) {
  const answer = await app.inject({ url, headers });
  return [answer.statusCode, answer.body === '' ? '' : answer.json<unknown>()] as const;
}

const error = (text: string) => ({ error: text });

await t.test(
  'while there is no file each route says which, and before anything is read that it is read',
  async (t) => {
    const app = testApp(t);
    for (const [url, text] of [
      ['/debt-ledger', 'Debt ledger data not found'],
      ['/debt-ledger/a', 'Debt ledger data not found'],
      ['/penalty-ledger/a', 'Penalty ledger data not found'],
      ['/emissions-ledger/a', 'Emissions ledger data not found'],
      ['/perf-ledger/a_1', 'Perf ledger data not found for miner a_1'],
      ['/limit-orders/a_1', 'No limit orders found for miner a_1'],
      ['/orders/nobody', 'No orders found for miner nobody'],
      ['/challenge-period/a', 'Miner ID a not found'],
      ['/collateral/', 'The validator has written no file for /collateral/ yet'],
      ['/miner-selections', 'The validator has written no file for /miner-selections yet'],
    ] as const)
      t.same(await ask(app, url), [404, error(text)], url);
    const loading = testApp(t, []);
    for (const url of ['/debt-ledger', '/perf-ledger/a', '/collateral', '/limit-orders/a', '/orders/a'])
      t.equal((await ask(loading, url))[0], 503, url);
  },
);

await t.test('a miner that is not in the file, and a view that does not show it', async (t) => {
  const app = testApp(t, [
    ...fixtureTransactions(),
    file('debt-ledger', { a_0: { whole: { n: 1 }, 'debt-summary': { n: 2 } }, b: { whole: { n: 3 } } }),
    file('challenge-period', { a_0: {} }),
  ]);
  t.same(await ask(app, '/debt-ledger'), [200, { a_0: { n: 2 } }]);
  t.same(await ask(app, '/debt-ledger/b'), [200, { n: 3 }]);
  t.same(await ask(app, '/debt-ledger/nobody'), [404, error('Debt ledger data not found')]);
  t.same(await ask(app, '/debt-ledger/__proto__'), [404, error('Debt ledger data not found')]);
  t.same(await ask(app, '/challenge-period/a_0'), [404, error('Miner ID a_0 not found')]);
  t.equal((await ask(app, '/debt-ledger/a%2Fb'))[0], 404);
});

await t.test('collateral: all, the latest, one miner, and one that is not there', async (t) => {
  const records = { a: { whole: [{ n: 1 }, { n: 2 }], latest: [{ n: 2 }] }, b: { whole: [], latest: [] } };
  const app = testApp(t, [...fixtureTransactions(), file('collateral', records)]);
  const answer = (data: object, total: number) => ({
    ...{ status: 'success', data, timestamp: MODIFIED_MS },
    ...{ miner_count: Object.keys(data).length, total_records: total },
  });
  t.same(await ask(app, '/collateral/'), [200, answer({ a: [{ n: 1 }, { n: 2 }], b: [] }, 2)]);
  t.same(await ask(app, '/collateral?most_recent=True'), [200, answer({ a: [{ n: 2 }], b: [] }, 1)]);
  t.same(await ask(app, '/collateral/?most_recent=yes&hotkey=a'), [
    200,
    answer({ a: [{ n: 1 }, { n: 2 }] }, 2),
  ]);
  t.same(await ask(app, '/collateral/?hotkey='), [200, answer({ a: [{ n: 1 }, { n: 2 }], b: [] }, 2)]);
  t.same(await ask(app, '/collateral/?hotkey=nobody'), [200, answer({}, 0)]);
});

await t.test('entities need tier 200, and its text says so', async (t) => {
  const app = testApp(t, [...fixtureTransactions(), file('entities', { e: { whole: { subaccounts: {} } } })]);
  app.snapshots.apply([
    keysTransaction([grant('key-tier100', 100), grant('services', 200), grant('admin', 500)]),
  ]);
  const refused = error('Your API key does not have access to tier 200 data');
  t.same(await ask(app, '/entities'), [403, refused]);
  t.same(await ask(app, '/entity/e'), [403, refused]);
  for (const key of ['services', 'admin']) {
    const headers = { authorization: `Bearer ${key}` };
    t.match(await ask(app, '/entities', headers), [200, { status: 'success', entity_count: 1 }]);
    t.same(await ask(app, '/entity/e', headers), [200, { status: 'success', entity: { subaccounts: {} } }]);
    t.same(await ask(app, '/entity/x', headers), [404, error('Entity x not found')]);
    t.equal((await ask(app, '/miner-positions', headers))[0], 200, 'and sees all in real time');
  }
});

await t.test('the key comes in the header alone', async (t) => {
  const app = testApp(t, [...fixtureTransactions(), file('miner-selections', { a: { whole: 'crypto' } })]);
  const asked = await app.app.inject({
    method: 'GET',
    url: '/miner-selections',
    headers: { 'content-type': 'application/json' },
    payload: JSON.stringify({ api_key: 'key-tier100' }),
  });
  t.equal(asked.statusCode, 401);
});

await t.test('what did not change is a 304, what changed is not, and what is gone is gone', async (t) => {
  const app = testApp(t, [
    ...fixtureTransactions(),
    file('perf-ledger', { a: { whole: 1 }, b: { whole: 2 } }),
  ]);
  const etagOf = async (url: string) => String((await app.app.inject({ url, headers: BEARER })).headers.etag);
  const [first, second] = [await etagOf('/perf-ledger/a'), await etagOf('/perf-ledger/b')];
  t.equal((await ask(app, '/perf-ledger/a', { ...BEARER, 'if-none-match': first }))[0], 304);
  app.snapshots.apply([
    {
      topic: 'file:perf-ledger',
      reset: false,
      put: [
        ['head', { kind: 'miners-file-head', hotkeys: ['c', 'b'], modifiedMs: MODIFIED_MS + 1 }],
        ['miner:c', member({ whole: 3 })],
      ],
      remove: ['miner:a'],
    },
  ]);
  t.equal((await ask(app, '/perf-ledger/a'))[0], 404);
  t.equal(await etagOf('/perf-ledger/b'), second);
  t.same(await ask(app, '/perf-ledger/c'), [200, { c: 3 }]);
  app.snapshots.apply([{ topic: 'file:perf-ledger', reset: true, put: [], remove: [] }]);
  t.equal((await ask(app, '/perf-ledger/b'))[0], 404);
  t.throws(() => {
    app.snapshots.apply([
      {
        topic: 'file:perf-ledger',
        reset: true,
        put: [['head', { kind: 'miners-file-head', hotkeys: ['x'], modifiedMs: 1 }]],
        remove: [],
      },
    ]);
  }, /names x, whose value was never sent/);
});

// --- orders ---------------------------------------------------------------------------------------------------------

const orderOf = (uuid: string, processedMs: number) => ({
  order_uuid: uuid,
  processed_ms: processedMs,
  price: 1.0,
});
const position = (...orders: object[]) => ({ position_uuid: 'p', note: ' "orders": [ ', orders });

function miner(settled: readonly object[], live: readonly object[]) {
  return positionsTransaction({
    generation: 1,
    hotkeys: ['m_1'],
    put: { m_1: minerValue(settled, { 0: [], 30: [], 50: [], 100: live }) },
    reset: true,
  });
}

await t.test('all orders of all positions by time, and those that wait', async (t) => {
  const waiting = { order_uuid: 'w', processed_ms: 9 };
  const app = testApp(t, [
    miner([position(orderOf('c', 3), orderOf('a', 1))], [position(orderOf('b', 2)), position()]),
    file('limit-orders', { m_1: { unfilled: [waiting], filled: [orderOf('f', 1)], cancelled: [] } }),
  ]);
  const filled = [orderOf('a', 1), orderOf('b', 2), orderOf('c', 3)];
  t.same(await ask(app, '/orders/m_1'), [200, { unfilled: [waiting], filled, cancelled: [] }]);
  t.same(await ask(app, '/orders/m_1?status=filled'), [200, { filled }]);
  t.same(await ask(app, '/orders/m_1?status= Cancelled,UNFILLED,cancelled'), [
    200,
    { cancelled: [], unfilled: [waiting] },
  ]);
  t.same(await ask(app, '/orders/m_1?status=cancelled'), [404, error('No orders found for miner m_1')]);
  t.same(await ask(app, '/limit-orders/m_1'), [200, [waiting]]);
  t.same(await ask(app, '/limit-orders/m_1?status='), [200, [waiting]]);
  t.same(await ask(app, '/limit-orders/m_1?status=filled'), [200, { filled: [orderOf('f', 1)] }]);
  t.same(await ask(app, '/limit-orders/m_1?status=cancelled'), [
    404,
    error('No limit orders found for miner m_1'),
  ]);
  t.same(await ask(app, "/orders/m_1?status=filled,<x>,it's"), [
    400,
    error("Invalid status values: {'<x>', 'it's'}. Valid values are: unfilled, filled, cancelled"),
  ]);
  const [status, body] = await ask(app, `/orders/m_1?status=${'x'.repeat(5000)}`);
  t.equal(status, 400);
  t.ok(JSON.stringify(body).length < 400, 'it is not repeated at any length');
});

await t.test('orders are for tier 100', async (t) => {
  const app = testApp(t, [
    miner([position(orderOf('a', 1))], []),
    file('limit-orders', { m_1: { unfilled: [1] } }),
  ]);
  for (const url of ['/orders/m_1', '/limit-orders/m_1', '/limit-orders/m_1?status=nonsense']) {
    const refused = [403, error('Your API key does not have access to tier 100 data')];
    t.same(await ask(app, url, { authorization: 'Bearer key-tier50' }), refused, url);
  }
});

await t.test('a miner with thousands of positions lets others have their turn', async (t) => {
  const many = Array.from({ length: 6000 }, (_, at) =>
    position(orderOf(`x${at}`, 6000 - at), { ...orderOf(`y${at}`, 10_000 + at), sources: 'z'.repeat(500) }),
  );
  const app = testApp(t, [miner(many, [])]);
  const histogram: number[] = [];
  let last = performance.now();
  const timer = setInterval(() => {
    histogram.push(performance.now() - last);
    last = performance.now();
  }, 1);
  const asked = app.app.inject({ url: '/orders/m_1?status=filled', headers: BEARER });
  const again = app.app.inject({ url: '/orders/m_1?status=filled', headers: BEARER });
  const { filled } = (await asked).json<{ filled: { processed_ms: number }[] }>();
  clearInterval(timer);
  t.equal(filled.length, 12_000);
  const times = filled.map(({ processed_ms: ms }) => ms);
  t.same(
    times,
    [...times].sort((a, b) => a - b),
  );
  t.ok(histogram.length > 10, `${histogram.length} turns of others`);
  t.equal((await again).headers.etag, (await asked).headers.etag, 'worked out once for both');
});

await t.test('the value of a miner that does not read is an error, and tried again', async (t) => {
  const broken = {
    settled: [deflateSegment('{"other": [')],
    live: (() => {
      const live = [deflateSegment(']}')];
      return { 0: live, 30: live, 50: live, 100: live };
    })(),
  };
  const app = testApp(t, [
    positionsTransaction({ generation: 1, hotkeys: ['m_1'], put: { m_1: broken }, reset: true }),
  ]);
  for (let count = 0; count < 2; count++)
    t.same(await ask(app, '/orders/m_1'), [500, error('Internal server error')]);
  t.match(app.logged, [{ event: 'request-fault' }, { event: 'request-fault' }]);
});
