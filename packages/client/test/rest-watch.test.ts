import { PtnRestClient } from '@ptn-api/client';
import type { PositionsUpdate } from '@ptn-api/client';
import t from 'tap';
import { fakeServer, sendJson } from './rest-fixture.ts';

const miner = {
  positions: [],
  thirty_day_returns: 1,
  all_time_returns: 1,
  n_positions: 0,
  percentage_profitable: 0,
};

/** A server that answers with these in turn, and the last one again and again. */
async function scripted(
  t: Parameters<typeof fakeServer>[0],
  script: readonly (readonly [generation: number, body: unknown, status?: number])[],
) {
  let at = 0;
  const { url, requests } = await fakeServer(t, (_request, response) => {
    const [generation, body, status] = script[Math.min(at, script.length - 1)] ?? [0, {}];
    at += 1;
    sendJson(response, body, { 'X-Generation': String(generation) }, status);
  });
  return {
    client: new PtnRestClient({ url, apiKey: 'key' }),
    urls: () => requests.map((request) => request.url),
  };
}

function changes(since: number, generation: number, gone: readonly string[] = []) {
  return [generation, { since, generation, tier: 100, miners: { a: miner }, gone }] as const;
}

async function take(updates: AsyncIterable<PositionsUpdate>, count: number): Promise<PositionsUpdate[]> {
  const taken: PositionsUpdate[] = [];
  for await (const update of updates) if (taken.push(update) === count) break;
  return taken;
}

await t.test('first everything, then what changed since the last generation', async (t) => {
  const { client, urls } = await scripted(t, [[5, { a: miner }], changes(5, 7, ['b']), changes(7, 8)]);
  const updates = await take(client.watchPositions({ everyMs: 1 }), 3);
  t.match(updates, [
    { isFull: true, generation: 5, miners: { a: miner } },
    { isFull: false, generation: 7, gone: ['b'] },
    { isFull: false, generation: 8 },
  ]);
  t.same(urls(), [
    '/miner-positions?tier=100',
    '/miner-positions/changes?since=5&tier=100',
    '/miner-positions/changes?since=7&tier=100',
  ]);
});

await t.test('an answer without a change is not given', async (t) => {
  const { client, urls } = await scripted(t, [[5, {}], changes(5, 5), changes(5, 5), changes(5, 6)]);
  const updates = await take(client.watchPositions({ everyMs: 1 }), 2);
  t.same(
    updates.map(({ generation }) => generation),
    [5, 6],
  );
  t.equal(urls().length, 4);
});

await t.test('where the server no longer knows, everything is read again', async (t) => {
  const gone = { error: 'Generation 5 is too old or unknown.' };
  const { client } = await scripted(t, [[5, {}], [9, gone, 410], [9, { a: miner }], changes(9, 10)]);
  const updates = await take(client.watchPositions({ everyMs: 1 }), 3);
  t.same(
    updates.map(({ isFull, generation }) => [isFull, generation]),
    [
      [true, 5],
      [true, 9],
      [false, 10],
    ],
  );
});

await t.test('a watch goes on from a generation', async (t) => {
  const { client, urls } = await scripted(t, [changes(7, 8)]);
  await take(client.watchPositions({ everyMs: 1, since: 7, tier: 30 }), 1);
  t.same(urls(), ['/miner-positions/changes?since=7&tier=30']);
});

await t.test('a failure is thrown to who watches', async (t) => {
  const { client } = await scripted(t, [
    [5, {}],
    [0, { error: 'Internal server error' }, 500],
  ]);
  await t.rejects(take(client.watchPositions({ everyMs: 1 }), 2), { name: 'PtnRestError', status: 500 });
});

await t.test('an aborted watch ends at once, without an error', async (t) => {
  const { client } = await scripted(t, [[5, {}]]);
  const aborting = new AbortController();
  let count = 0;
  for await (const update of client.watchPositions({ everyMs: 1_000_000, signal: aborting.signal })) {
    count += update.isFull ? 1 : 0;
    // It is in its pause by then.
    setImmediate(() => {
      aborting.abort();
    });
  }
  t.equal(count, 1);
});

await t.test('an answer without X-Generation cannot be followed', async (t) => {
  const { url } = await fakeServer(t, (_request, response) => {
    sendJson(response, {});
  });
  const client = new PtnRestClient({ url, apiKey: 'key' });
  await t.rejects(take(client.watchPositions({ everyMs: 1 }), 1), /no X-Generation/);
});
