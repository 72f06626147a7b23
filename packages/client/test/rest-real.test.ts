import { PtnRestClient } from '@ptn-api/client';
import { addOrder, makePosition, makePtnRoot, startServer, waitFor } from '@ptn-api/testkit';
import t from 'tap';

const now = Date.now();
const position = makePosition({ hotkey: 'miner-a', uuid: 'p-1', orders: [{ timeMs: now - 3_600_000 }] });
const root = makePtnRoot(t, {
  positions: [position],
  keys: { full: { key: 'full-key', tier: 100 }, delayed: { key: 'delayed-key', tier: 30 } },
  files: {
    'runnable/minerstatistics.json': JSON.stringify({
      data: [{ hotkey: 'miner-a', checkpoints: [1], score: 2 }],
    }),
    'validation/eliminations.json': JSON.stringify({ eliminations: [{ hotkey: 'miner-z' }] }),
    'runnable/validator_checkpoint.json': JSON.stringify({ version: '1' }),
  },
});
const server = await startServer(t, { root: root.path });
const full = new PtnRestClient({ url: server.url, apiKey: 'full-key' });
const delayed = new PtnRestClient({ url: server.url, apiKey: 'delayed-key' });

await t.test('positions, with what they are complete to', async (t) => {
  const answer = await full.positions();
  t.match(answer, { sequence: 0, epoch: String, generation: Number, isNotModified: false });
  t.match(answer.value['miner-a'], { tier: 100, positions: [{ position_uuid: 'p-1' }] });
  t.same((await full.minerPositions('miner-a')).value, answer.value['miner-a']);
  t.same((await full.hotkeys()).value, ['miner-a']);
});

await t.test('the same answer is not transferred twice', async (t) => {
  const first = await full.positions();
  const second = await full.positions();
  t.equal(second.isNotModified, true);
  t.equal(second.value, first.value);
  t.equal(second.generation, first.generation);
});

await t.test('statistics with and without checkpoints, as a whole and by miner', async (t) => {
  t.match((await full.statistics()).value, { data: [{ hotkey: 'miner-a', checkpoints: [1] }] });
  t.same((await full.statistics({ checkpoints: false })).value.data, [{ hotkey: 'miner-a', score: 2 }]);
  t.same((await full.minerStatistics('miner-a', { checkpoints: false })).value, {
    hotkey: 'miner-a',
    score: 2,
  });
});

await t.test('the files of the validator', async (t) => {
  t.same((await delayed.eliminations()).value, { eliminations: [{ hotkey: 'miner-z' }] });
});

await t.test('refusals name their code and carry a request id', async (t) => {
  await t.rejects(delayed.positions(), {
    status: 403,
    code: 'PTN_ERR_POSITIONS_TIER_ACCESS',
    requestId: /./,
  });
  await t.rejects(delayed.validatorCheckpoint(), { code: 'PTN_ERR_CHECKPOINT_TIER_ACCESS' });
  await t.rejects(delayed.orders({ since: 0 }), { code: 'PTN_ERR_ORDERS_TIER_ACCESS' });
  await t.rejects(full.minerPositions('nobody'), { status: 404, code: 'PTN_ERR_MINER_NOT_FOUND' });
  await t.rejects(full.minerCopying(), { status: 404, code: 'PTN_ERR_COPYING_NOT_FOUND' });
  await t.rejects(full.positionsChanges({ since: 1 }), {
    status: 410,
    code: 'PTN_ERR_POSITIONS_GENERATION_GONE',
  });
  const stranger = new PtnRestClient({ url: server.url, apiKey: 'no-key' });
  await t.rejects(stranger.hotkeys(), { status: 401, code: 'PTN_ERR_AUTH_UNAUTHORIZED', isTemporary: false });
});

await t.test('readiness', async (t) => {
  t.same(await full.readiness(), { isReady: true, reasons: [] });
});

await t.test('a new order is seen by who watches, and in the order log', async (t) => {
  const { generation } = await full.positions();
  const aborting = new AbortController();
  t.teardown(() => {
    aborting.abort();
  });
  root.writePosition(addOrder(position, { timeMs: Date.now(), uuid: 'the-new-order' }));
  let seen = false;
  const since = generation ?? 0;
  for await (const { miners, isFull } of full.watchPositions({
    everyMs: 20,
    since,
    signal: aborting.signal,
  })) {
    t.equal(isFull, false);
    seen = miners['miner-a']?.positions[0]?.orders.at(-1)?.order_uuid === 'the-new-order';
    if (seen) break;
  }
  t.ok(seen);
  const page = await waitFor(
    async () => {
      const orders = await full.orders({ since: 0, limit: 10 });
      return orders.count > 0 && orders;
    },
    { what: 'the order in the log' },
  );
  t.match(page, { count: 1, next: 1, current_sequence: 1, epoch: String, messages: [{ sequence: 1 }] });
});
