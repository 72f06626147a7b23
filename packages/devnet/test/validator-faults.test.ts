import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Elimination } from '@ptn-api/scoring';
import { makeTemporaryFolder } from '@ptn-api/testkit';
import t from 'tap';
import {
  FLAT,
  FailingCalls,
  Killed,
  LONG,
  MINER,
  OTHER,
  WEDNESDAY_MS,
  contentsOf,
  eliminationOf,
  makeValidator,
  namesIn,
  place,
  refresh,
  signalText,
} from './validator-fixture.ts';

const MINUTE_MS = 60_000;
/** Orders that each change files in another way. */
const STEPS = [
  { name: 'the first order', before: [], signal: LONG },
  { name: 'one more', before: [LONG], signal: LONG },
  { name: 'the last one', before: [LONG], signal: FLAT },
];

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

void t.test('whichever call fails while an order is stored, it is in or it is not', (t) => {
  for (const { name, before, signal } of STEPS) {
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

void t.test('at whichever call it is killed, an order is in or it is not, and is never there twice', (t) => {
  for (const { name, before, signal } of STEPS) {
    const outcomes = new Set<string>();
    for (let number = 1; ; number += 1) {
      const calls = new FailingCalls();
      const killed = makeValidator(t, { calls: calls.calls });
      let nowMs = WEDNESDAY_MS;
      for (const text of before) killed.send(text, (nowMs += MINUTE_MS), `before-${nowMs}`);
      calls.killedAt = calls.made + number;
      let isAnswered = true;
      try {
        killed.send(signal, (nowMs += MINUTE_MS), 'killed');
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
        isAnswered = false;
      }
      if (isAnswered) break;
      const next = makeValidator(t, { root: killed.root });
      const uuids = (): string[] =>
        next.validator
          .positionsOf(MINER.address)
          .flatMap(({ orders }) => orders.map(({ order_uuid: uuid }) => uuid));
      const isIn = uuids().includes('killed');
      outcomes.add(isIn ? 'in' : 'out');
      const again = next.send(signal, nowMs + MINUTE_MS, 'killed').error_message;
      if (isIn) t.match(again, /already been processed/);
      else t.equal(again, '');
      t.strictSame(
        [...uuids()].sort(),
        ['killed', ...before.map((_, index) => `before-${WEDNESDAY_MS + (index + 1) * MINUTE_MS}`)].sort(),
        `${name}, killed at call ${number}`,
      );
      t.strictSame(
        makeValidator(t, { root: killed.root }).validator.positionsOf(MINER.address),
        next.validator.positionsOf(MINER.address),
      );
    }
    t.strictSame([...outcomes].sort(), ['in', 'out'], name);
  }
  t.end();
});

void t.test('while the disk is full orders are refused, and what is refused is said once', (t) => {
  const calls = new FailingCalls();
  const validator = makeValidator(t, { calls: calls.calls });
  validator.send(LONG, WEDNESDAY_MS);
  calls.fails = () => true;
  validator.prices.prices.set('BTCUSD', 101_000);
  const [before] = validator.validator.positionsOf(MINER.address);
  for (let minute = 1; minute < 4; minute += 1) {
    refresh(validator, WEDNESDAY_MS + minute * MINUTE_MS);
    t.match(
      validator.send(LONG, WEDNESDAY_MS + minute * MINUTE_MS).error_message,
      /could not store the order/,
    );
  }
  t.equal(validator.warnings.length, 1);
  t.strictSame(validator.validator.positionsOf(MINER.address), [before]);
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
