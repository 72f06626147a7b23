/** Many live positions of one miner: what a change of one of them costs. */
import { filterDashboard } from '@ptn-api/positions';
import type { EncodeMinerInput } from '@ptn-api/positions';
import { TIERS } from '@ptn-api/protocol';
import { makePtnRoot, waitFor } from '@ptn-api/testkit';
import t from 'tap';
import type { AnyTransaction } from '../../runtime/dist/ipc/messages.js';
import { createTaskPool } from '../dist/task-pool.js';
import type { TaskPool } from '../dist/task-pool.js';
import { FeedUnderTest } from './feed-collector.ts';
import { HOUR_MS, trade } from './feed-fixture.ts';

const COUNT = 1500;
const now = Date.now();
const times = [now - 60 * HOUR_MS, now - HOUR_MS];
const uuidOf = (index: number): string => `position-${String(index).padStart(4, '0')}`;

/** A pool that notes how many positions each encoding was of. */
class NotingPool implements TaskPool {
  readonly encoded: number[] = [];
  readonly #pool = createTaskPool(1);
  readonly run: TaskPool['run'] = (name, input) => {
    if (name === 'encodeMiner')
      this.encoded.push((input as unknown as EncodeMinerInput).groups.flat().length);
    return this.#pool.run(name, input);
  };
  readonly close = (): Promise<void> => this.#pool.close();
}

/** Bytes of the segments that have a key. */
const sizeOf = ({ put }: AnyTransaction): number =>
  put.reduce((sum, [, value]) => sum + (value.kind === 'segment' ? value.segment.bytes.byteLength : 0), 0);

await t.test('a change of one of many live positions encodes and sends its group alone', async (t) => {
  const root = makePtnRoot(t, {
    positions: Array.from({ length: COUNT }, (_, index) => trade({ uuid: uuidOf(index), times })),
  });
  const pool = new NotingPool();
  const tested = new FeedUnderTest(t, root.path, {}, { pool });
  await tested.feed.start();
  const isRight = (): void => {
    const full = tested.mapText(100);
    for (const tier of TIERS)
      t.equal(tested.mapText(tier), filterDashboard(full, tier, Date.now()).text, `tier ${tier}`);
  };
  isRight();
  t.same(pool.encoded, [COUNT]);
  const first = tested.transactions.find(({ topic, put }) => topic === 'positions' && put.length > 1);

  const changed = uuidOf(COUNT / 2);
  root.writePosition(trade({ uuid: changed, times: [...times, now] }));
  const ordersOf = (): number =>
    tested.map(100)['miner-a']?.positions.find(({ position_uuid: uuid }) => uuid === changed)?.orders
      .length ?? 0;
  await waitFor(() => ordersOf() === 3, { what: 'the order' });
  const count = pool.encoded.at(-1) ?? 0;
  t.ok(count > 0 && count < COUNT / 3, `${count} of ${COUNT} positions were encoded again`);
  const change = tested.transactions.findLast(({ topic, put }) => topic === 'positions' && put.length > 1);
  const [part = 0, all = 0] = [change, first].map((one) => one && sizeOf(one));
  t.ok(part > 0 && part < all / 3, `${part} of ${all} bytes are sent again`);
  isRight();

  root.writePosition(trade({ uuid: 'one-more', times: [now] }));
  await waitFor(() => tested.uuids('miner-a').includes('one-more'), { what: 'another position' });
  t.ok((pool.encoded.at(-1) ?? COUNT) < COUNT / 3, 'one that comes leaves most groups as they are');
  root.removePosition(trade({ uuid: uuidOf(0), times }));
  await waitFor(() => !tested.uuids('miner-a').includes(uuidOf(0)), { what: 'one position less' });
  isRight();
  const held = new Set(tested.retained.keys('positions').filter((key) => key.startsWith('segment:')));
  const value = tested.retained.get('positions', 'miner:miner-a');
  t.equal(value?.kind, 'miner');
  const referred = JSON.stringify(value);
  for (const key of held)
    t.ok(referred.includes(key.split('/')[1] ?? key), 'nothing is kept that is not needed');
});
