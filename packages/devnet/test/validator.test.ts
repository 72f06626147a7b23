import { positionPath, writePosition } from '@ptn-api/positions';
import type { Position } from '@ptn-api/protocol';
import type { Elimination } from '@ptn-api/scoring';
import { makePosition, makeTemporaryFolder } from '@ptn-api/testkit';
import t from 'tap';
import { DurableFolder } from '../dist/validator/durable-folder.js';
import {
  FLAT,
  LONG,
  MINER,
  OTHER,
  SATURDAY_MS,
  WEDNESDAY_MS,
  eliminationOf,
  makeValidator,
  namesIn,
  place,
  refresh,
  signalText,
} from './validator-fixture.ts';
import type { TestValidator } from './validator-fixture.ts';

const MINUTE_MS = 60_000;

function onlyPosition({ validator }: TestValidator): Position {
  const positions = validator.positionsOf(MINER.address);
  t.equal(positions.length, 1);
  return positions[0] as Position;
}

void t.test('an accepted order is in its file, and the next run knows it', (t) => {
  const first = makeValidator(t);
  const { root } = first;
  t.match(first.send(LONG, WEDNESDAY_MS, 'one'), { successfully_processed: true, error_message: '' });
  t.strictSame(namesIn(root), [place('open', 'one')]);
  t.equal(first.folder.read('validation/timestamp.json'), `{"timestamp": ${WEDNESDAY_MS}}`);

  const second = makeValidator(t, { root });
  t.strictSame(second.validator.positionsOf(MINER.address), first.validator.positionsOf(MINER.address));
  const again = second.send(LONG, WEDNESDAY_MS + MINUTE_MS, 'one');
  t.equal(
    again.error_message,
    'Order with uuid [one] has already been processed. Please try again with a new order.',
  );
  t.equal(second.send(FLAT, WEDNESDAY_MS + MINUTE_MS, 'two').error_message, '');
  t.strictSame(namesIn(root), [place('closed', 'one')], 'an open file moves when it closes');

  const third = makeValidator(t, { root });
  t.strictSame(third.validator.positionsOf(MINER.address), second.validator.positionsOf(MINER.address));
  t.match(third.send(FLAT, WEDNESDAY_MS + 2 * MINUTE_MS, 'two').error_message, /already been processed/);
  t.strictSame(third.validator.hotkeys(), [MINER.address]);
  t.equal(third.send(LONG, WEDNESDAY_MS + 2 * MINUTE_MS, 'three').error_message, '');
  t.strictSame(
    third.validator.positionsOf(MINER.address).map(({ position_uuid: uuid }) => uuid),
    ['one', 'three'],
    'closed ones first',
  );
  t.end();
});

void t.test('uuids of more orders than Python remembers are never taken again', (t) => {
  const root = makeTemporaryFolder(t);
  const times = Array.from({ length: 1100 }, (_, index) => WEDNESDAY_MS - (1100 - index) * MINUTE_MS);
  const orders = times.map((timeMs, index) => ({ timeMs, uuid: `order-${index}`, leverage: 0.0001 }));
  const position = makePosition({ hotkey: MINER.address, orders });
  new DurableFolder(root).write(positionPath(position), writePosition(position));
  const validator = makeValidator(t, { root });
  for (const uuid of ['order-0', 'order-1099']) {
    t.match(validator.send(LONG, WEDNESDAY_MS, uuid, OTHER.address).error_message, /already been processed/);
  }
  t.equal(validator.send(LONG, WEDNESDAY_MS, 'order-1100', OTHER.address).error_message, '');
  t.end();
});

void t.test('returns are refreshed, and prices corrected for five minutes', (t) => {
  const validator = makeValidator(t);
  validator.send(LONG, WEDNESDAY_MS, 'one');
  validator.prices.later.set('BTCUSD', 100_100);
  validator.prices.prices.set('BTCUSD', 110_000);
  refresh(validator, WEDNESDAY_MS + MINUTE_MS);
  const corrected = onlyPosition(validator);
  t.equal(corrected.orders[0]?.price, 100_100, 'a later event was nearer to the order');
  t.ok(corrected.current_return > 1.009 && corrected.current_return < 1.01);
  t.strictSame(makeValidator(t, { root: validator.root }).validator.positionsOf(MINER.address), [corrected]);
  validator.prices.later.set('BTCUSD', 100_200);
  refresh(validator, WEDNESDAY_MS + 5 * MINUTE_MS + 1);
  t.equal(onlyPosition(validator).orders[0]?.price, 100_100, 'later than five minutes nothing is corrected');

  validator.prices.later.clear();
  validator.send(FLAT, WEDNESDAY_MS + 6 * MINUTE_MS, 'two');
  validator.prices.later.set('BTCUSD', 120_000);
  refresh(validator, WEDNESDAY_MS + 7 * MINUTE_MS);
  const closed = onlyPosition(validator);
  t.equal(closed.orders[1]?.price, 120_000, 'of closed positions, too');
  t.ok(closed.is_closed_position && closed.return_at_close > 1.019);
  refresh(validator, WEDNESDAY_MS + 30 * MINUTE_MS);
  t.equal(onlyPosition(validator), closed);
  t.end();
});

