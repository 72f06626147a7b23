import { isDeepStrictEqual } from 'node:util';
import { PtnReplica, PtnRestClient } from '@ptn-api/client';
import { waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { apiKey, startMarket } from './replica-market.ts';

await t.test(
  'workers are killed while the market trades: the replica ends as what REST answers',
  async (t) => {
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
    const killed = await killWorkersAndStop(() => replica.sequence ?? 0);
    const rest = new PtnRestClient({ url: server.url, apiKey });
    const answer = await waitFor(
      async () => {
        await replica.refresh();
        const { current_sequence: newest } = await rest.orders({ since: 0, limit: 1 });
        const snapshot = await rest.positions();
        const isSame = snapshot.sequence === replica.sequence && snapshot.generation === replica.generation;
        return isSame && snapshot.sequence === newest && snapshot;
      },
      { timeoutMs: 20_000, what: 'replica, snapshot and stream are equally far' },
    );
    const differing = [...new Set([...replica.positions.keys(), ...Object.keys(answer.value)])].filter(
      (hotkey) => !isDeepStrictEqual(replica.get(hotkey), answer.value[hotkey]),
    );
    t.same(differing, []);
    t.equal(replica.epoch, answer.epoch);
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
