import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import type { MinerPositionsChanges, Tier } from '@ptn-api/protocol';
import { mergeTransactions } from '../../runtime/dist/ipc/retained.js';
import type { AnyTransaction, Transaction } from '../../runtime/dist/ipc/messages.js';
import { PublishedMiners } from '../../feed/dist/positions/published-miners.js';
import type { EncodedValue } from '@ptn-api/positions';
import { Snapshots } from '../dist/snapshots/snapshots.js';
import type { TestApp } from './rest-fixture.ts';
import { BEARER, minerValue, namedMiner, positionsTransaction, testApp } from './rest-fixture.ts';

async function changes({ app }: TestApp, since: number | string, query = '') {
  return app.inject({ url: `/miner-positions/changes?since=${since}${query}`, headers: BEARER });
}

/** The hotkeys that changed and that are gone. */
async function told(
  app: TestApp,
  since: number,
  tier: Tier = 100,
): Promise<[changed: string[], gone: readonly string[]]> {
  const response = await changes(app, since, `&tier=${tier}`);
  const body = response.json<MinerPositionsChanges>();
  return [Object.keys(body.miners), body.gone];
}

const FIRST = {
  generation: 10,
  hotkeys: ['a', 'b'],
  put: { a: namedMiner('a1'), b: namedMiner('b1') },
  reset: true,
};
const first = positionsTransaction(FIRST);

await t.test('changes since a generation are the miners that changed after it, and those gone', async (t) => {
  const app = testApp(t, [
    first,
    positionsTransaction({ generation: 11, hotkeys: ['a', 'b', 'c'], put: { c: namedMiner('c1') } }),
    positionsTransaction({
      generation: 12,
      hotkeys: ['c', 'a'],
      put: { a: namedMiner('a2') },
      remove: ['b'],
    }),
  ]);
  t.strictSame(await told(app, 10), [['c', 'a'], ['b']], 'in the order of the map');
  t.strictSame(await told(app, 11), [['a'], ['b']]);
  t.strictSame(await told(app, 12), [[], []]);
  const response = await changes(app, 11);
  t.match(response.headers, { 'x-generation': '12', 'content-type': /^application\/json$/ });
  t.strictSame(response.json(), {
    since: 11,
    generation: 12,
    tier: 100,
    miners: { a: { positions: [{ position_uuid: 'a2' }], tier: 100 } },
    gone: ['b'],
  });
});

await t.test('a change that a tier does not show yet is no change there', async (t) => {
  const feed = new PublishedMiners();
  const app = testApp(t, [
    positionsTransaction(FIRST, feed),
    positionsTransaction({ generation: 11, hotkeys: ['a', 'b'], put: { a: namedMiner('a2') } }, feed),
  ]);
  t.strictSame(await told(app, 10, 100), [['a'], []]);
  t.strictSame(await told(app, 10, 50), [[], []]);
});

await t.test('a miner that comes back is a change and no longer gone', async (t) => {
  const app = testApp(t, [
    first,
    positionsTransaction({ generation: 11, hotkeys: ['a'], remove: ['b'] }),
    positionsTransaction({ generation: 12, hotkeys: ['a', 'b'], put: { b: namedMiner('b1') } }),
  ]);
  t.strictSame(await told(app, 10), [['b'], []]);
  t.strictSame(await told(app, 11), [['b'], []]);
});

await t.test('a restarted feed that continues leaves unchanged miners unchanged', async (t) => {
  const app = testApp(t, [
    first,
    positionsTransaction({
      generation: 11,
      hotkeys: ['a', 'c'],
      put: { a: namedMiner('a1'), c: namedMiner('c1') },
      reset: true,
    }),
  ]);
  t.strictSame(await told(app, 10), [['c'], ['b']]);
});

await t.test('generations this worker has not held are answered by 410 with the way on', async (t) => {
  const app = testApp(t, [
    first,
    positionsTransaction({
      generation: 20,
      hotkeys: ['a', 'b'],
      put: { a: namedMiner('a2'), b: namedMiner('b1') },
      reset: true,
    }),
  ]);
  const tooOld = await changes(app, 9, '&tier=30');
  t.equal(tooOld.statusCode, 410);
  t.strictSame(tooOld.json(), {
    error:
      'Generation 9 is too old or unknown. Read the full snapshot at /miner-positions?tier=30 and go on from its X-Generation',
  });
  t.equal((await changes(app, 15)).statusCode, 410, 'skipped by a full state');
  t.strictSame(await told(app, 10), [['a'], []], 'held before the full state');
  t.strictSame(await told(app, 20), [[], []]);
});

