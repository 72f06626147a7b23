/** Positions of validators that write no outputs/output.json, but only what each tier sees. */
import { rmSync, utimesSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { filterDashboard } from '@ptn-api/positions';
import { TIERS } from '@ptn-api/protocol';
import type { Position } from '@ptn-api/protocol';
import { makePtnRoot, waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { outputsFile } from '../dist/outputs-file.js';
import { FeedUnderTest } from './feed-collector.ts';
import { HOUR_MS, trade } from './feed-fixture.ts';

const GZIP = 'validation/outputs/tiered_positions/100/output.json.gz';
const TEXT = 'validation/outputs/output.json';
const now = Date.now();

const value = (positions: readonly Position[]) => ({
  positions,
  thirty_day_returns: 1.5,
  all_time_returns: 1.25,
  n_positions: positions.length,
  percentage_profitable: 0.5,
});
const map = {
  a: value([
    trade({ uuid: 's', times: [now - 80 * HOUR_MS, now - 70 * HOUR_MS], closed: true }),
    trade({ uuid: 'x', times: [now - HOUR_MS] }),
  ]),
};
const tiered = (miners: object) =>
  gzipSync(
    JSON.stringify(
      Object.fromEntries(
        Object.entries(miners).map(([hotkey, one]) => [hotkey, { ...(one as object), tier: 100 }]),
      ),
    ),
  );

await t.test('each tier sees what it would of the text, with its own tier', async (t) => {
  const root = makePtnRoot(t, { files: { [GZIP]: tiered(map) } });
  const tested = new FeedUnderTest(t, root.path);
  await tested.feed.start();
  t.equal(tested.head().source, 'outputs');
  for (const tier of TIERS)
    t.equal(
      tested.mapText(tier),
      filterDashboard(JSON.stringify(map), tier, Date.now()).text,
      `tier ${tier}`,
    );

  const half = tiered({ ...map, b: map.a });
  writeFileSync(root.join(GZIP), half.subarray(0, half.length - 5));
  await waitFor(() => tested.events('bad-file').length === 1, { what: 'the report' });
  t.match(tested.events('bad-file'), [{ reason: /is not a complete gzip file/ }]);
  t.same(tested.head().hotkeys, ['a'], 'the last good one stays');
  root.writeFile(GZIP, half);
  await waitFor(() => tested.head().hotkeys.length === 2, { what: 'the whole one' });
});

await t.test('a text that was left behind gives way to what is written now', async (t) => {
  const root = makePtnRoot(t, { outputs: JSON.stringify({ old: map.a }) });
  t.equal(outputsFile(root.path), root.join(TEXT));
  utimesSync(root.join(TEXT), now / 1000 - 600, now / 1000 - 600);
  const tested = new FeedUnderTest(t, root.path, { positionsSource: 'outputs' });
  await tested.feed.start();
  t.same(tested.head().hotkeys, ['old']);
  root.writeFile(GZIP, tiered(map));
  t.equal(outputsFile(root.path), root.join(GZIP));
  await waitFor(() => tested.head().hotkeys[0] === 'a', { what: 'the new file' });
  root.writeOutputs(JSON.stringify({ both: map.a }));
  t.equal(outputsFile(root.path), root.join(TEXT), 'a validator that writes both writes the same');
  rmSync(root.join('validation/outputs'), { recursive: true });
  t.equal(outputsFile(root.path), undefined);
});
