// Two validators whose miners differ only in trades of today. Whatever a key of tier 0 asks for, in body or headers, it
// must get the same of both, but for what docs/security.md lists as inherited.
import { randomUUID } from 'node:crypto';
import { utimesSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Position } from '@ptn-api/protocol';
import { makePosition, makePtnRoot, startServer, waitFor } from '@ptn-api/testkit';
import type { PtnRoot, RunningServer } from '@ptn-api/testkit';
import fc from 'fast-check';
import t from 'tap';

const HOUR_MS = 3_600_000;
const MINERS = ['miner-a', 'miner-b', 'miner-c'];
const PAIRS = ['BTCUSD', 'ETHUSD', 'EURUSD'];
const KEYS = { delayed: { key: 'key-0', tier: 0 }, live: { key: 'key-100', tier: 100 } };
/** More on demand: `PTN_TEST_STEPS=100`. */
const STEPS = Number(process.env['PTN_TEST_STEPS'] ?? 15);
/** Between two requests of the load: they come between the checks, and leave them the machine. */
const LOAD_PAUSE_MS = 10;
const DOCUMENTS = {
  'validation/eliminations.json': '{"eliminations": []}',
  'validation/miner_copying.json': '{"data": []}',
  'runnable/minerstatistics.json': '{"data": []}',
};

type Step =
  /** A trade that both worlds see, of before yesterday. */
  | { readonly kind: 'old'; readonly miner: number; readonly pair: number }
  /** One of the last 24 hours, in the busy world alone. */
  | { readonly kind: 'today'; readonly miner: number; readonly pair: number }
  | { readonly kind: 'order-of-today'; readonly which: number }
  | { readonly kind: 'today-deleted'; readonly which: number };

/** Before those that are made up, so that there is something to hide. */
const FIRST_STEPS: readonly Step[] = [0, 1, 2].map((miner) => ({ kind: 'today', miner, pair: miner }));

const index = fc.nat({ max: 2 });
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('old' as const), miner: index, pair: index }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('today' as const), miner: index, pair: index }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('order-of-today' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('today-deleted' as const), which: fc.nat() }) },
);

interface World {
  readonly root: PtnRoot;
  readonly server: RunningServer;
  /** Generations in the order in which this world first told them: they go by the clock. */
  readonly generations: string[];
  /** The same of the tags of answers in which generations stand. */
  readonly tags: string[];
}

function position(
  miner: number,
  pair: number,
  timesMs: readonly number[],
  uuid: string = randomUUID(),
): Position {
  return makePosition({
    hotkey: MINERS[miner] ?? '',
    pair: PAIRS[pair] ?? '',
    uuid,
    orders: timesMs.map((timeMs) => ({ timeMs, leverage: 0.01 })),
  });
}

async function ask({ server }: World, path: string, key = KEYS.delayed.key): Promise<Response> {
  return fetch(server.url + path, {
    headers: { Authorization: `Bearer ${key}`, 'Accept-Encoding': 'identity' },
  });
}

/** What differs from one request to the next, and between any two servers, and says nothing. */
const OF_THE_REQUEST = ['date', 'x-request-id', 'keep-alive'];

/** All that an answer tells, with generations by their place among those that this world told before. */
async function told(world: World, path: string): Promise<string> {
  const response = await ask(world, path);
  const headers = Object.fromEntries(
    [...response.headers].filter(([name]) => !OF_THE_REQUEST.includes(name)),
  );
  const generation = headers['x-generation'];
  if (generation !== undefined && !world.generations.includes(generation)) world.generations.push(generation);
  const tag = headers['etag'];
  if (tag !== undefined && path.includes('/changes')) {
    if (!world.tags.includes(tag)) world.tags.push(tag);
    headers['etag'] = `tag ${world.tags.indexOf(tag)}`;
  }
  const numbered = (text: string) =>
    world.generations.reduce((all, known, place) => all.replaceAll(known, `generation ${place}`), text);
  const body = (await response.text())
    .replace(/"request_id":\s*"[^"]*"/, '"request_id":""')
    // Ports, ages, the time of the answer.
    .replaceAll(world.server.url, 'http://server')
    // Its digits may stand in a price as well.
    .replaceAll(new RegExp(`(?<![\\d.])${new URL(world.server.wsUrl).port}(?!\\d)`, 'g'), 'port')
    .replaceAll(
      /"(ageSeconds|uptimeSeconds|lastAliveMs|checkedMs|ageMs|uptime|age|timestamp_ms)":\s*[\d.]+/g,
      '"$1":0',
    );
  return numbered(JSON.stringify([path, response.status, headers, body]));
}

/** Every path of the server's own document, with what may stand in its place. */
async function pathsOf(world: World): Promise<string[]> {
  const { paths } = (await (await ask(world, '/openapi.json')).json()) as {
    paths: Record<string, { get?: object }>;
  };
  return Object.entries(paths)
    .filter(([, { get }]) => get !== undefined)
    .flatMap(([path]) =>
      path.includes('{') ? MINERS.map((miner) => path.replace(/\{[^}]*\}/, miner)) : [path, `${path}?tier=0`],
    );
}

