import { isDeepStrictEqual } from 'node:util';
import { assetClassOf, readPosition, rebuildPosition, rebuildRecord } from '@ptn-api/positions';
import t from 'tap';
import { END_MS, filesUnder, readTree, writtenHistory } from './history-fixture.ts';
import type { PositionFile } from './history-fixture.ts';

const validator = await writtenHistory(t);
const tree = readTree(validator.root);

/** What is wrong with a file, if anything. */
function misplaced({ hotkey, tradePairId, side, uuid, text, position }: PositionFile): string | undefined {
  const reading = readPosition(text);
  if (!reading.ok) return reading.reason;
  const { facts } = reading;
  if (facts.positionUuid !== uuid || facts.tradePairId !== tradePairId) return 'stands in a wrong place';
  if (position.miner_hotkey !== hotkey) return 'is of another miner';
  if ((side === 'closed') !== facts.isClosed) return 'is on the wrong side';
  return facts.isClosed === (position.close_ms === null) ? 'has a wrong close_ms' : undefined;
}

void t.test('every file is a position that stands where its content says', (t) => {
  t.equal(tree.length, 1200);
  const wrong = tree.flatMap((file) => misplaced(file) ?? []);
  t.strictSame(wrong, []);
  t.end();
});

void t.test(
  'closed positions are what the accounting makes of their orders; open ones but for their returns',
  (t) => {
    const wrong = tree.filter(({ position }) => {
      const rebuilt = rebuildPosition(position, position.orders);
      if (position.is_closed_position) return !isDeepStrictEqual(position, rebuilt);
      const { current_return, return_at_close } = position;
      if (!(current_return > 0 && return_at_close <= current_return)) return true;
      return !isDeepStrictEqual(position, { ...rebuilt, current_return, return_at_close });
    });
    t.strictSame(
      wrong.map(({ uuid }) => uuid),
      [],
    );
    t.end();
  },
);

void t.test('hotkeys, uuids and folders look like the real ones', (t) => {
  const orders = tree.flatMap(({ position }) => position.orders);
  const uuids = orders.filter(({ src }) => src === 0).map(({ order_uuid: uuid }) => uuid);
  t.equal(new Set(uuids).size, uuids.length, 'no order uuid stands twice');
  t.ok(
    uuids.every((uuid) => /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(uuid)),
  );
  t.ok(tree.every(({ hotkey }) => /^5[1-9A-HJ-NP-Za-km-z]{47}$/.test(hotkey)));
  t.strictSame(filesUnder(validator.root, 'validation/tmp'), [], 'nothing is left in validation/tmp');
  const open = tree.filter(({ side }) => side === 'open');
  const places = new Set(open.map(({ hotkey, tradePairId }) => `${hotkey}/${tradePairId}`));
  t.equal(places.size, open.length, 'one open position of a miner and pair');
  t.end();
});

void t.test('forex and equities trade in market hours, all classes are there', (t) => {
  const classes = new Set<string>();
  for (const { tradePairId, position } of tree) {
    const assetClass = assetClassOf(tradePairId);
    classes.add(String(assetClass));
    if (assetClass === 'crypto') continue;
    for (const { src, processed_ms: timeMs } of position.orders) {
      const day = new Date(timeMs).getUTCDay();
      if (src === 0 && (day === 0 || day === 6)) t.fail(`${tradePairId} was traded at a weekend: ${timeMs}`);
    }
  }
  t.strictSame([...classes].sort(), ['crypto', 'equities', 'forex']);
  t.end();
});

void t.test('the history has the variety that readers must cope with', (t) => {
  const positions = tree.map(({ position }) => position);
  const lastMs = (times: readonly number[]): number => Math.max(...times);
  const recent = positions.filter(
    ({ orders }) => lastMs(orders.map((order) => order.processed_ms)) > END_MS - 86_400_000,
  );
  t.ok(recent.length >= positions.length * 0.02, `${recent.length} positions of the last day`);
  t.ok(
    positions.some(({ orders }) => orders.length >= 15),
    'many orders',
  );
  t.ok(
    positions.some(
      ({ open_ms: openMs, close_ms: closeMs }) => closeMs === null && openMs < END_MS - 10 * 86_400_000,
    ),
    'open for long',
  );
  t.ok(
    positions.some(
      ({ is_closed_position: isClosed, orders }) => isClosed && orders.at(-1)?.order_type !== 'FLAT',
    ),
    'flips',
  );
  t.ok(
    positions.some(({ orders }) => orders.some(({ src }) => src === 1)),
    'eliminations',
  );
  t.ok(
    positions.some(({ current_return: value }) => value === 0),
    'a liquidation',
  );
  const all = positions.flatMap(({ orders }) => orders);
  t.ok(
    all.every(({ processed_ms: timeMs }) => timeMs < END_MS),
    'nothing after the end',
  );
  const withSources = all.filter(({ price_sources: sources }) => sources.length === 2);
  t.ok(
    withSources.length > 50 &&
      withSources.some(({ processed_ms: timeMs }) => timeMs < END_MS - 7 * 86_400_000),
  );
  t.end();
});

void t.test('positions of the account-size generation say so and are accounted by its rules', async (t) => {
  const other = await writtenHistory(t, { miners: 6, positions: 60, generation: 'account-size' });
  const wrong = readTree(other.root).filter(({ position }) => {
    const { cumulative_entry_value: value } = rebuildPosition(position, position.orders);
    return typeof position.account_size !== 'number' || position.cumulative_entry_value !== value;
  });
  t.strictSame(
    wrong.map(({ uuid }) => uuid),
    [],
  );
});

for (const generation of ['quantity', '2026'] as const) {
  void t.test(
    `positions of the generation ${generation} say so and are accounted by its rules`,
    async (t) => {
      const other = await writtenHistory(t, { miners: 12, positions: 240, generation });
      const files = readTree(other.root);
      t.equal(files.length, 240);
      const generations = files.map(({ text }) => {
        const reading = readPosition(text);
        return reading.ok ? reading.facts.generation : reading.reason;
      });
      t.strictSame([...new Set(generations)], [generation]);
      // One that lost everything holds the validator's flat order already.
      const closed = files.filter(
        ({ position }) => position.is_closed_position && position.current_return > 0,
      );
      t.ok(closed.length > 150);
      for (const { position, uuid } of closed) {
        // Through JSON, which has no -0.
        t.equal(JSON.stringify(rebuildRecord(position)), JSON.stringify(position), uuid);
      }
      const orders = files.flatMap(({ position }) => position.orders);
      for (const [src, type] of [
        [6, 'LIMIT'],
        [9, 'BRACKET'],
      ] as const) {
        const filled = orders.filter((order) => order.src === src);
        t.ok(filled.length > 5 && filled.every((order) => order.execution_type === type), type);
      }
      t.ok(orders.some(({ order_uuid: uuid }) => uuid.endsWith('-bracket')));
      t.ok(orders.every(({ price, value }) => price === 0 || typeof value === 'number'));
      t.equal(
        files.some(({ position }) => (position.fee_history ?? []).length > 0),
        generation === '2026',
      );
      t.end();
    },
  );
}
