import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { monotonicMs } from '../../runtime/dist/metrics/monotonic-clock.js';
import type { TestApp } from './rest-fixture.ts';
import {
  BEARER,
  documentTransaction,
  feedHealth,
  fixturePositions,
  positionsTransaction,
  statisticsTransaction,
  testApp,
} from './rest-fixture.ts';

const HOTKEY = '5uVJj8wXgMTrGgCyt2yEJfRpcMRF1JBSUh473QCUjL7aUmGR';

async function ask({ app }: TestApp, url: string): Promise<[status: number, body: unknown]> {
  const response = await app.inject({ url, headers: { ...BEARER, 'accept-encoding': 'identity' } });
  return [response.statusCode, response.json()];
}

const error = (text: string) => ({ error: text });

await t.test('where files are missing, each route says which', async (t) => {
  const app = testApp(t, [
    positionsTransaction({ generation: 1, hotkeys: [], reset: true, head: { source: 'none' } }),
  ]);
  t.strictSame(await ask(app, '/miner-positions'), [404, error('Data not found')]);
  t.strictSame(await ask(app, '/miner-positions?tier=30'), [404, error('Data not found')]);
  t.strictSame(await ask(app, `/miner-positions/${HOTKEY}`), [404, error(`Miner ID ${HOTKEY} not found`)]);
  t.strictSame(await ask(app, '/miner-hotkeys'), [404, error('No miner hotkeys found')]);
  t.strictSame(await ask(app, '/statistics'), [404, error('Statistics data not found')]);
  t.strictSame(await ask(app, `/statistics/${HOTKEY}/`), [404, error('Statistics data not found')]);
  t.strictSame(await ask(app, '/eliminations'), [404, error('Eliminations data not found')]);
  t.strictSame(await ask(app, '/validator-checkpoint'), [404, error('Checkpoint data not found')]);
  t.strictSame(await ask(app, '/miner-copying'), [404, error('Miner copying data not found')]);
});

await t.test('empty files are data', async (t) => {
  const app = testApp(t, [
    positionsTransaction({ generation: 1, hotkeys: [], reset: true, head: { source: 'outputs' } }),
    statisticsTransaction('{"data": []}'),
    documentTransaction('eliminations', '{}'),
  ]);
  t.strictSame(await ask(app, '/miner-positions'), [200, {}]);
  t.strictSame(await ask(app, '/miner-positions?tier=0'), [200, {}]);
  t.strictSame(await ask(app, `/miner-positions/${HOTKEY}`), [404, error(`Miner ID ${HOTKEY} not found`)]);
  t.strictSame(await ask(app, '/miner-hotkeys'), [404, error('No miner hotkeys found')]);
  t.strictSame(await ask(app, '/statistics'), [200, { data: [] }]);
  t.strictSame(await ask(app, '/statistics?checkpoints=false'), [200, { data: [] }]);
  t.strictSame(await ask(app, `/statistics/${HOTKEY}`), [404, error('No data found')]);
  t.strictSame(await ask(app, '/eliminations'), [200, {}]);
});

await t.test('a file that goes away is gone, and one that comes is served', async (t) => {
  const app = testApp(t);
  app.snapshots.apply([
    { topic: 'documents', reset: false, put: [], remove: ['eliminations'] },
    { topic: 'statistics', reset: true, put: [], remove: [] },
  ]);
  t.equal((await ask(app, '/eliminations'))[0], 404);
  t.equal((await ask(app, '/statistics'))[0], 404);
  app.snapshots.apply([
    documentTransaction('eliminations', '{"eliminations": []}'),
    statisticsTransaction('{"data": [{"hotkey": "a", "weight": 1}]}'),
  ]);
  t.strictSame(await ask(app, '/eliminations'), [200, { eliminations: [] }]);
  t.strictSame(await ask(app, '/statistics/a'), [200, { hotkey: 'a', weight: 1 }]);
});

await t.test('until the first positions have arrived, data is being loaded', async (t) => {
  const app = testApp(t, []);
  const paths = [
    '/miner-positions',
    '/miner-positions/a',
    '/miner-positions/changes?since=1',
    '/miner-hotkeys',
    '/statistics',
    '/statistics/a',
    '/eliminations',
    '/validator-checkpoint',
    '/miner-copying',
  ];
  for (const url of paths) {
    const response = await app.app.inject({ url, headers: BEARER });
    t.equal(response.statusCode, 503, url);
    t.equal(response.headers['retry-after'], '2', url);
    t.match(response.json(), error('Data is being loaded, try again in a few seconds'), url);
  }
  t.equal((await app.app.inject({ url: '/eliminations' })).statusCode, 401, 'who has no key is not told');
});

