import { mkdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { makePosition, makePtnRoot, startServer, waitFor } from '@ptn-api/testkit';
import t from 'tap';

const HOUR_MS = 3_600_000;
const now = Date.now();
const at = (hoursAgo: number): number => now - hoursAgo * HOUR_MS;
const made = (uuid: string, hotkey: string, ...hoursAgo: number[]) =>
  makePosition({ uuid, hotkey, orders: hoursAgo.map((hours) => ({ timeMs: at(hours) })) });
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

const good = made('good', 'miner-a', 60, 30, 1);
const root = makePtnRoot(t, {
  keys: { all: { key: 'key-100', tier: 100 }, least: { key: 'key-0', tier: 0 } },
  positions: [good, made('steady', 'miner-b', 50), made('leaving', 'miner-c', 50)],
  files: {
    'runnable/minerstatistics.json': '{"data": [{"hotkey": "__proto__", "score": 1.50}]}',
    'validation/eliminations.json': '{"eliminations": [{"hotkey": "__proto__"}]}',
    'runnable/validator_checkpoint.json': '{"positions": {"__proto__": NaN}}',
  },
});
const server = await startServer(t, { root: root.path });
const pids = server.childPids();
const OPEN = 'validation/miners/miner-a/positions/BTCUSD/open';

interface Answer {
  readonly status: number;
  readonly text: string;
}

interface Shown {
  readonly positions: readonly {
    readonly position_uuid: string;
    readonly orders: readonly unknown[];
    readonly current_return: number | null;
  }[];
}

async function get(path: string, key = 'key-100'): Promise<Answer> {
  const response = await fetch(server.url + path, { headers: { Authorization: `Bearer ${key}` } });
  return { status: response.status, text: await response.text() };
}

/** A miner's positions by uuid; empty where there is no such miner. */
async function shownOf(hotkey: string, key = 'key-100'): Promise<Map<string, Shown['positions'][number]>> {
  const { status, text } = await get(`/miner-positions/${hotkey}`, key);
  const { positions } = status === 200 ? (JSON.parse(text) as Shown) : { positions: [] };
  return new Map(positions.map((position) => [position.position_uuid, position]));
}

function logged(event: string): Record<string, unknown>[] {
  return server
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => line['event'] === event);
}

await t.test('unknown members, deep nesting and an odd prototype pass byte for byte', async (t) => {
  const text = `${JSON.stringify(made('odd', 'miner-a', 50)).slice(0, -1)}, "__proto__": {"a":  1.50}, "new":[1,  2.0,{"é":"\\u00e9"}], "deep":${nested(100_000)}}`;
  root.writeFile(`${OPEN}/odd`, text);
  await waitFor(async () => (await get('/miner-positions/miner-a')).text.includes(text), {
    what: 'the bytes',
  });
  t.ok((await shownOf('miner-a')).has('good'), 'beside the others');
});

await t.test('files that are no positions leave the others as they are', async (t) => {
  const broken = {
    empty: '',
    half: '{"position_uuid": "half", "orders": [{"proc',
    word: 'hello',
    list: '[]',
    nothing: '{"a": 1}',
    brackets: nested(100_000),
    time: JSON.stringify(made('time', 'miner-a', 50)).replace(/"processed_ms":\d+/, '"processed_ms":1e30'),
  };
  for (const [name, text] of Object.entries(broken)) root.writeFile(`${OPEN}/${name}`, text);
  root.writePosition(made('later', 'miner-a', 40));
  await waitFor(async () => (await shownOf('miner-a')).has('later'), { what: 'the position behind them' });
  t.same([...(await shownOf('miner-a')).keys()].sort(), ['good', 'later', 'odd']);
});

await t.test('an unknown trade pair is rebuilt for the lowest tier, with a warning', async (t) => {
  const text = JSON.stringify(made('pair', 'miner-d', 50, 1));
  root.writeFile(
    'validation/miners/miner-d/positions/FOOBAR/open/pair',
    text.replace('"BTCUSD","BTC/USD"', '"FOOBAR","FOO/BAR"'),
  );
  await waitFor(async () => (await shownOf('miner-d', 'key-0')).has('pair'), { what: 'the position' });
  t.equal((await shownOf('miner-d', 'key-0')).get('pair')?.orders.length, 1);
  t.equal((await shownOf('miner-d')).get('pair')?.orders.length, 2);
  t.match(logged('position-warning'), [{ msg: /position pair has the unknown trade pair FOOBAR/ }]);
});