await t.test('generations skipped by a change are answered with everything it brought', async (t) => {
  const app = testApp(t, [
    first,
    positionsTransaction({
      generation: 13,
      hotkeys: ['b'],
      put: { b: namedMiner('b1') },
      remove: ['a', 'never-seen-here'],
    }),
  ]);
  t.strictSame(await told(app, 12), [['b'], ['a', 'never-seen-here']]);
});

await t.test('below tier 100 nothing tells of a miner whose only trades are hidden', async (t) => {
  // Its fields for lower tiers are empty, whatever its name.
  const worldWith = (put: Record<string, EncodedValue>) => {
    const feed = new PublishedMiners();
    return testApp(t, [
      positionsTransaction({ ...FIRST, head: { goneAt: 10 } }, feed),
      // This worker fell behind: generations 11 and 12 came as one.
      positionsTransaction(
        { generation: 12, hotkeys: ['a', 'b'], head: { sequence: 2, epoch: 'e', goneAt: 10 }, put },
        feed,
      ),
      positionsTransaction(
        { generation: 13, hotkeys: ['a', 'b'], head: { sequence: 3, epoch: 'e', goneAt: 10 } },
        feed,
      ),
    ]);
  };
  const quiet = worldWith({});
  const busy = worldWith({ a: namedMiner('a2') });
  t.strictSame(await told(busy, 11), [['a'], []], 'tier 100 learns of it');
  for (const tier of [0, 30, 50] as const) {
    const headers = { authorization: `Bearer key-tier${tier}` };
    for (const url of [
      `/miner-positions?tier=${tier}`,
      '/miner-positions/a',
      '/miner-hotkeys',
      ...[10, 11, 12, 13].map((since) => `/miner-positions/changes?tier=${tier}&since=${since}`),
    ]) {
      const shown = async ({ app }: TestApp) => {
        const { statusCode, headers: answered, body } = await app.inject({ url, headers });
        return { statusCode, told: { ...answered, date: '', 'x-request-id': '' }, body };
      };
      const answer = await shown(busy);
      t.strictSame(answer, await shown(quiet), url);
      t.notOk('x-sequence' in answer.told || 'x-epoch' in answer.told || 'last-modified' in answer.told, url);
    }
    const { headers: answered } = await busy.app.inject({ url: `/miner-positions?tier=${tier}`, headers });
    t.equal(answered['x-generation'], '10', 'the last one in which the tier changed');
  }
});

await t.test(
  'a world that starts anew below the last generation is not mixed with the old one',
  async (t) => {
    const app = testApp(t, [first, positionsTransaction({ generation: 5, hotkeys: [], reset: true })]);
    for (const since of [4, 5]) t.equal((await changes(app, since)).statusCode, 410, String(since));
    app.snapshots.apply([
      positionsTransaction({ generation: 6, hotkeys: ['a'], put: { a: namedMiner('a3') } }),
    ]);
    t.equal(
      (await changes(app, 5)).statusCode,
      410,
      'as long as the old world could have given the same number',
    );
    app.snapshots.apply([positionsTransaction({ generation: 11, hotkeys: ['a'] })]);
    app.snapshots.apply([
      positionsTransaction({ generation: 12, hotkeys: ['a'], put: { a: namedMiner('a4') } }),
    ]);
    t.equal((await changes(app, 10)).statusCode, 410);
    t.strictSame(await told(app, 11), [['a'], []]);
  },
);

await t.test('a generation that is about to arrive is waited for', async (t) => {
  const app = testApp(t, [first]);
  const answer = changes(app, 11);
  await new Promise((resolve) => setImmediate(resolve));
  app.snapshots.apply([
    positionsTransaction({ generation: 11, hotkeys: ['a', 'b'], put: { a: namedMiner('a2') } }),
  ]);
  const response = await answer;
  t.equal(response.statusCode, 200);
  const body = response.json<Record<string, unknown>>();
  t.match(body, { since: 11, generation: 11 });
  t.strictSame(body['miners'], {});
});

