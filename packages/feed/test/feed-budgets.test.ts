import { makePtnRoot, waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { FeedUnderTest } from './feed-collector.ts';
import { HOUR_MS, trade } from './feed-fixture.ts';

const now = Date.now();

/** A position of some 3 MB. */
function large(note: string) {
  const position = trade({ uuid: 'large', hotkey: 'large', times: [now - HOUR_MS] });
  return { ...position, note: note.repeat(3_000_000) };
}

await t.test(
  'a large miner that changes all the time is gathered, and others do not wait for it',
  async (t) => {
    const small = (orders: number) =>
      trade({ uuid: 'small', hotkey: 'small', times: Array.from({ length: orders }, () => now - HOUR_MS) });
    const root = makePtnRoot(t, { positions: [large('-'), small(1)] });
    const tested = new FeedUnderTest(t, root.path);
    await tested.feed.start();
    const shown = (hotkey: string): string => tested.minerText(hotkey, 100) ?? '';
    const notes = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    for (const [turn, note] of notes.entries()) {
      root.writePosition(large(note));
      root.writePosition(small(turn + 2));
      await waitFor(() => shown('small').includes(`small-order-${turn + 1}`), {
        what: `change ${turn} of the other`,
      });
    }
    const published = tested.transactions.filter(({ put }) => put.some(([key]) => key === 'miner:large'));
    t.ok(published.length < 5, `${published.length} of ${notes.length} changes were published by themselves`);
    t.match(tested.events('positions-postponed'), [{ hotkey: 'large', level: 40 }], 'one line');
    await waitFor(() => shown('large').includes('"hhh'), { what: 'its last change', timeoutMs: 20_000 });
  },
);
