import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Position } from '@ptn-api/protocol';
import type { Elimination } from '@ptn-api/rules';
import { makeTemporaryFolder } from '@ptn-api/testkit';
import t from 'tap';
import {
  FailingCalls,
  MINER,
  OTHER,
  SATURDAY_MS,
  WEDNESDAY_MS,
  contentsOf,
  makeValidator,
  signalText,
} from './validator-fixture.ts';
import type { TestValidator } from './validator-fixture.ts';

const LONG = signalText('BTCUSD', 'LONG', 0.1);
const FLAT = signalText('BTCUSD', 'FLAT', 0);
const MINUTE_MS = 60_000;

function refresh({ validator }: TestValidator, nowMs: number): void {
  Array.from(validator.refresh(nowMs));
}

function onlyPosition({ validator }: TestValidator): Position {
  const positions = validator.positionsOf(MINER.address);
  t.equal(positions.length, 1);
  return positions[0] as Position;
}

const namesIn = (root: string): string[] => Object.keys(contentsOf(root));
const place = (state: string, uuid: string, pair = 'BTCUSD'): string =>
  `${MINER.address}/positions/${pair}/${state}/${uuid}`;

void t.test('an accepted order is in its file, and the next run knows it', (t) => {
  const first = makeValidator(t);
  const { root } = first;
  t.match(first.send(LONG, WEDNESDAY_MS, 'one'), { successfully_processed: true, error_message: '' });
  t.strictSame(namesIn(root), [place('open', 'one')]);
  t.equal(first.folder.read('validation/timestamp.json'), `{"timestamp": ${WEDNESDAY_MS}}`);

  const second = makeValidator(t, { root });
  t.strictSame(second.validator.positionsOf(MINER.address), first.validator.positionsOf(MINER.address));
  t.equal(second.validator.lastOrderMs, WEDNESDAY_MS);
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
  const validator = makeValidator(t, { isDurable: false });
  const hotkeys = Array.from({ length: 1010 }, (_, index) => `miner-${index}`);
  validator.validator.setRegistered([...hotkeys, MINER.address]);
  const errors = hotkeys.map((hotkey, index) => {
    return validator.send(LONG, WEDNESDAY_MS, `order-${index}`, hotkey).error_message;
  });
  t.strictSame(new Set(errors), new Set(['']));
  const again = makeValidator(t, { root: validator.root });
  for (const one of [validator, again]) {
    t.match(one.send(LONG, WEDNESDAY_MS + MINUTE_MS, 'order-0').error_message, /already been processed/);
  }
  t.end();
});

void t.test('a kill between the two files of a closing position leaves it closed', (t) => {
  const first = makeValidator(t);
  first.send(LONG, WEDNESDAY_MS, 'one');
  const aside = join(makeTemporaryFolder(t), 'open');
  const open = join(first.root, 'validation/miners', place('open', 'one'));
  cpSync(open, aside);
  first.send(FLAT, WEDNESDAY_MS + MINUTE_MS, 'two');
  cpSync(aside, open);
  const second = makeValidator(t, { root: first.root });
  t.strictSame(second.validator.positionsOf(MINER.address), first.validator.positionsOf(MINER.address));
  t.strictSame(namesIn(first.root), [place('closed', 'one')]);
  t.end();
});

void t.test('a folder that cannot be read is named, with the file and what to do', (t) => {
  const good = makeValidator(t);
  good.send(LONG, WEDNESDAY_MS, 'one');
  good.validator.closeAll(OTHER.address, eliminationOf(OTHER.address), WEDNESDAY_MS);
  const path = `validation/miners/${place('open', 'one')}`;
  const text = good.folder.read(path) ?? '';
  const cases: [file: string, text: string, problem: RegExp][] = [
    [path, '{', /^validation\/miners\/\S+ is not JSON: .*: repair it, or move it out of the folder$/],
    [
      path,
      text.replace('"one"', '"two"'),
      /open\/one holds the position that belongs at \S+open\/two: repair/,
    ],
    [path, text.replace('"orders"', '"initial_entry_price": 1.0, "orders"'), /field initial_entry_price/],
    [
      path.replace(/one$/, 'three'),
      text.replaceAll('"one"', '"three"'),
      /holds two open positions of one pair/,
    ],
    ['validation/timestamp.json', '{"timestamp": "x"}', /^validation\/timestamp.json is not of the form/],
    ['validation/eliminations.json', '[', /^validation\/eliminations.json holds no list of eliminations/],
    ['validation/eliminations.json', '{}', /it has no member "eliminations"/],
    ['validation/eliminations.json', '{"eliminations": [{"hotkey": 1}]}', /a row lacks its hotkey/],
  ];
  for (const [file, bad, problem] of cases) {
    const root = makeTemporaryFolder(t);
    cpSync(good.root, root, { recursive: true });
    writeFileSync(join(root, file), bad);
    t.throws(() => makeValidator(t, { root }), { name: 'BadFolderError', message: problem }, String(problem));
  }
  t.end();
});

