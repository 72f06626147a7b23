import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { negotiate } from '../dist/negotiate.js';
import {
  BEARER,
  MODIFIED_MS,
  namedMiner,
  positionsTransaction,
  readFixture,
  testApp,
} from './rest-fixture.ts';

const GZIP = { ...BEARER, 'accept-encoding': 'gzip' };
const IDENTITY = { ...BEARER, 'accept-encoding': 'identity' };

const HOTKEY = '5uVJj8wXgMTrGgCyt2yEJfRpcMRF1JBSUh473QCUjL7aUmGR';
const SNAPSHOT_PATHS = [
  '/miner-positions',
  '/miner-positions?tier=30',
  `/miner-positions/${HOTKEY}`,
  '/miner-positions/changes?since=1',
  '/miner-hotkeys',
  '/statistics',
  '/statistics?checkpoints=false',
  `/statistics/${HOTKEY}`,
  '/eliminations',
  '/validator-checkpoint',
  '/miner-copying',
];

/** A copy of an object that lacks some fields. */
function without(fields: object, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}

await t.test('Accept-Encoding is weighed as HTTP says', (t) => {
  const table: [header: string | undefined, encoding: 'gzip' | 'identity'][] = [
    [undefined, 'identity'],
    ['', 'identity'],
    ['gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['x-gzip', 'gzip'],
    ['gzip, deflate, br, zstd', 'gzip'],
    ['br;q=1.0, gzip;q=0.2', 'gzip'],
    ['identity;q=1, gzip;q=0.5', 'gzip'],
    ['gzip;q=0', 'identity'],
    ['gzip ; q=0.000', 'identity'],
    ['gzip;q=0, *', 'identity'],
    ['*', 'gzip'],
    ['*;q=0', 'identity'],
    ['*;q=0, gzip', 'gzip'],
    ['br', 'identity'],
    ['zstd, deflate', 'identity'],
    ['identity', 'identity'],
    ['identity;q=0', 'gzip'],
    ['gzip;q=0, identity;q=0', 'gzip'],
    ['gzip;q=nonsense', 'gzip'],
    [',,', 'identity'],
    ['gzipped', 'identity'],
  ];
  for (const [header, encoding] of table) t.equal(negotiate(header, 'identity'), encoding, String(header));
  t.equal(negotiate(undefined, 'gzip'), 'gzip', 'without the header the caller decides');
  t.end();
});

await t.test('gzip and identity are the same text, with their lengths, ETags and headers', async (t) => {
  const { app } = testApp(t);
  const etags = new Set<string>();
  for (const url of SNAPSHOT_PATHS) {
    const zipped = await app.inject({ url, headers: GZIP });
    const plain = await app.inject({ url, headers: IDENTITY });
    t.equal(zipped.headers['content-encoding'], 'gzip', url);
    t.equal(plain.headers['content-encoding'], undefined, url);
    t.equal(gunzipSync(zipped.rawPayload).toString(), plain.body, url);
    t.doesNotThrow(() => plain.json<unknown>(), url);
    for (const { headers, rawPayload } of [zipped, plain]) {
      t.equal(Number(headers['content-length']), rawPayload.length, url);
      t.match(headers, {
        'content-type': /^application\/json$/,
        vary: 'Accept-Encoding',
        'cache-control': 'private, no-cache',
        'last-modified': new Date(MODIFIED_MS).toUTCString(),
        'x-content-type-options': 'nosniff',
        etag: /^"[\w-]+"$/,
      });
      etags.add(headers.etag ?? '');
    }
  }
  t.equal(etags.size, 2 * SNAPSHOT_PATHS.length, 'every body has an ETag of its own');
});

await t.test('the map at a tier is what the source holds', async (t) => {
  const { app } = testApp(t);
  const response = await app.inject({ url: '/miner-positions', headers: GZIP });
  const source = JSON.parse(readFixture('root/validation/outputs/output.json')) as Record<string, object>;
  const map = JSON.parse(gunzipSync(response.rawPayload).toString()) as Record<string, { tier: number }>;
  t.strictSame(Object.keys(map), Object.keys(source), 'the order is kept');
  for (const [hotkey, value] of Object.entries(source)) t.match(map[hotkey], { ...value, tier: 100 });
  const delayed = await app.inject({ url: '/miner-positions?tier=30', headers: IDENTITY });
  t.ok(Object.values(delayed.json<typeof map>()).every(({ tier }) => tier === 30));
  const single = await app.inject({
    url: `/miner-positions/${HOTKEY}`,
    headers: { ...IDENTITY, authorization: 'Bearer key-tier30' },
  });
  t.strictSame(single.json(), delayed.json<typeof map>()[HOTKEY], "one miner is shown at the key's tier");
});

await t.test('statistics are what the file holds, with and without checkpoints', async (t) => {
  const { app } = testApp(t);
  const source = JSON.parse(readFixture('root/runnable/minerstatistics.json')) as {
    data: { hotkey: string; checkpoints?: unknown }[];
  };
  const full = await app.inject({ url: '/statistics', headers: IDENTITY });
  t.same(full.json(), source);
  const short = { ...source, data: source.data.map((element) => without(element, ['checkpoints'])) };
  const shortened = await app.inject({ url: '/statistics?checkpoints=False', headers: IDENTITY });
  t.same(shortened.json(), short);
  const single = await app.inject({ url: `/statistics/${HOTKEY}/?checkpoints=false`, headers: IDENTITY });
  t.same(
    single.json(),
    short.data.find((element) => element['hotkey'] === HOTKEY),
  );
});

await t.test('the body is one gzip member that gzip -t accepts', async (t) => {
  const { app } = testApp(t);
  const response = await app.inject({ url: '/miner-positions', headers: GZIP });
  const gzip = spawn('gzip', ['-t'], { stdio: ['pipe', 'ignore', 'inherit'] });
  gzip.stdin.end(response.rawPayload);
  const [code] = (await once(gzip, 'exit')) as [number];
  t.equal(code, 0);
  // A second member would begin with the magic bytes again, right behind the end of the first.
  t.equal(
    gunzipSync(response.rawPayload).length,
    response.rawPayload.readUInt32LE(response.rawPayload.length - 4),
  );
});

await t.test('without Accept-Encoding: gzip where a tier is asked for, else identity', async (t) => {
  const { app } = testApp(t);
  const encodingOf = async (url: string) =>
    (await app.inject({ url, headers: BEARER })).headers['content-encoding'];
  t.equal(await encodingOf('/miner-positions?tier=0'), 'gzip');
  t.equal(await encodingOf('/miner-positions'), undefined);
  t.equal(await encodingOf(`/miner-positions/${HOTKEY}?tier=0`), undefined);
  t.equal(await encodingOf('/miner-positions/changes?tier=0&since=1'), undefined);
  t.equal(await encodingOf('/statistics'), undefined);
});

await t.test('what the client holds is answered by 304 with the ETag and no body', async (t) => {
  const { app } = testApp(t);
  for (const url of SNAPSHOT_PATHS) {
    const { etag = '' } = (await app.inject({ url, headers: GZIP })).headers;
    const same = await app.inject({ url, headers: { ...GZIP, 'if-none-match': `"other", W/${etag}` } });
    t.equal(same.statusCode, 304, url);
    t.equal(same.body, '');
    t.match(same.headers, { etag, vary: 'Accept-Encoding', 'cache-control': 'private, no-cache' });
    t.notOk(same.headers['content-length']);
    const other = await app.inject({ url, headers: { ...IDENTITY, 'if-none-match': etag } });
    t.equal(other.statusCode, 200, 'the other encoding is another representation');
  }
});

await t.test('the ETag tells bodies, not generations', async (t) => {
  const { app, snapshots } = testApp(t);
  const ask = (tier: number) => app.inject({ url: `/miner-positions?tier=${tier}`, headers: GZIP });
  snapshots.apply([
    positionsTransaction({ generation: 7, hotkeys: ['a'], put: { a: namedMiner('1') }, reset: true }),
  ]);
  const [first, firstDelayed] = [await ask(100), await ask(0)];
  snapshots.apply([positionsTransaction({ generation: 8, hotkeys: ['a'], put: { a: namedMiner('1') } })]);
  const again = await ask(100);
  t.equal(again.headers.etag, first.headers.etag, 'same text, same ETag');
  t.equal(again.headers['x-generation'], '8');
  snapshots.apply([positionsTransaction({ generation: 9, hotkeys: ['a'], put: { a: namedMiner('2') } })]);
  t.not((await ask(100)).headers.etag, first.headers.etag);
  t.equal(
    (await ask(0)).headers.etag,
    firstDelayed.headers.etag,
    'a tier that shows the same keeps its ETag',
  );
});

await t.test('HEAD is GET without the body', async (t) => {
  const { app } = testApp(t);
  for (const headers of [GZIP, IDENTITY]) {
    for (const url of [...SNAPSHOT_PATHS, '/healthz', '/nothing-here', '/miner-positions?tier=7']) {
      const get = await app.inject({ url, headers });
      const head = await app.inject({ method: 'HEAD', url, headers });
      t.equal(head.body, '', url);
      const comparable = (fields: object) => without(fields, ['date', 'x-request-id', 'connection']);
      t.strictSame(
        [head.statusCode, comparable(head.headers)],
        [get.statusCode, comparable(get.headers)],
        url,
      );
    }
  }
});

await t.test(
  'positions answers tell their generation, and the order they are complete to if there is a log',
  async (t) => {
    const { app, snapshots } = testApp(t);
    const before = await app.inject({ url: '/miner-positions', headers: GZIP });
    t.equal(before.headers['x-generation'], '1');
    t.notOk('x-sequence' in before.headers);
    snapshots.apply([
      positionsTransaction({
        generation: 2,
        hotkeys: [],
        reset: true,
        head: { sequence: 41, epoch: 'e1' },
        put: {},
      }),
    ]);
    const after = await app.inject({ url: '/miner-positions', headers: GZIP });
    t.match(after.headers, { 'x-generation': '2', 'x-sequence': '41', 'x-epoch': 'e1' });
  },
);

await t.test('the pieces of a body are shared while its generation is current', (t) => {
  const { snapshots } = testApp(t);
  const state = snapshots.positions;
  t.equal(state?.full(100).pieces(), state?.full(100).pieces());
  t.not(state?.full(100).pieces(), state?.full(0).pieces());
  t.end();
});
