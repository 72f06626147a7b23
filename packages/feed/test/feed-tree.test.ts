import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { filterDashboard } from '@ptn-api/positions';
import { TIERS } from '@ptn-api/protocol';
import { makePtnRoot, positionPath, waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { FeedUnderTest } from './feed-collector.ts';
import { HOUR_MS, trade } from './feed-fixture.ts';

const DAY_MS = 24 * HOUR_MS;
const now = Date.now();
const at = (hoursAgo: number): number => now - hoursAgo * HOUR_MS;

const old = (uuid: string, hotkey: string, daysAgo: number) =>
  trade({ uuid, hotkey, times: [at(daysAgo * 24 + 11), at(daysAgo * 24 + 1)], closed: true, sources: true });

const positions = [
  ...Array.from({ length: 30 }, (_, index) =>
    old(`old-${index}`, index % 2 === 0 ? 'miner-a' : 'miner-b', 2 + index),
  ),
  trade({ uuid: 'cut', times: [at(60), at(30), at(1)] }),
  trade({ uuid: 'closed-today', times: [at(60), at(2)], closed: true }),
  trade({ uuid: 'new', times: [at(3)] }),
  trade({ uuid: 'open-old', hotkey: 'miner-b', times: [at(200), at(100)], sources: true }),
];

await t.test('every tier shows what the filter makes of tier 100', async (t) => {
  const root = makePtnRoot(t, { positions });
  const tested = new FeedUnderTest(t, root.path);
  await tested.feed.start();
  const full = tested.mapText(100);
  t.same(tested.head().hotkeys.toSorted(), ['miner-a', 'miner-b']);
  t.equal(tested.uuids('miner-a').length + tested.uuids('miner-b').length, positions.length);
  for (const tier of TIERS)
    t.equal(tested.mapText(tier), filterDashboard(full, tier, Date.now()).text, `tier ${tier}`);
  t.not(tested.mapText(0), full);
});

await t.test(
  'closed positions come by close time, then open ones; old orders lose their price sources',
  async (t) => {
    const root = makePtnRoot(t, { positions });
    const tested = new FeedUnderTest(t, root.path);
    await tested.feed.start();
    const shown = tested.map(100)['miner-b']?.positions ?? [];
    const closes = shown.flatMap((position) => (position.close_ms === null ? [] : [position.close_ms]));
    t.same(
      closes,
      closes.toSorted((a, b) => a - b),
    );
    t.equal(shown.at(-1)?.position_uuid, 'open-old');
    for (const order of shown.flatMap((position) => position.orders)) {
      t.equal(order.price_sources.length, order.processed_ms < now - 7 * DAY_MS ? 0 : 1);
    }
  },
);

await t.test('an order changes its miner alone, in one generation', async (t) => {
  const root = makePtnRoot(t, { positions });
  const tested = new FeedUnderTest(t, root.path);
  await tested.feed.start();
  const before = tested.head().generation;
  const count = tested.transactions.length;
  root.writePosition(trade({ uuid: 'new', times: [at(3), at(0)] }));
  await waitFor(() => tested.head().generation > before, { what: 'a generation' });
  const transaction = tested.transactions.slice(count).find(({ topic }) => topic === 'positions');
  const keys = transaction?.put.map(([key]) => key) ?? [];
  t.same(keys.slice(0, 2), ['head', 'miner:miner-a']);
  t.ok(keys.slice(2).every((key) => key.startsWith('segment:miner-a/')));
  t.equal(transaction?.reset, false);
  t.equal(tested.map(100)['miner-a']?.positions.find((p) => p.position_uuid === 'new')?.orders.length, 2);
});

await t.test('a position that closes is never missing in between', async (t) => {
  const root = makePtnRoot(t, { positions });
  const tested = new FeedUnderTest(t, root.path);
  await tested.feed.start();
  const open = trade({ uuid: 'new', times: [at(3)] });
  rmSync(root.join(positionPath(open, false)));
  const count = tested.transactions.length;
  await waitFor(() => tested.transactions.length > count, {
    what: 'the deletion was looked at',
  });
  t.ok(tested.uuids('miner-a').includes('new'), 'still shown');
  root.writePosition(trade({ uuid: 'new', times: [at(3), at(0)], closed: true }));
  await waitFor(
    () =>
      tested.map(100)['miner-a']?.positions.some((p) => p.position_uuid === 'new' && p.is_closed_position),
    { what: 'the close' },
  );
  t.equal(tested.uuids('miner-a').filter((uuid) => uuid === 'new').length, 1);
});

await t.test('a position whose file is gone for good goes too, settled or not', async (t) => {
  const root = makePtnRoot(t, { positions });
  const tested = new FeedUnderTest(t, root.path);
  await tested.feed.start();
  root.removePosition(trade({ uuid: 'new', times: [at(3)] }));
  root.removePosition(old('old-4', 'miner-a', 6));
  await waitFor(() => tested.uuids('miner-a').every((uuid) => uuid !== 'new' && uuid !== 'old-4'), {
    what: 'both are gone',
  });
  t.equal(tested.uuids('miner-a').length, 16);
});

await t.test('24 h pass without any file being touched: an order, a close, and it settles', async (t) => {
  let nowMs = now;
  const soon = now - DAY_MS + 5000;
  const root = makePtnRoot(t, {
    positions: [
      old('before', 'miner-a', 3),
      trade({ uuid: 'closing', times: [soon - HOUR_MS, soon], closed: true }),
      trade({ uuid: 'growing', times: [soon - HOUR_MS, soon, now] }),
    ],
  });
  const tested = new FeedUnderTest(t, root.path, {}, { now: () => nowMs });
  await tested.feed.start();
  const shown = (uuid: string) => tested.map(0)['miner-a']?.positions.find((p) => p.position_uuid === uuid);
  t.equal(shown('closing')?.is_closed_position, false, 'cut before its close');
  t.equal(shown('growing')?.orders.length, 1);
  const { generation } = tested.head();
  nowMs = soon + DAY_MS - 1;
  root.writePosition(old('touched', 'miner-b', 9));
  await waitFor(() => tested.head().generation > generation, { what: 'another generation' });
  t.equal(shown('growing')?.orders.length, 1, 'not before its time');
  nowMs = soon + DAY_MS + 1;
  await waitFor(
    () => shown('closing')?.is_closed_position === true && shown('growing')?.orders.length === 2,
    {
      what: 'the close and the order are shown',
    },
  );
  t.equal(tested.mapText(0), filterDashboard(tested.mapText(100), 0, nowMs).text);
  t.same(tested.uuids('miner-a'), ['before', 'closing', 'growing'], 'the order holds');
});

await t.test(
  'files that do not read leave the others alone and are reported; the last good content stays',
  async (t) => {
    const root = makePtnRoot(t, { positions });
    const folder = 'validation/miners/miner-a/positions/BTCUSD/open';
    const broken = {
      empty: '',
      half: '{"position_uuid": "half", "orders": [',
      text: 'hello',
      list: '[]',
      nothing: '{"a": 1}',
    };
    for (const [name, text] of Object.entries(broken)) root.writeFile(`${folder}/${name}`, text);
    root.writeFile('validation/miners/miner-c/positions/BTCUSD/open/x', 'nothing at all');
    const tested = new FeedUnderTest(t, root.path);
    await tested.feed.start();
    t.equal(tested.uuids('miner-a').length, 18);
    t.same(
      tested.head().hotkeys.toSorted(),
      ['miner-a', 'miner-b'],
      'a miner without a readable position is not there',
    );

    writeFileSync(root.join(folder, 'new'), '{"half');
    root.writePosition(trade({ uuid: 'cut', times: [at(60), at(30), at(1), at(0)] }));
    await waitFor(
      () => tested.map(100)['miner-a']?.positions.find((p) => p.position_uuid === 'cut')?.orders.length === 4,
      { what: 'the other file' },
    );
    t.ok(tested.uuids('miner-a').includes('new'), 'the half-written one is shown as it was');
    await waitFor(() => tested.events('bad-position').length === 7, { what: 'reports' });
    t.match(
      tested.events('bad-position').find((line) => String(line['path']).endsWith('half')),
      { reason: /is not JSON/ },
    );

    root.writePosition(trade({ uuid: 'new', times: [at(3), at(0)] }));
    await waitFor(
      () => tested.map(100)['miner-a']?.positions.find((p) => p.position_uuid === 'new')?.orders.length === 2,
      { what: 'the mended file' },
    );
  },
);

await t.test('NaN is served as null and told', async (t) => {
  const root = makePtnRoot(t, { positions });
  const text = JSON.stringify(trade({ uuid: 'new', times: [at(3)] })).replace(
    '"current_return":1',
    '"current_return":NaN',
  );
  root.writePosition(trade({ uuid: 'new', times: [at(3)] }), { text });
  const tested = new FeedUnderTest(t, root.path);
  await tested.feed.start();
  t.equal(tested.map(100)['miner-a']?.positions.find((p) => p.position_uuid === 'new')?.current_return, null);
  t.equal(tested.events('non-finite').length, 1);
});

await t.test('a miner comes, and goes with its folder', async (t) => {
  const root = makePtnRoot(t, { positions });
  const tested = new FeedUnderTest(t, root.path);
  await tested.feed.start();
  for (let index = 0; index < 20; index++) root.writePosition(old(`c-${index}`, '__proto__', 3 + index));
  await waitFor(() => tested.uuids('__proto__').length === 20, { what: 'the new miner' });
  t.ok(tested.head().hotkeys.includes('__proto__'));
  rmSync(root.join('validation/miners/__proto__'), { recursive: true });
  await waitFor(() => !tested.head().hotkeys.includes('__proto__'), { what: 'it is gone' });
  t.equal(tested.minerText('__proto__', 100), undefined);
  t.equal(tested.uuids('miner-a').length, 18);
});

await t.test(
  'a settled position that is corrected, and one that is restored, are put in their place',
  async (t) => {
    const root = makePtnRoot(t, { positions });
    const tested = new FeedUnderTest(t, root.path);
    await tested.feed.start();
    const corrected = { ...old('old-2', 'miner-a', 4), current_return: 1.5 };
    root.writePosition(corrected);
    root.writePosition(old('restored', 'miner-a', 5));
    await waitFor(() => tested.uuids('miner-a').includes('restored'), {
      what: 'the restored one',
    });
    const shown = tested.map(100)['miner-a']?.positions ?? [];
    t.equal(shown.find((p) => p.position_uuid === 'old-2')?.current_return, 1.5);
    const closes = shown.flatMap((p) => (p.close_ms === null ? [] : [p.close_ms]));
    t.same(
      closes,
      closes.toSorted((a, b) => a - b),
    );
    t.equal(shown.length, 19);
  },
);

await t.test('nothing there yet: no data, and a tree that appears is taken', async (t) => {
  const root = makePtnRoot(t);
  const tested = new FeedUnderTest(t, root.path);
  await tested.feed.start();
  t.equal(tested.head().source, 'none');
  root.writePosition(trade({ uuid: 'first', times: [at(3)] }));
  await waitFor(() => tested.uuids('miner-a').length === 1, { what: 'the first position' });
  t.equal(tested.head().source, 'tree');
});

await t.test('polling alone finds the same', async (t) => {
  const root = makePtnRoot(t, { positions });
  const tested = new FeedUnderTest(t, root.path, { watch: 'poll' });
  await tested.feed.start();
  root.writePosition(trade({ uuid: 'polled', hotkey: 'miner-p', times: [at(3)] }));
  renameSync(root.join('validation/miners/miner-b'), root.join('validation/miners/miner-q'));
  await waitFor(
    () =>
      tested.uuids('miner-p').length === 1 &&
      tested.uuids('miner-q').length === 16 &&
      tested.uuids('miner-b').length === 0,
    { what: 'all three changes' },
  );
  t.pass('found');
});
