import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { filterDashboard, sliceDashboard } from '@ptn-api/positions';
import { TIERS } from '@ptn-api/protocol';
import type { Position, Tier } from '@ptn-api/protocol';
import { makePtnRoot, startServer, waitFor } from '@ptn-api/testkit';
import type { PtnRoot, RunningServer } from '@ptn-api/testkit';
import t from 'tap';

const fixtures = new URL('../../positions/fixtures/tiers/', import.meta.url);
const keys = Object.fromEntries(TIERS.map((tier) => [`user-${tier}`, { key: `key-${tier}`, tier }]));

/** A recorded dashboard map with all its times moved, so that its "now" is the present. */
function presentMap(set: string): string {
  const text = gunzipSync(readFileSync(new URL(`${set}/input.json.gz`, fixtures))).toString();
  const { now_ms: recordedMs } = JSON.parse(readFileSync(new URL(`${set}/now.json`, fixtures), 'utf8')) as {
    now_ms: number;
  };
  const byMs = Date.now() - recordedMs;
  return text.replace(
    /("(?:open_ms|close_ms|processed_ms)": )(\d{12,})/g,
    (_, name: string, timeMs: string) => name + String(Number(timeMs) + byMs),
  );
}

/** Every position of the map as a file, byte for byte as it stands there. */
function writeTree(root: PtnRoot, map: string): void {
  for (const { positions } of sliceDashboard(map).miners) {
    for (const text of positions) root.writePosition(JSON.parse(text) as Position, { text });
  }
}

async function get(
  server: RunningServer,
  path: string,
  tier: Tier,
): Promise<{ text: string; generation: string }> {
  const response = await fetch(server.url + path, { headers: { Authorization: `Bearer key-${tier}` } });
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return { text: await response.text(), generation: response.headers.get('x-generation') ?? '' };
}

/**
 * Asks until a tier and tier 100 come from one generation, and the filter says the same at both ends of the asking:
 * then all of it holds for one moment.
 */
async function compareTier(server: RunningServer, tier: Tier): Promise<{ shown: string; expected: string }> {
  return waitFor(
    async () => {
      const before = Date.now();
      const [full, shown] = [
        await get(server, '/miner-positions', 100),
        await get(server, `/miner-positions?tier=${tier}`, tier),
      ];
      if (full.generation !== shown.generation) return null;
      const expected = filterDashboard(full.text, tier, before).text;
      // A position whose time has just passed is shown within a second: asked again then.
      if (filterDashboard(full.text, tier, Date.now()).text !== expected || shown.text !== expected)
        return null;
      return { shown: shown.text, expected };
    },
    { what: `tier ${tier} equals the filtered tier 100` },
  );
}

/** Each set once, and one server for each source: it takes seconds to start. The sets have no miner in common. */
const SETS = {
  tree: ['dev/2025', 'edge/account-size', 'real_ck/2025'],
  outputs: ['dev/account-size', 'edge/2025', 'real_tm_max/2025'],
} as const;

for (const [source, sets] of Object.entries(SETS)) {
  await t.test(`${sets.join(', ')} as ${source}`, async (t) => {
    const root = makePtnRoot(t, { keys });
    const maps = sets.map((set) => ({ set, map: presentMap(set) }));
    if (source === 'tree') for (const { map } of maps) writeTree(root, map);
    else root.writeOutputs(`{${maps.map(({ map }) => map.trim().slice(1, -1)).join(', ')}}`);
    const server = await startServer(t, { root: root.path });
    const shownAt: Record<string, unknown>[] = [];
    for (const tier of TIERS) {
      await t.test(`tier ${tier} and every miner at it are what the filter gives`, async (t) => {
        const { shown, expected } = await compareTier(server, tier);
        t.equal(shown, expected);
        const miners = JSON.parse(shown) as Record<string, unknown>;
        shownAt.push(miners);
        for (const [hotkey, value] of Object.entries(miners)) {
          const one = await get(server, `/miner-positions/${hotkey}`, tier);
          t.same(JSON.parse(one.text), value, hotkey);
        }
      });
    }
    const full = JSON.parse((await get(server, '/miner-positions', 100)).text) as Record<
      string,
      { positions: Position[] }
    >;
    const uuids = (positions: readonly Position[]): string[] => positions.map((p) => p.position_uuid).sort();
    for (const { set, map } of maps) {
      const { miners } = sliceDashboard(map);
      const sizes = shownAt.map((shown) => JSON.stringify(miners.map(({ hotkey }) => shown[hotkey])).length);
      t.same(
        sizes,
        sizes.toSorted((a, b) => a - b),
        `${set}: a higher tier shows no less`,
      );
      t.ok((sizes[0] ?? 0) < (sizes[3] ?? 0), `${set}: the lowest tier hides something`);
      for (const { hotkey, positions } of miners) {
        const written = positions.map((text) => JSON.parse(text) as Position);
        if (source === 'tree' && written.length === 0) continue;
        t.same(uuids(full[hotkey]?.positions ?? []), uuids(written), `${hotkey} is complete`);
      }
    }
  });
}