await t.test(
  'the process is healthy always, and ready when its data is there and kept up to date',
  async (t) => {
    const app = testApp(t, []);
    t.strictSame(await ask(app, '/healthz'), [200, { status: 'ok' }]);
    t.strictSame(await ask(app, '/readyz'), [503, { status: 'degraded', reasons: ['positions not loaded'] }]);
    app.snapshots.apply([fixturePositions(), feedHealth(true)]);
    t.strictSame(await ask(app, '/readyz'), [200, { status: 'ready' }]);
    app.snapshots.apply([feedHealth(false)]);
    t.strictSame(await ask(app, '/readyz'), [
      503,
      { status: 'degraded', reasons: ['feed down since 2025-11-10T16:47:14.000Z'] },
    ]);
    t.equal((await ask(app, '/miner-positions'))[0], 200, 'the last state is served all the same');
    t.equal((await app.app.inject({ url: '/healthz' })).statusCode, 200, 'no key is needed');
  },
);

await t.test('positions that were not checked for too long are not ready; a quiet market is', async (t) => {
  const app = testApp(t, [fixturePositions(), feedHealth(true)], undefined, { maxStalenessMs: 60_000 });
  const checked = (agoMs: number) => {
    app.snapshots.apply([
      {
        topic: 'sources',
        reset: false,
        put: [['feed', { kind: 'sources-health', checkedMs: monotonicMs() - agoMs }]],
        remove: [],
      },
    ]);
  };
  // The positions of the fixtures have not changed for long.
  checked(50_000);
  t.strictSame(await ask(app, '/readyz'), [200, { status: 'ready' }]);
  checked(61_000);
  t.strictSame(await ask(app, '/readyz'), [
    503,
    { status: 'degraded', reasons: ['positions not checked for 61 s, allowed are 60 s'] },
  ]);
  checked(0);
  t.equal((await ask(app, '/readyz'))[0], 200);
});

await t.test('a transaction that breaks the promises of its topic is a fault', (t) => {
  const { snapshots } = testApp(t);
  t.throws(
    () => {
      snapshots.apply([positionsTransaction({ generation: 9, hotkeys: ['never-sent'] })]);
    },
    { message: /never-sent, whose value was never sent/ },
  );
  t.throws(
    () => {
      snapshots.apply([{ topic: 'positions', reset: false, put: [], remove: ['miner:a'] }]);
    },
    { message: /no head/ },
  );
  t.end();
});

await t.test('a document that lies on disk is read from there, and is loading where it is not', async (t) => {
  const { app, snapshots, logged } = testApp(t);
  const folder = mkdtempSync(join(tmpdir(), 'ptn-document-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  const text = JSON.stringify({ noise: randomBytes(300_000).toString('hex') });
  const gzip = gzipSync(text);
  const path = join(folder, 'checkpoint.json.gz');
  writeFileSync(path, gzip);
  const file = { path, sizeBytes: gzip.length };
  const value = { kind: 'document', file, sizeBytes: text.length, digest: 'd1', modifiedMs: 1000 } as const;
  snapshots.apply([{ topic: 'documents', reset: false, put: [['checkpoint', value]], remove: [] }]);
  const get = (encoding: string, method: 'GET' | 'HEAD' = 'GET') =>
    app.inject({ url: '/validator-checkpoint', method, headers: { ...BEARER, 'accept-encoding': encoding } });

  const zipped = await get('gzip');
  t.ok(zipped.rawPayload.equals(gzip));
  t.equal(zipped.headers['content-length'], String(gzip.length));
  t.equal((await get('identity')).body, text);
  t.equal((await get('gzip', 'HEAD')).headers['content-length'], String(gzip.length));
  rmSync(path);
  const missing = await get('gzip');
  t.same([missing.statusCode, missing.headers['retry-after']], [503, '2']);
  t.match(logged, [{ event: 'document-missing' }]);
  t.equal((await get('gzip', 'HEAD')).statusCode, 200, 'which reads nothing');
});