await t.test('a generation that does not arrive is answered by 410 after a second', async (t) => {
  const app = testApp(t, [first]);
  const startedMs = performance.now();
  t.equal((await changes(app, 11)).statusCode, 410);
  t.ok(performance.now() - startedMs < 5000);
});

await t.test('since must be a generation, and the key must reach the tier', async (t) => {
  const app = testApp(t, [first]);
  for (const since of ['', 'x', '-1', '1.5', '1e3', '0x1', '%31%30%20', '1'.repeat(16)]) {
    const response = await changes(app, since);
    t.equal(response.statusCode, 400, since);
    t.match(response.json(), { error: /^Invalid since value/ });
  }
  t.equal((await app.app.inject({ url: '/miner-positions/changes', headers: BEARER })).statusCode, 400);
  t.equal((await changes(app, 10, '&tier=31')).statusCode, 400);
  const low = await app.app.inject({
    url: '/miner-positions/changes?since=10',
    headers: { authorization: 'Bearer key-tier50' },
  });
  t.equal(low.statusCode, 403);
  t.equal((await app.app.inject({ url: '/miner-positions/changes?since=10' })).statusCode, 401);
});

await t.test('many miners that went away do not add up forever', (t) => {
  const snapshots = new Snapshots();
  const names = Array.from({ length: 5000 }, (_, index) => `m${index}`);
  snapshots.apply([first]);
  for (const [index, name] of names.entries()) {
    snapshots.apply([positionsTransaction({ generation: 11 + index, hotkeys: ['a', 'b'], remove: [name] })]);
  }
  const state = snapshots.positions;
  t.equal(state?.history.gone.size, 4096);
  const oldest = 10 + 5000 - 4096;
  t.equal(state?.changes(100, oldest - 1), undefined, 'older generations are no longer known');
  t.ok(state?.changes(100, oldest));
  t.end();
});

/** What a client holds: hotkey -> name of its value. */
type World = ReadonlyMap<string, string>;