function eliminationOf(hotkey: string): Elimination {
  return { hotkey, elimination_initiated_time_ms: WEDNESDAY_MS, dd: 10.5, reason: 'MAX_TOTAL_DRAWDOWN' };
}

void t.test('whichever call fails while an order is stored, it is in or it is not', (t) => {
  const steps = [
    { name: 'the first order', before: [], signal: LONG },
    { name: 'one more', before: [LONG], signal: LONG },
    { name: 'the last one', before: [LONG], signal: FLAT },
  ];
  for (const { name, before, signal } of steps) {
    for (let number = 1; ; number += 1) {
      const calls = new FailingCalls();
      const validator = makeValidator(t, { calls: calls.calls });
      let nowMs = WEDNESDAY_MS;
      for (const text of before) validator.send(text, (nowMs += MINUTE_MS));
      const [stateBefore, filesBefore] = [
        validator.validator.positionsOf(MINER.address),
        contentsOf(validator.root),
      ];
      const first = calls.made;
      calls.fails = (made) => made === first + number;
      const answer = validator.send(signal, (nowMs += MINUTE_MS), 'failing');
      const hasFailed = calls.made >= first + number;
      if (answer.successfully_processed) {
        t.not(contentsOf(validator.root), filesBefore);
      } else {
        t.equal(
          answer.error_message,
          `Error processing order for [${MINER.address}] with error ` +
            '[The validator could not store the order (ENOSPC). Please try again.]',
        );
        t.strictSame(validator.validator.positionsOf(MINER.address), stateBefore);
        t.strictSame(contentsOf(validator.root), filesBefore, `${name}: call ${number} leaves it as it was`);
        t.equal(
          validator.send(signal, nowMs + MINUTE_MS, 'failing').error_message,
          '',
          'it can be sent again',
        );
        t.equal(validator.warnings.length, 2);
        t.match(validator.warnings[0], /cannot be written \(ENOSPC.*\): orders are refused until it can$/);
        t.match(validator.warnings[1], /can be written again$/);
      }
      const onDisk = makeValidator(t, { root: validator.root });
      t.strictSame(
        onDisk.validator.positionsOf(MINER.address),
        validator.validator.positionsOf(MINER.address),
        'disk and memory agree',
      );
      if (!hasFailed) break;
    }
  }
  t.end();
});

void t.test('while the disk is full orders are refused, and what is refused is said once', (t) => {
  const calls = new FailingCalls();
  const validator = makeValidator(t, { calls: calls.calls });
  validator.send(LONG, WEDNESDAY_MS);
  calls.fails = () => true;
  validator.prices.prices.set('BTCUSD', 101_000);
  const before = onlyPosition(validator);
  for (let minute = 1; minute < 4; minute += 1) {
    refresh(validator, WEDNESDAY_MS + minute * MINUTE_MS);
    t.match(
      validator.send(LONG, WEDNESDAY_MS + minute * MINUTE_MS).error_message,
      /could not store the order/,
    );
  }
  t.equal(validator.warnings.length, 1);
  t.equal(onlyPosition(validator), before);
  t.throws(
    () => {
      validator.validator.closeAll(MINER.address, eliminationOf(MINER.address), WEDNESDAY_MS);
    },
    {
      code: 'ENOSPC',
    },
  );
  t.equal(validator.validator.eliminated.size, 0, 'nobody is out who is not in the file');
  // A signal that changes no file needs no disk.
  t.equal(validator.send(signalText('ETHUSD', 'FLAT', 0), WEDNESDAY_MS + 10_000).error_message, '');
  t.equal(validator.warnings.length, 1, 'and says nothing of it');
  calls.fails = () => false;
  t.equal(validator.send(LONG, WEDNESDAY_MS + 5 * MINUTE_MS).error_message, '');
  t.equal(validator.warnings.length, 2);
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

void t.test('what an elimination could not close is closed later, also by the next run', (t) => {
  const calls = new FailingCalls();
  const validator = makeValidator(t, { calls: calls.calls });
  validator.send(LONG, WEDNESDAY_MS, 'one');
  const path = join(validator.root, 'validation/miners', MINER.address, 'positions/BTCUSD');
  mkdirSync(join(path, 'closed'));
  // The row of the elimination can be written, the position cannot.
  let commits = 0;
  calls.fails = (_number, name) => name === 'writeFileSync' && ++commits > 1;
  const hotkey = MINER.address;
  const failed: Elimination = { ...eliminationOf(hotkey), dd: -1, reason: 'FAILED_CHALLENGE_PERIOD_TIME' };
  validator.validator.closeAll(hotkey, failed, WEDNESDAY_MS + MINUTE_MS);
  t.strictSame(readdirSync(join(path, 'open')), ['one']);
  t.match(validator.folder.read('validation/eliminations.json'), /"dd": -1,/);
  const again = makeValidator(t, { root: validator.root });
  refresh(again, WEDNESDAY_MS + 2 * MINUTE_MS);
  t.strictSame(readdirSync(join(path, 'closed')), ['one']);
  t.strictSame(readdirSync(join(path, 'open')), []);
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