await t.test('orders out of time order and NaN do not hide what can be shown', async (t) => {
  const mixed = made('mixed', 'miner-e', 80, 50, 1);
  const [first, second, third] = mixed.orders;
  root.writePosition(mixed, { text: JSON.stringify({ ...mixed, orders: [second, first, third] }) });
  const nan = made('nan', 'miner-e', 50, 1);
  root.writePosition(nan, {
    text: JSON.stringify(nan).replace(/"current_return":[^,]+/, '"current_return":NaN'),
  });
  await waitFor(async () => (await shownOf('miner-e')).size === 2, { what: 'both' });
  const least = await shownOf('miner-e', 'key-0');
  t.equal(least.get('mixed')?.orders.length, 2, 'the young order alone is hidden');
  t.equal((await shownOf('miner-e')).get('nan')?.current_return, null);
  t.equal(least.get('nan')?.orders.length, 1);
  t.equal(least.get('nan')?.current_return, 1, 'worked out anew');
});

await t.test('folders with odd names are served in the map, and paths never lead out of it', async (t) => {
  const names = [
    '__proto__',
    'constructor',
    '..%2f',
    'a b',
    '"q"',
    'ünï-日本',
    `${'x'.repeat(150)}\n\r\t\u001b[31m\u0007${'y'.repeat(40)}`,
  ];
  for (const [index, name] of names.entries()) root.writePosition(made(`odd-${index}`, name, 50));
  const map = await waitFor(
    async () => {
      const shown = JSON.parse((await get('/miner-positions')).text) as Record<string, Shown>;
      return names.every((name) => Object.hasOwn(shown, name)) ? shown : null;
    },
    { what: 'all in the map' },
  );
  for (const [index, name] of names.entries())
    t.equal(map[name]?.positions[0]?.position_uuid, `odd-${index}`, name);
  for (const name of ['__proto__', 'constructor']) t.equal((await shownOf(name)).size, 1, name);
  for (const path of ['..%2f..%2fetc', '%00', '%zz', '%ff', 'toString', encodeURIComponent('a b')]) {
    const answer = await get(`/miner-positions/${path}`);
    t.equal(answer.status, 404, path);
    t.type((JSON.parse(answer.text) as { error: string }).error, 'string');
  }
  t.equal((await get(`/miner-positions/${'a'.repeat(10_000)}`)).status, 404, '10 KB of a hotkey');
});

const singleFiles = [
  ['/statistics', 'runnable/minerstatistics.json'],
  ['/eliminations', 'validation/eliminations.json'],
  ['/validator-checkpoint', 'runnable/validator_checkpoint.json'],
] as const;

await t.test('single files that break keep what was read last', async (t) => {
  const before = await Promise.all(singleFiles.map(([path]) => get(path)));
  for (const { status, text } of before) {
    t.equal(status, 200);
    t.match(text, '__proto__');
  }
  for (const broken of ['', '{"data": [{"hotk', 'hello', `{"data": ${'['.repeat(50_000)}`]) {
    const uuid = `with-${broken.length}`;
    for (const [, file] of singleFiles) root.writeFile(file, broken);
    root.writePosition(made(uuid, 'miner-f', 50));
    await waitFor(async () => (await shownOf('miner-f')).has(uuid), { what: 'a position that came with it' });
    t.same(await Promise.all(singleFiles.map(([path]) => get(path))), before);
  }
  for (const [, file] of singleFiles) {
    rmSync(root.join(file));
    mkdirSync(root.join(file));
  }
});

await t.test('what does not read is reported in a few lines, however many files there are', async (t) => {
  const before = await Promise.all(singleFiles.map(([path]) => get(path)));
  for (const round of [1, 2]) {
    for (let index = 0; index < 300; index++) {
      const path = `validation/miners/bad-${index % 10}/positions/BTCUSD/open/b-${index}`;
      root.writeFile(path, `{"half ${round}`);
    }
  }
  root.writePosition(made('amid', 'miner-b', 40));
  await waitFor(async () => (await shownOf('miner-b')).has('amid'), { what: 'a position amid them' });
  const counted = () => logged('bad-positions').reduce((sum, line) => sum + Number(line['count']), 0);
  await waitFor(() => logged('bad-position').length + counted() === 307, { timeoutMs: 12_000, what: 'all' });
  t.ok(logged('bad-position').length <= 60, `${logged('bad-position').length} lines`);
  const own = logged('bad-position').filter((line) => String(line['path']).startsWith('miner-a/'));
  t.equal(own.length, 7, 'the first few are named');
  for (const line of own) t.match(line['reason'], /^(is|has|order 0 has) /);

  const reported = () => logged('bad-file').filter((line) => line['reason'] === 'is not a regular file');
  await waitFor(() => reported().length === 3, { timeoutMs: 12_000, what: 'the folders in place of files' });
  const files = reported().map((line) => line['file']);
  t.same(files.sort(), singleFiles.map(([, file]) => file).sort());
  t.same(await Promise.all(singleFiles.map(([path]) => get(path))), before, 'still served');
});

