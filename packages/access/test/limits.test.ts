import t from 'tap';
import { AddressLimit, WindowCounts } from '../dist/index.js';

void t.test('a window begins with its first count and ends when its time is over', (t) => {
  const counts = new WindowCounts({ windowMs: 1000, most: 10 });
  t.equal(counts.fullForMs('a', 1, 0), undefined);
  counts.add('a', 100);
  t.equal(counts.fullForMs('a', 2, 100), undefined, 'below the limit');
  counts.add('a', 600);
  t.equal(counts.fullForMs('a', 2, 600), 500, 'at the limit');
  t.equal(counts.fullForMs('a', 1, 1099), 1, 'above it');
  t.equal(counts.fullForMs('b', 1, 600), undefined, 'of another name');
  t.equal(counts.fullForMs('a', 1, 1100), undefined, 'over');
  counts.add('a', 1100);
  t.equal(counts.fullForMs('a', 2, 1100), undefined, 'the next one counts anew');
  t.equal(counts.fullForMs('a', 1, 1100), 1000);
  t.end();
});

void t.test('of too many names the one whose window began first is forgotten', (t) => {
  const counts = new WindowCounts({ windowMs: 1000, most: 2 });
  const known = (nowMs: number): string[] =>
    ['a', 'b', 'c'].filter((name) => counts.fullForMs(name, 1, nowMs) !== undefined);
  counts.add('a', 0);
  counts.add('b', 10);
  counts.add('a', 20);
  t.same(known(20), ['a', 'b'], 'a further count of a known name displaces none');
  counts.add('c', 30);
  t.same(known(30), ['b', 'c']);
  counts.add('b', 1015);
  t.same(known(1015), ['b', 'c'], 'a new window of a known name displaces none');
  counts.add('a', 1016);
  t.same(known(1016), ['a', 'b'], 'and begins later than the others');
  t.end();
});

void t.test('an address may do something so often in a minute', (t) => {
  let nowMs = 5000;
  const limit = new AddressLimit(2, ['192.0.2.1'], () => nowMs);
  t.equal(limit.add('198.51.100.1'), undefined);
  nowMs += 500;
  t.equal(limit.add('198.51.100.1:80'), undefined);
  t.equal(limit.add('198.51.100.1'), 60, 'seconds are rounded up');
  nowMs += 59_499;
  t.equal(limit.add('::ffff:198.51.100.1'), 1);
  nowMs += 1;
  t.equal(limit.add('198.51.100.1'), undefined, 'in the next minute');
  t.end();
});

void t.test('what is refused is not counted', (t) => {
  let nowMs = 0;
  const limit = new AddressLimit(1, [], () => nowMs);
  t.equal(limit.add('198.51.100.1'), undefined);
  nowMs = 59_000;
  t.equal(limit.add('198.51.100.1'), 1);
  nowMs = 60_000;
  t.equal(limit.add('198.51.100.1'), undefined);
  t.end();
});

void t.test('pages of other sites are counted by themselves', (t) => {
  const limit = new AddressLimit(1, [], () => 0);
  t.equal(limit.add('198.51.100.1', true), undefined);
  t.equal(limit.add('198.51.100.1', true), 60);
  t.equal(limit.add('198.51.100.1'), undefined, 'the programs of their reader go on');
  t.equal(limit.add('198.51.100.1'), 60);
  t.equal(limit.add('198.51.100.2', true), undefined, 'and so do other readers');
  t.end();
});

void t.test('who is exempt, and a limit of 0', (t) => {
  const limit = new AddressLimit(1, ['192.0.2.1'], () => 0);
  for (const address of ['127.0.0.1', '192.0.2.1', '127.0.0.1', '192.0.2.1'])
    t.equal(limit.add(address), undefined, address);
  const none = new AddressLimit(0, [], () => 0);
  t.equal(none.add('198.51.100.1'), undefined);
  t.equal(none.add('198.51.100.1'), undefined);
  t.end();
});

void t.test('by default time is that of this process', (t) => {
  const limit = new AddressLimit(1, []);
  t.equal(limit.add('198.51.100.1'), undefined);
  const seconds = limit.add('198.51.100.1');
  t.ok(seconds !== undefined && seconds >= 55 && seconds <= 60, String(seconds));
  t.end();
});