await t.test(
  'a key of tier 0 cannot tell a world from one with trades of today',
  { timeout: 240_000 },
  async (t) => {
    const nowMs = Date.now();
    const history = MINERS.flatMap((_, miner) =>
      PAIRS.map((_, pair) => position(miner, pair, [nowMs - (80 + miner) * HOUR_MS, nowMs - 70 * HOUR_MS])),
    );
    const makeWorld = async (): Promise<World> => {
      const root = makePtnRoot(t, { positions: history, keys: KEYS });
      for (const [name, text] of Object.entries(DOCUMENTS)) {
        root.writeFile(name, text);
        // Last-Modified is theirs.
        utimesSync(root.join(name), new Date(nowMs), new Date(nowMs));
      }
      return { root, server: await startServer(t, { root: root.path }), generations: [], tags: [] };
    };
    const [quiet, busy] = [await makeWorld(), await makeWorld()];
    const worlds = [quiet, busy];
    const paths = await pathsOf(quiet);
    t.ok(paths.includes('/miner-positions?tier=0') && paths.includes('/statistics'), paths.join(' '));

    /** The positions of today, which the busy world alone has. */
    const hidden: Position[] = [];
    const shows = async (world: World, hotkey: string, text: string, isThere = true): Promise<boolean> => {
      const response = await ask(world, `/miner-positions/${hotkey}`, KEYS.live.key);
      return (await response.text()).includes(text) === isThere;
    };
    const take = async (step: Step): Promise<void> => {
      if (step.kind === 'old') {
        const shown = position(step.miner, step.pair, [nowMs - 60 * HOUR_MS, nowMs - 50 * HOUR_MS]);
        for (const { root } of worlds) root.writePosition(shown);
        for (const world of worlds) {
          await waitFor(() => shows(world, shown.miner_hotkey, shown.position_uuid), {
            what: 'an old trade',
          });
        }
      } else if (step.kind === 'today') {
        const made = position(step.miner, step.pair, [Date.now()]);
        hidden.push(made);
        busy.root.writePosition(made);
        await waitFor(() => shows(busy, made.miner_hotkey, made.position_uuid), { what: 'a trade of today' });
      } else if (hidden.length > 0) {
        const at = step.which % hidden.length;
        const [before] = hidden.splice(at, 1);
        if (before === undefined) return;
        if (step.kind === 'today-deleted') {
          busy.root.removePosition(before);
          await waitFor(() => shows(busy, before.miner_hotkey, before.position_uuid, false), {
            what: 'it goes',
          });
          return;
        }
        const timesMs = [...before.orders.map(({ processed_ms: timeMs }) => timeMs), Date.now()];
        const miner = MINERS.indexOf(before.miner_hotkey);
        const after = position(miner, PAIRS.indexOf(before.trade_pair[0]), timesMs, before.position_uuid);
        hidden.push(after);
        busy.root.writePosition(after);
        const uuid = after.orders.at(-1)?.order_uuid ?? '';
        await waitFor(() => shows(busy, after.miner_hotkey, uuid), { what: 'an order of today' });
      }
    };

    // Meanwhile both are asked at random: what a client causes must not make them differ either.
    let isDone = false;
    let asked = 0;
    const failures: string[] = [];
    const load = worlds.map(async (world) => {
      while (!isDone) {
        const path = paths[asked++ % paths.length] ?? '/';
        const since = world.generations[asked % Math.max(1, world.generations.length)];
        const { status } = await ask(
          world,
          asked % 3 === 0 ? `/miner-positions/changes?since=${since ?? 0}` : path,
        );
        // 501: what would be forwarded, had it a target.
        if (status >= 500 && status !== 501 && path !== '/readyz') failures.push(`${path}: ${status}`);
        await sleep(LOAD_PAUSE_MS);
      }
    });

    const seed = Number(process.env['PTN_TEST_SEED'] ?? Date.now() % 1e9);
    t.comment(`PTN_TEST_SEED=${seed}`);
    const differences: string[] = [];
    const taken = [...FIRST_STEPS, ...fc.sample(steps, { numRuns: STEPS, seed })];
    for (const [at, step] of taken.entries()) {
      await take(step);
      const changed = quiet.generations.map(
        (_, place) => (world: World) =>
          `/miner-positions/changes?tier=0&since=${world.generations[place] ?? ''}`,
      );
      for (const path of [...paths.map((path) => () => path), ...changed]) {
        const [one, other] = [await told(quiet, path(quiet)), await told(busy, path(busy))];
        if (one !== other) differences.push(`step ${at} ${JSON.stringify(step)}\n${one}\n${other}`);
      }
    }
    isDone = true;
    await Promise.all(load);
    t.equal(differences[0], undefined);
    t.same(failures, []);
    t.ok(hidden.length > 0, `${hidden.length} trades of today were there in the end`);
  },
);