void t.test('while a market is closed its positions stay as they are', (t) => {
  const validator = makeValidator(t);
  validator.send(signalText('EURUSD', 'LONG', 1), WEDNESDAY_MS);
  validator.prices.prices.set('EURUSD', 1.2);
  const before = onlyPosition(validator);
  refresh(validator, SATURDAY_MS);
  t.equal(onlyPosition(validator), before);
  t.end();
});

void t.test('an order that comes in while positions are refreshed is not overwritten', (t) => {
  const validator = makeValidator(t);
  validator.send(LONG, WEDNESDAY_MS);
  validator.send(signalText('ETHUSD', 'LONG', 0.1), WEDNESDAY_MS + 1);
  validator.prices.prices.set('BTCUSD', 101_000).set('ETHUSD', 3100);
  const nowMs = WEDNESDAY_MS + MINUTE_MS;
  const steps = validator.validator.refresh(nowMs);
  steps.next();
  t.equal(validator.send(signalText('ETHUSD', 'LONG', 0.1), nowMs + 5).error_message, '');
  t.equal(validator.send(signalText('BTCUSD', 'FLAT', 0), nowMs + 6).error_message, '');
  Array.from(steps);
  const positions = validator.validator.positionsOf(MINER.address);
  t.strictSame(
    positions.map(({ trade_pair: [id], orders, is_closed_position: isClosed }) => [
      id,
      orders.length,
      isClosed,
    ]),
    [
      ['BTCUSD', 2, true],
      ['ETHUSD', 2, false],
    ],
  );
  t.strictSame(makeValidator(t, { root: validator.root }).validator.positionsOf(MINER.address), positions);
  t.end();
});

void t.test('a position that has lost everything is closed', (t) => {
  const validator = makeValidator(t);
  validator.send(signalText('EURUSD', 'SHORT', 5), WEDNESDAY_MS);
  validator.prices.prices.set('EURUSD', 1.5);
  refresh(validator, WEDNESDAY_MS + 10 * MINUTE_MS);
  const position = onlyPosition(validator);
  t.match(position, { is_closed_position: true, current_return: 0, position_type: 'FLAT' });
  t.equal(position.orders.at(-1)?.src, 1);
  t.equal(namesIn(validator.root).length, 1);
  refresh(validator, WEDNESDAY_MS + 11 * MINUTE_MS);
  t.equal(onlyPosition(validator), position, 'its automatic order has no price to correct');
  t.end();
});

void t.test('who is eliminated is in the file first, and all that is open closes', (t) => {
  const validator = makeValidator(t);
  const { root } = validator;
  validator.send(LONG, WEDNESDAY_MS, 'one');
  validator.send(signalText('ETHUSD', 'LONG', 0.1), WEDNESDAY_MS, 'two');
  const elimination: Elimination = {
    ...eliminationOf(MINER.address),
    price_info: { BTCUSD: 90_000 },
    return_info: { dd_stats: {}, returns: { BTCUSD: 0.9 } },
  };
  validator.validator.closeAll(MINER.address, elimination, WEDNESDAY_MS + MINUTE_MS);
  t.equal(
    validator.folder.read('validation/eliminations.json'),
    `{"eliminations": [{"hotkey": "${MINER.address}", "elimination_initiated_time_ms": ${WEDNESDAY_MS}, ` +
      '"dd": 10.5, "reason": "MAX_TOTAL_DRAWDOWN", "price_info": {"BTCUSD": 90000.0}, ' +
      '"return_info": {"dd_stats": {}, "returns": {"BTCUSD": 0.9}}}]}',
  );
  t.strictSame(namesIn(root), [place('closed', 'one'), place('closed', 'two', 'ETHUSD')]);
  t.equal(
    validator.send(LONG, WEDNESDAY_MS + MINUTE_MS).error_message,
    `This miner hotkey ${MINER.address} has been eliminated and cannot participate in this subnet. Try again ` +
      `after re-registering. elimination_info {'hotkey': '${MINER.address}', 'elimination_initiated_time_ms': ` +
      `${WEDNESDAY_MS}, 'dd': 10.5, 'reason': 'MAX_TOTAL_DRAWDOWN', 'price_info': {'BTCUSD': 90000.0}, ` +
      "'return_info': {'dd_stats': {}, 'returns': {'BTCUSD': 0.9}}}",
  );
  const again = makeValidator(t, { root });
  t.strictSame([...again.validator.eliminated.values()], [elimination]);
  validator.validator.keepEliminations(new Set());
  t.equal(validator.folder.read('validation/eliminations.json'), '{"eliminations": []}');
  t.strictSame([namesIn(root), validator.validator.positionsOf(MINER.address)], [[], []]);
  t.equal(makeValidator(t, { root }).validator.eliminated.size, 0);
  t.equal(
    validator.send(LONG, WEDNESDAY_MS + 2 * MINUTE_MS).error_message,
    '',
    'who registers again begins anew',
  );
  t.end();
});

void t.test('a validator that stops takes nothing more', (t) => {
  const validator = makeValidator(t);
  validator.validator.stop();
  t.equal(
    validator.send(LONG, WEDNESDAY_MS).error_message,
    'Validator is restarting due to update. Please try again later.',
  );
  t.end();
});