/** Each step sets some miners to a value, removes others, and may restart the feed (a full state, generations skipped). */
const steps = fc.array(
  fc.record({
    set: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2')),
    remove: fc.subarray(['a', 'b', 'c']),
    restarts: fc.boolean(),
    /** The worker is slow: this step reaches it merged with the next. */
    isHeldBack: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

function value(name: string) {
  const position = [{ position_uuid: name }];
  return minerValue([], { 0: [], 30: [], 50: [], 100: position });
}

await t.test('whatever a worker was sent, a client that applies its changes holds the full map', (t) => {
  fc.assert(
    fc.property(steps, (plan) => {
      const snapshots = new Snapshots();
      const worlds = new Map<number, World>();
      let world = new Map<string, string>();
      let generation = 0;
      let feed = new PublishedMiners();
      let held: AnyTransaction | undefined;
      for (const [index, step] of plan.entries()) {
        const next = new Map([...world, ...Object.entries(step.set)]);
        for (const hotkey of step.remove) next.delete(hotkey);
        const isReset = step.restarts || index === 0;
        generation += step.restarts ? 3 : 1;
        if (step.restarts) feed = new PublishedMiners();
        const put = [...next].filter(([hotkey, name]) => isReset || world.get(hotkey) !== name);
        const transaction: Transaction = positionsTransaction(
          {
            generation,
            hotkeys: [...next.keys()],
            put: Object.fromEntries(put.map(([hotkey, name]) => [hotkey, value(name)])),
            remove: isReset ? [] : [...world.keys()].filter((hotkey) => !next.has(hotkey)),
            reset: isReset,
          },
          feed,
        );
        world = next;
        worlds.set(generation, next);
        held =
          held === undefined
            ? (transaction as AnyTransaction)
            : mergeTransactions(held, transaction as AnyTransaction);
        if (step.isHeldBack && index < plan.length - 1) continue;
        snapshots.apply([held]);
        held = undefined;

        for (const [since, client] of worlds) {
          const snapshot = snapshots.positions?.changes(100, since);
          if (snapshot === undefined) continue;
          const body = JSON.parse(
            gunzipSync(Buffer.concat([...snapshot.pieces()])).toString(),
          ) as MinerPositionsChanges;
          const applied = new Map(client);
          for (const [hotkey, miner] of Object.entries(body.miners)) {
            applied.set(hotkey, miner.positions[0]?.position_uuid ?? '');
          }
          for (const hotkey of body.gone) applied.delete(hotkey);
          const sorted = (map: World) => JSON.stringify([...map].sort());
          if (sorted(applied) !== sorted(world)) return false;
        }
        // The newest generation is known unless the world started anew, which this plan never does.
        if (snapshots.positions?.changes(100, generation) === undefined) return false;
      }
      return true;
    }),
    { numRuns: 200 },
  );
  t.end();
});

const ABC = ['a', 'b', 'c'];

const events = fc.array(
  fc.record({
    miner: fc.constantFrom(...ABC),
    /** What the delayed tiers show; absent: the trade is younger than a day. */
    shown: fc.option(fc.constantFrom('1', '2', '3')),
    /** The worker is busy: this generation reaches it together with the next. */
    isHeldBack: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

await t.test('two worlds that differ in trades of today alone are the same to a delayed key', async (t) => {
  await fc.assert(
    fc.asyncProperty(events, async (plan) => {
      /** What a worker has in the end; without trades of today where `isQuiet`. */
      const worldOf = (isQuiet: boolean) => {
        const feed = new PublishedMiners();
        const app = testApp(t, []);
        const shown = new Map(ABC.map((hotkey) => [hotkey, '0']));
        const valueOf = (hotkey: string, hidden: number) => {
          const old = [{ position_uuid: `${hotkey}-${shown.get(hotkey) ?? ''}` }];
          const all = isQuiet ? old : [...old, { position_uuid: `today-${hidden}` }];
          return minerValue([], { 0: old, 30: old, 50: old, 100: all });
        };
        const hotkeys = ABC;
        const head = (sequence: number) => ({
          goneAt: 10,
          sequence,
          epoch: 'e',
          modifiedMs: 10_000 * sequence,
        });
        let held = positionsTransaction(
          {
            generation: 10,
            hotkeys,
            put: Object.fromEntries(hotkeys.map((hotkey) => [hotkey, valueOf(hotkey, 0)])),
            reset: true,
            head: head(0),
          },
          feed,
        ) as AnyTransaction | undefined;
        for (const [index, { miner, shown: next, isHeldBack }] of plan.entries()) {
          if (next === null && isQuiet) continue;
          if (next !== null) shown.set(miner, next);
          const put = { [miner]: valueOf(miner, index + 1) };
          const change = positionsTransaction(
            { generation: 11 + index, hotkeys, put, head: head(index + 1) },
            feed,
          ) as AnyTransaction;
          held = held === undefined ? change : mergeTransactions(held, change);
          if (isHeldBack) continue;
          app.snapshots.apply([held]);
          held = undefined;
        }
        if (held !== undefined) app.snapshots.apply([held]);
        return app;
      };
      const worlds = [worldOf(true), worldOf(false)];
      for (const tier of [0, 30, 50]) {
        const headers = { authorization: `Bearer key-tier${tier}` };
        for (const url of [
          `/miner-positions?tier=${tier}`,
          ...ABC.map((hotkey) => `/miner-positions/${hotkey}`),
          '/miner-hotkeys',
          // Generations that it may have been told of.
          ...plan
            .flatMap(({ shown: next }, index) => (next === null ? [] : [11 + index]))
            .map((since) => `/miner-positions/changes?tier=${tier}&since=${since}`),
        ]) {
          const [quiet, busy] = await Promise.all(
            worlds.map(async ({ app }) => {
              const { statusCode, headers: told, body } = await app.inject({ url, headers });
              return JSON.stringify([statusCode, { ...told, date: '', 'x-request-id': '' }, body]);
            }),
          );
          if (quiet !== busy) throw new Error(`${url}: ${quiet ?? ''}\nand ${busy ?? ''}`);
        }
      }
    }),
    { numRuns: 20 },
  );
});
