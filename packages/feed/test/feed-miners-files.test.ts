/** Ledgers and limit orders, from the validator's folder to what workers are handed. */
import { chmodSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { inflateSegment } from '@ptn-api/positions';
import { makePtnRoot, waitFor } from '@ptn-api/testkit';
import type { PtnRoot } from '@ptn-api/testkit';
import t from 'tap';
import { minersFileTopic } from '@ptn-api/runtime';
import type { MinersFileName, OrderStatus } from '@ptn-api/runtime';
import { FeedUnderTest } from './feed-collector.ts';

const DEBTS = 'validation/debt_ledger.json.gz';
const isRoot = process.getuid?.() === 0;

function head(tested: FeedUnderTest, name: MinersFileName): readonly string[] | undefined {
  const value = tested.retained.get(minersFileTopic(name), 'head');
  return value?.kind === 'miners-file-head' ? value.hotkeys : undefined;
}

function shown(tested: FeedUnderTest, hotkey: string, status: OrderStatus): string[] {
  const value = tested.retained.get('file:limit-orders', `miner:${hotkey}`);
  const view = value?.kind === 'miners-file-member' ? value.views[status] : undefined;
  if (view === undefined) return [];
  const orders = JSON.parse(inflateSegment(view.text).toString()) as { order_uuid: string }[];
  return orders.map(({ order_uuid: uuid }) => uuid);
}

const debts = (...hotkeys: string[]) =>
  gzipSync(
    JSON.stringify({ ledgers: Object.fromEntries(hotkeys.map((hotkey) => [hotkey, { hotkey, n: 1 }])) }),
  );

void t.test('of a ledger that is written again, only miners that changed are sent again', async (t) => {
  const root = makePtnRoot(t, { files: { [DEBTS]: debts('a', 'b', 'c_0') } });
  const tested = new FeedUnderTest(t, root.path);
  await tested.feed.start();
  t.same(head(tested, 'debt-ledger'), ['a', 'b', 'c_0']);
  const count = tested.transactions.length;
  root.writeFile(DEBTS, gzipSync('{"ledgers":{"c_0":{"hotkey":"c_0","n":1},"d":{},"a":{"n":2}}}'));
  await waitFor(() => head(tested, 'debt-ledger')?.includes('d'), { what: 'the new version' });
  const change = tested.transactions.slice(count).find(({ topic }) => topic === 'file:debt-ledger');
  t.same(change?.put.map(([key]) => key).sort(), ['head', 'miner:a', 'miner:d']);
  t.same(change?.remove, ['miner:b']);
  t.equal(change?.reset, false);
  t.same(head(tested, 'debt-ledger'), ['c_0', 'd', 'a'], 'in the order of the file');

  rmSync(root.join(DEBTS));
  await waitFor(() => head(tested, 'debt-ledger') === undefined, { what: 'it is gone' });
  root.writeFile(DEBTS, debts('a'));
  await waitFor(() => head(tested, 'debt-ledger'), { what: 'it is there again' });
  t.same(tested.retained.keys('file:debt-ledger').sort(), ['head', 'miner:a'], 'and nothing of before');
});

void t.test('a ledger that is half-written leaves the last good one, and is reported', async (t) => {
  const root = makePtnRoot(t, { files: { [DEBTS]: debts('a') } });
  const alerts: { topic: string; change: string }[] = [];
  const tested = new FeedUnderTest(t, root.path, {}, { alert: (alert) => alerts.push(alert) });
  await tested.feed.start();
  const next = debts('a', 'b');
  writeFileSync(root.join(DEBTS), next.subarray(0, next.length - 6));
  const problems = () => tested.retained.get('sources', 'feed')?.problems ?? [];
  await waitFor(() => problems().length > 0, { what: 'the report' });
  t.match(problems()[0], /^validation\/debt_ledger\.json\.gz is not a complete gzip file/);
  t.match(alerts, [{ topic: `file ${DEBTS}`, change: 'raise' }]);
  t.same(head(tested, 'debt-ledger'), ['a'], 'the last good one stays');
  truncateSync(root.join(DEBTS), 600 * 2 ** 20);
  await waitFor(() => tested.events('bad-file').some(({ reason }) => /500 MiB/.test(String(reason))), {
    what: 'that it is too large',
  });
  t.same(head(tested, 'debt-ledger'), ['a'], 'and stays still');
  root.writeFile(DEBTS, next);
  await waitFor(() => head(tested, 'debt-ledger')?.length === 2, { what: 'the whole one' });
  await waitFor(() => alerts.at(-1)?.change === 'clear', { what: 'it is over' });
});

void t.test('what could not be handed over is handed over whole the next time', async (t) => {
  const root = makePtnRoot(t, { files: { [DEBTS]: debts('a', 'b') } });
  let failures = 0;
  const tested = new FeedUnderTest(
    t,
    root.path,
    {},
    {
      publish: (transactions) => {
        const isLedger = transactions.some(({ topic }) => topic === 'file:debt-ledger');
        if (!isLedger || failures > 0) return Promise.resolve();
        failures += 1;
        return Promise.reject(new Error('the channel is closed'));
      },
    },
  );
  await tested.feed.start();
  await waitFor(() => head(tested, 'debt-ledger'), { what: 'the second attempt' });
  t.same(tested.retained.keys('file:debt-ledger').sort(), ['head', 'miner:a', 'miner:b']);
  t.match(tested.events('read-failed'), [{ file: DEBTS }]);
});

// --- limit orders ---------------------------------------------------------------------------------------------------

let time = 0;

function order(uuid: string, src: number): string {
  time += 1;
  const pair = { trade_pair_id: 'BTCUSD', trade_pair: 'BTC/USD', fees: 0.001 };
  return JSON.stringify({ trade_pair: pair, order_uuid: uuid, processed_ms: time, src, price: 0, bid: 0 });
}

function writeOrder(
  root: PtnRoot,
  hotkey: string,
  state: 'unfilled' | 'closed',
  name: string,
  text: string,
): void {
  root.writeFile(join('validation/miners', hotkey, 'limit_orders/BTCUSD', state, name), text);
}

void t.test('limit orders come, are filled and cancelled', async (t) => {
  const root = makePtnRoot(t);
  const tested = new FeedUnderTest(t, root.path);
  await tested.feed.start();
  t.equal(head(tested, 'limit-orders'), undefined, 'there is no folder of miners');
  writeOrder(root, 'entity_7', 'unfilled', 'one', order('one', 5));
  writeOrder(root, 'entity_7', 'unfilled', 'two', order('two', 8));
  writeOrder(root, 'b', 'closed', 'three', order('three', 10));
  await waitFor(() => shown(tested, 'entity_7', 'unfilled').length === 2, { what: 'the orders' });
  t.same(shown(tested, 'entity_7', 'unfilled'), ['one', 'two'], 'by time');
  t.same(shown(tested, 'b', 'cancelled'), ['three']);
  const value = tested.retained.get('file:limit-orders', 'miner:b');
  const text = value?.kind === 'miners-file-member' && value.views.cancelled;
  t.match(
    text && inflateSegment(text.text).toString(),
    /^\[\{"trade_pair": \["BTCUSD", "BTC\/USD"\], "order_type": null/,
  );

  const count = tested.transactions.length;
  rmSync(root.join('validation/miners/entity_7/limit_orders/BTCUSD/unfilled/one'));
  writeOrder(root, 'entity_7', 'closed', 'one', order('one', 6));
  await waitFor(() => shown(tested, 'entity_7', 'filled').length === 1, { what: 'it is filled' });
  t.same(shown(tested, 'entity_7', 'unfilled'), ['two']);
  const put = tested.transactions
    .slice(count)
    .filter(({ topic }) => topic === 'file:limit-orders')
    .flatMap((transaction) => transaction.put.map(([key]) => key));
  t.notOk(put.includes('miner:b'), 'the other miner is not sent again');

  rmSync(root.join('validation/miners/b'), { recursive: true });
  await waitFor(() => head(tested, 'limit-orders')?.includes('b') === false, { what: 'a miner goes' });
  rmSync(root.join('validation/miners'), { recursive: true });
  await waitFor(() => head(tested, 'limit-orders') === undefined, { what: 'all go' });
});

void t.test(
  'garbage among limit orders hides no other, and the last good version of a file stays',
  async (t) => {
    const root = makePtnRoot(t);
    writeOrder(root, 'a', 'unfilled', 'good', order('good', 5));
    writeOrder(root, 'a', 'unfilled', 'half', order('half', 5));
    writeOrder(root, 'a', 'unfilled', 'image.png', '\u0089PNG');
    mkdirSync(root.join('validation/miners/a/limit_orders/BTCUSD/unfilled/folder'));
    root.writeFile('validation/miners/a/limit_orders/stray', 'no pair');
    root.writeFile('validation/miners/stray', 'no miner');
    writeOrder(root, 'b', 'unfilled', 'other', order('other', 5));
    const tested = new FeedUnderTest(t, root.path);
    await tested.feed.start();
    t.same(shown(tested, 'a', 'unfilled'), ['good', 'half']);
    t.same(shown(tested, 'b', 'unfilled'), ['other']);
    const problems = () => tested.retained.get('sources', 'feed')?.problems ?? [];
    await waitFor(() => problems().length > 0, { what: 'the report' });
    t.match(
      problems()[0],
      /^validation\/miners\/\*\/limit_orders hold a bad file: .*unfilled\/(?:image\.png|folder) is/,
    );

    writeFileSync(root.join('validation/miners/a/limit_orders/BTCUSD/unfilled/half'), '{"order_uuid": "ha');
    writeOrder(root, 'a', 'unfilled', 'new', order('new', 5));
    await waitFor(() => shown(tested, 'a', 'unfilled').includes('new'), { what: 'the new one' });
    t.same(shown(tested, 'a', 'unfilled'), ['good', 'half', 'new']);

    for (const name of ['half', 'image.png', 'folder'])
      rmSync(root.join('validation/miners/a/limit_orders/BTCUSD/unfilled', name), { recursive: true });
    await waitFor(() => problems().length === 0, { what: 'it is over' });
    t.same(shown(tested, 'a', 'unfilled'), ['good', 'new']);
  },
);

void t.test('files of limit orders that say nothing of one are bad', async (t) => {
  const root = makePtnRoot(t);
  const tested = new FeedUnderTest(t, root.path);
  for (const [name, text] of [
    ['no-source', '{"trade_pair": ["A", "A/B"], "processed_ms": 1}'],
    ['of-position', '{"trade_pair": ["A", "A/B"], "processed_ms": 1, "src": 0}'],
    ['no-time', '{"trade_pair": ["A", "A/B"], "src": 5}'],
    ['no-pair', '{"processed_ms": 1, "src": 5}'],
  ] as const)
    writeOrder(root, name, 'unfilled', 'x', text);
  writeOrder(
    root,
    'good',
    'unfilled',
    'x',
    '{"trade_pair": ["A", "A/B"], "processed_ms": 1, "src": 5, "order_uuid": "u"}',
  );
  await tested.feed.start();
  t.same(shown(tested, 'good', 'unfilled'), ['u'], 'a pair as a list too');
  await waitFor(() => tested.events('bad-file').length > 0, { what: 'the report' });
  t.match(tested.events('bad-file')[0], { reason: / and of 3 other miners$/ });
});

void t.test(
  'folders that cannot be listed are reported',
  { skip: isRoot && 'root may list all' },
  async (t) => {
    const root = makePtnRoot(t);
    writeOrder(root, 'a', 'unfilled', 'x', order('x', 5));
    const folder = root.join('validation/miners/a/limit_orders/BTCUSD');
    const tested = new FeedUnderTest(t, root.path);
    await tested.feed.start();
    chmodSync(folder, 0);
    t.teardown(() => {
      chmodSync(folder, 0o700);
    });
    await waitFor(() => tested.events('bad-file').length > 0, { what: 'the report' });
    t.same(shown(tested, 'a', 'unfilled'), ['x'], 'the last good ones stay');
  },
);
