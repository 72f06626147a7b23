import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Order, Position } from '@ptn-api/protocol';
import { waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { filesUnder, readTree, writtenHistory } from './history-fixture.ts';

const few = { miners: 8, positions: 80 };

function readPosition(root: string, path: string): Position {
  return JSON.parse(readFileSync(join(root, path), 'utf8')) as Position;
}

void t.test(
  'a position is opened, changed and closed on demand, each order being in its file at once',
  async (t) => {
    const validator = await writtenHistory(t, few);
    const beforeMs = Date.now();
    const opened = validator.placeOrder({ tradePairId: 'BTCUSD', action: 'open' });
    t.match(opened.path, /\/BTCUSD\/open\//);
    t.strictSame(readPosition(validator.root, opened.path), opened.position);
    t.ok(opened.order.processed_ms >= beforeMs && opened.order.processed_ms <= Date.now());

    const wish = { hotkey: opened.position.miner_hotkey, tradePairId: 'BTCUSD' };
    const added = validator.placeOrder({ ...wish, action: 'add' });
    t.equal(added.path, opened.path);
    const reduced = validator.placeOrder({ ...wish, action: 'reduce' });
    t.ok(Math.abs(reduced.position.net_leverage) < Math.abs(added.position.net_leverage));
    t.strictSame(reduced.position.orders, [opened.order, added.order, reduced.order]);

    const closed = validator.placeOrder({ ...wish, action: 'close' });
    t.match(closed.path, /\/BTCUSD\/closed\//);
    t.notOk(existsSync(join(validator.root, opened.path)), 'the open file is gone');
    t.strictSame(readPosition(validator.root, closed.path), closed.position);
    t.match(closed.position, {
      is_closed_position: true,
      close_ms: closed.order.processed_ms,
      net_leverage: 0,
    });
  },
);

void t.test('a flip closes the position with an order of the other side', async (t) => {
  const validator = await writtenHistory(t, few);
  const { position } = validator.placeOrder({ tradePairId: 'ETHUSD', action: 'open' });
  const flipped = validator.placeOrder({
    hotkey: position.miner_hotkey,
    tradePairId: 'ETHUSD',
    action: 'flip',
  });
  t.ok(flipped.position.is_closed_position);
  t.equal(flipped.order.order_type, position.position_type === 'LONG' ? 'SHORT' : 'LONG');
});

void t.test('an order that nobody can place is refused', async (t) => {
  const validator = await writtenHistory(t, few);
  t.throws(
    () => validator.placeOrder({ hotkey: 'x' }),
    /no order now for miner x, pair \(any\), action \(any\)/,
  );
  t.throws(() => validator.placeOrder({ tradePairId: 'NOPE' }), RangeError);
  const { position } = validator.placeOrder({ tradePairId: 'SOLUSD', action: 'open' });
  const wish = { hotkey: position.miner_hotkey, tradePairId: 'SOLUSD' };
  t.throws(() => validator.placeOrder({ ...wish, action: 'open' }), RangeError);
});

void t.test(
  'an elimination closes every position of the miner and is listed in eliminations.json',
  async (t) => {
    const validator = await writtenHistory(t, few);
    const miner = validator.miners.find(({ open }) => open.size > 1);
    if (miner === undefined) throw new Error('no miner has open positions');
    const { hotkey, open } = miner;
    const wereOpen = [...open.values()].map(({ position_uuid: uuid }) => uuid);
    const elimination = validator.eliminate(hotkey);
    const files = readTree(validator.root).filter((file) => file.hotkey === hotkey);
    t.ok(files.every(({ side }) => side === 'closed'));
    for (const uuid of wereOpen) {
      const last = files.find((file) => file.uuid === uuid)?.position.orders.at(-1);
      t.match(last, {
        order_type: 'FLAT',
        price: 0,
        leverage: 0,
        src: 1,
        order_uuid: Array.from(uuid).reverse().join(''),
      });
    }
    const text = readFileSync(join(validator.root, 'validation/eliminations.json'), 'utf8');
    const { eliminations } = JSON.parse(text) as { eliminations: unknown[] };
    t.strictSame(
      eliminations.filter((entry) => (entry as { hotkey: string }).hotkey === hotkey),
      [elimination],
    );
    t.throws(() => validator.placeOrder({ hotkey }), RangeError, 'it trades no more');
    t.throws(() => validator.eliminate(hotkey), /no active miner/);
  },
);

void t.test('a refresh rewrites the returns of open positions and adds no order', async (t) => {
  const validator = await writtenHistory(t, few);
  const before = readTree(validator.root);
  await validator.refresh();
  const after = new Map(readTree(validator.root).map((file) => [file.uuid, file]));
  const orders = (of: readonly Order[]): string[] => of.map((order) => order.order_uuid);
  let changed = 0;
  const wrong: string[] = [];
  for (const { uuid, side, position } of before) {
    const now = after.get(uuid)?.position;
    if (now === undefined) throw new Error(`${uuid} is gone`);
    if (!isDeepStrictEqual(orders(now.orders), orders(position.orders))) wrong.push(uuid);
    if (side === 'closed' && !isDeepStrictEqual(now, position)) wrong.push(uuid);
    if (now.current_return !== position.current_return) changed += 1;
  }
  t.strictSame(wrong, []);
  t.ok(changed > 0, `${changed} returns changed`);
  t.strictSame(filesUnder(validator.root, 'validation/tmp'), []);
});

void t.test(
  'orders that fall into a halt of hours, as of a suspended machine, are not made up for',
  async (t) => {
    const ordersPerSecond = 20;
    const validator = await writtenHistory(t, {
      ...few,
      ordersPerSecond,
      onFault: (error) => t.error(error),
    });
    const count = (): number =>
      readTree(validator.root).reduce((sum, { position }) => sum + position.orders.length, 0);
    const before = count();
    validator.start();
    await waitFor(() => count() > before, { what: 'the first order' });
    const now = Date.now.bind(Date);
    let aheadMs = 0;
    const placed = count();
    Date.now = () => now() + aheadMs;
    t.teardown(() => {
      Date.now = now;
    });
    aheadMs = 6 * 3_600_000;
    await waitFor(() => count() > placed, { what: 'an order after the halt' });
    // In six hours 432,000 would have been placed.
    t.ok(count() - placed < ordersPerSecond * 10, `${count() - placed} orders`);
  },
);
