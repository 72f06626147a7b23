/** Replicas, one here and one in a browser page, of a market that trades while workers of the server are killed. */
import { existsSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { PtnReplica, PtnRestClient } from '@ptn-api/client';
import type { MinerPositions } from '@ptn-api/protocol';
import { waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { apiKey, startMarket } from './replica-market.ts';
import { openInChromium, servePage } from './replica-page.ts';

const chromiumPath = process.env['PTN_TEST_CHROMIUM'] ?? '/usr/bin/chromium';
const skip = existsSync(chromiumPath) ? false : `no Chromium at ${chromiumPath}: apt-get install chromium`;

const { server, killWorkersAndStop } = await startMarket(t);
const errors: Error[] = [];
const sequences: number[] = [];
const replica = new PtnReplica({
  apiKey,
  url: server.wsUrl,
  restUrl: server.url,
  onChange: (_hotkeys, sequence) => sequences.push(sequence),
  onError: (error) => errors.push(error),
});
t.teardown(() => replica.stop());
await replica.start();
const page = await servePage(t, server);
if (skip === false) {
  await openInChromium(t, chromiumPath, page.url);
  await waitFor(() => page.sequence() > 0, {
    timeoutMs: 30_000,
    what: () => `the page's replica says something; faults: ${page.faults.join('\n')}`,
  });
}
const killed = await killWorkersAndStop(() =>
  Math.min(replica.sequence ?? 0, skip === false ? page.sequence() : Infinity),
);
const rest = new PtnRestClient({ url: server.url, apiKey });

interface Held {
  readonly sequence: number | null;
  readonly generation: number | null;
}

/** What a replica holds, once it is as far as a snapshot and the stream, and that snapshot. */
async function equallyFar<T extends Held>(held: () => Promise<T>, what: () => string) {
  return waitFor(
    async () => {
      const state = await held();
      const { current_sequence: newest } = await rest.orders({ since: 0, limit: 1 });
      const snapshot = await rest.positions();
      const isSame = snapshot.sequence === state.sequence && snapshot.generation === state.generation;
      return isSame && snapshot.sequence === newest && { state, snapshot };
    },
    { timeoutMs: 20_000, what },
  );
}

type Positions = Readonly<Record<string, MinerPositions>>;

/** Of which miners the two differ. */
function differing(one: Positions, other: Positions): string[] {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].filter(
    (hotkey) => !isDeepStrictEqual(one[hotkey], other[hotkey]),
  );
}

await t.test(
  'workers are killed while the market trades: the replica ends as what REST answers',
  async (t) => {
    const refreshed = async (): Promise<PtnReplica> => {
      await replica.refresh();
      return replica;
    };
    const { snapshot } = await equallyFar(refreshed, () => 'replica, snapshot and stream are equally far');
    t.same(differing(Object.fromEntries(replica.positions), snapshot.value), []);
    t.equal(replica.epoch, snapshot.epoch);
    t.ok(killed > 0, 'workers were killed');
    t.ok((replica.sequence ?? 0) > 0, 'orders were placed');
    t.same(
      sequences,
      sequences.toSorted((a, b) => a - b),
      'it never went back',
    );
    t.comment(
      `${killed} workers killed, ${String(replica.sequence)} orders, ${errors.length} faults overcome`,
    );
  },
);

await t.test('the same in a browser page', { skip, timeout: 120_000 }, async (t) => {
  const { state, snapshot } = await equallyFar(
    page.state,
    () => `page and server are equally far; faults: ${page.faults.join('\n')}`,
  );
  t.same(differing(state.positions, snapshot.value), []);
  t.same(page.faults, []);
  t.comment(`${killed} workers killed, ${state.sequence} orders`);
});