await t.test('single files that are mended are served again, however deep', async (t) => {
  for (const [path, file] of singleFiles) {
    rmdirSync(root.join(file));
    root.writeFile(file, `{"data": [{"hotkey": "again", "deep": ${nested(100_000)}}]}`);
    await waitFor(async () => (await get(path)).text.includes(nested(100_000)), { what: 'the mended file' });
    t.equal((await get(path)).status, 200);
  }
});

await t.test('a position file of 50 MB is served and holds up nobody for long', async (t) => {
  const large = made('large', 'miner-large', 50, 1);
  const filling = 'x'.repeat(50_000_000);
  root.writePosition(large, {
    text: JSON.stringify(large).replace('"price_sources":[]', `"price_sources":["${filling}"]`),
  });
  let slowestMs = 0;
  const statuses = new Set<number>();
  const asking = new AbortController();
  const others = (async () => {
    while (!asking.signal.aborted) {
      const startedMs = performance.now();
      statuses.add((await get('/miner-positions/miner-b')).status);
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
      await delay(20);
    }
  })();
  try {
    await waitFor(async () => (await shownOf('miner-large', 'key-0')).get('large')?.orders.length === 1, {
      timeoutMs: 60_000,
      what: 'the large position',
    });
  } finally {
    asking.abort();
    await others;
  }
  t.same([...statuses], [200]);
  t.ok(slowestMs < 5000, `the slowest answer to others took ${slowestMs} ms, a heartbeat allows 15 s`);
  t.ok((await get('/miner-positions/miner-large')).text.includes(filling), 'complete');
  root.removePosition(large);
  const isListed = async (): Promise<boolean> => (await get('/miner-hotkeys')).text.includes('miner-large');
  await waitFor(async () => !(await isListed()), { timeoutMs: 60_000, what: 'it is gone' });
  t.equal((await shownOf('miner-large')).size, 0);
});

await t.test(
  'a folder of a miner vanishes, then all of them, and what comes back is served again',
  async (t) => {
    rmSync(root.join('validation/miners/miner-c'), { recursive: true });
    await waitFor(async () => (await get('/miner-positions/miner-c')).status === 404, { what: 'it is gone' });
    t.ok((await shownOf('miner-a')).has('good'));

    renameSync(root.join('validation/miners'), root.join('validation/away'));
    await waitFor(async () => (await get('/miner-positions')).status === 404, { what: 'all are gone' });
    await waitFor(() => logged('no-miners').length === 1, { what: 'a line that says so' });
    renameSync(root.join('validation/away'), root.join('validation/miners'));
    await waitFor(async () => (await shownOf('miner-a')).has('good'), { what: 'they are back' });
    root.writePosition(made('new', 'miner-a', 40));
    await waitFor(async () => (await shownOf('miner-a')).has('new'), { what: 'a new position' });
  },
);

await t.test('PTN_ROOT goes and comes back: clear answers, few lines, and no worker ended', async (t) => {
  // Every request has its own.
  const lineCount = () =>
    server
      .output()
      .split('\n')
      .filter((line) => !line.includes('"event":"request"')).length;
  const linesBefore = lineCount();
  renameSync(root.path, `${root.path}-away`);
  t.teardown(() => {
    rmSync(`${root.path}-away`, { recursive: true, force: true });
  });
  for (const path of ['/miner-positions', '/statistics', '/eliminations', '/validator-checkpoint']) {
    const answer = await waitFor(
      async () => {
        const given = await get(path);
        return given.status === 404 ? given : null;
      },
      { what: `${path} is gone` },
    );
    t.type((JSON.parse(answer.text) as { error: string }).error, 'string', path);
  }
  renameSync(`${root.path}-away`, root.path);
  await waitFor(async () => (await shownOf('miner-a')).has('good'), { what: 'the positions are back' });
  for (const [path] of singleFiles) {
    await waitFor(async () => (await get(path)).status === 200, { what: `${path} is back` });
  }
  t.ok(lineCount() - linesBefore < 20, 'the log is not flooded');
  t.same(server.childPids(), pids, 'the workers are those that were started');
  t.same(logged('worker-fault'), []);
});
