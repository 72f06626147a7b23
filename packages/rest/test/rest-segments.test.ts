import { randomBytes } from 'node:crypto';
import t from 'tap';
import { PublishedMiners } from '../../feed/dist/positions/published-miners.js';
import type { EncodedValue } from '@ptn-api/positions';
import { mergeTransactions } from '../../runtime/dist/ipc/retained.js';
import type { AnyTransaction, Transaction } from '../../runtime/dist/ipc/messages.js';
import { Snapshots } from '../dist/snapshots/snapshots.js';
import { minerValue, positionsTransaction } from './rest-fixture.ts';

/** Too large, and too random, to be sent within the value. */
const large = (name: string) => ({ position_uuid: name, note: randomBytes(4000).toString('base64') });
const settled = [large('settled')];
const valueOf = (name: string): EncodedValue => {
  const live = [large(name)];
  return minerValue(settled, { 0: [], 30: [], 50: live, 100: live });
};
const change = (generation: number, value: EncodedValue, feed: PublishedMiners): Transaction<'positions'> =>
  positionsTransaction({ generation, hotkeys: ['a'], put: { a: value }, reset: generation === 1 }, feed);
const keysOf = ({ put }: Transaction): string[] =>
  put.map(([key]) => key).filter((key) => key.startsWith('segment:'));

const digestsOf = (snapshots: Snapshots): string[] =>
  (snapshots.positions?.miners.get('a')?.segments[100] ?? []).map(({ digest }) => digest);

void t.test('a segment that was sent is referred to, and dropped when it is referred to no more', (t) => {
  const feed = new PublishedMiners();
  const [one, two, three] = [valueOf('one'), valueOf('two'), valueOf('three')];
  const first = change(1, one, feed) as AnyTransaction;
  const second = change(2, two, feed) as AnyTransaction;
  const third = change(3, one, feed) as AnyTransaction;
  t.equal(
    keysOf(first).length,
    3,
    'the settled part, and the live part of two tiers, which differ in their end',
  );
  t.equal(keysOf(second).length, 2, 'the settled part is there');
  t.equal(second.remove.length, 2);

  const apart = new Snapshots();
  for (const transaction of [first, second, third]) apart.apply([transaction]);
  const merged = new Snapshots();
  merged.apply([[first, second, third].reduce(mergeTransactions)]);
  t.same(digestsOf(merged), digestsOf(apart));
  t.same(
    digestsOf(apart),
    [...one.settled, ...one.live[100]].map(({ digest }) => digest),
  );
  t.equal(apart.positions?.miners.get('a')?.shared.size, 3, 'no worker keeps what is not referred to');

  const behind = new Snapshots();
  behind.apply([first]);
  feed.put('a', three, 4);
  t.throws(
    () => {
      // The worker did not get generation 4, with the segments that 5 relies on.
      behind.apply([change(5, three, feed)]);
    },
    { message: 'a segment of a was never sent' },
  );
  t.end();
});
