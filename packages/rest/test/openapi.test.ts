import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { SimulatedValidator } from '@ptn-api/simulator';
import { makeTemporaryFolder, startServer, waitFor } from '@ptn-api/testkit';
import type { RunningServer } from '@ptn-api/testkit';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import t from 'tap';
import { FORWARDED_ROUTES } from '../dist/forwarding/forwarded-routes.js';
import { BEARER, testApp } from './rest-fixture.ts';

interface Operation {
  readonly operationId?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly security?: readonly unknown[];
  readonly responses: Readonly<
    Record<string, { readonly content?: { readonly 'application/json'?: { readonly schema: object } } }>
  >;
}
interface Document {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const KEYS = {
  full: { key: 'key-100', tier: 100 },
  services: { key: 'key-200', tier: 200 },
  low: { key: 'key-0', tier: 0 },
};

/** Checks an answer by what the document says of it; `null` where it says nothing. */
function validatorsOf(document: Document): (path: string, status: string) => ValidateFunction | null {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addSchema(document, 'document');
  const made = new Map<string, ValidateFunction | null>();
  const make = (path: string, status: string): ValidateFunction | null => {
    const content = document.paths[path]?.['get']?.responses[status]?.content;
    if (content?.['application/json']?.schema === undefined) return null;
    const steps = ['paths', path, 'get', 'responses', status, 'content', 'application/json', 'schema'];
    const pointer = steps.map((step) => encodeURIComponent(step.replace(/\//g, '~1'))).join('/');
    return ajv.compile({ $ref: `document#/${pointer}` });
  };
  return (path, status) => {
    const name = `${path} ${status}`;
    if (!made.has(name)) made.set(name, make(path, status));
    return made.get(name) ?? null;
  };
}

/** What validators of December 2025 write besides, and of 2026: for every miner the records of a recorded one. */
function writeMinersFiles(root: string, hotkeys: readonly string[]): void {
  const recordedHotkey = `5${'A'.repeat(47)}`;
  const write = (name: string, of: (hotkey: string) => unknown, within?: string): void => {
    const map = Object.fromEntries(hotkeys.map((hotkey) => [hotkey, of(hotkey)]));
    const text = JSON.stringify(within === undefined ? map : { [within]: map });
    writeFileSync(join(root, 'validation', name), name.endsWith('.gz') ? gzipSync(text) : text);
  };
  for (const name of [
    'debt_ledger.json.gz',
    'emissions_ledger.json.gz',
    'penalty_ledger.json.gz',
    'perf_ledgers.json.gz',
    'miner_account_sizes.json',
    'asset_selections.json',
    'challengeperiod.json',
  ]) {
    const bytes = readFileSync(new URL(`../fixtures/vanta/root/validation/${name}`, import.meta.url));
    const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
    const within = text.includes('"ledgers"') ? 'ledgers' : undefined;
    const valueOf = (hotkey: string): unknown => {
      const file = JSON.parse(text.replaceAll(recordedHotkey, hotkey)) as Record<string, unknown>;
      return (within === undefined ? file : (file[within] as Record<string, unknown>))[hotkey];
    };
    // As 2026 writes it for every other miner: one ledger in place of one for each pair.
    const isPerf = name.startsWith('perf_');
    write(
      name,
      (hotkey) =>
        isPerf && hotkeys.indexOf(hotkey) % 2 === 1
          ? (valueOf(hotkey) as { portfolio: unknown }).portfolio
          : valueOf(hotkey),
      within,
    );
  }
  write('entities.json', (hotkey) => ({
    entity_hotkey: hotkey,
    subaccounts: {
      0: { subaccount_id: 0, subaccount_uuid: 'u', synthetic_hotkey: `${hotkey}_0`, status: 'active' },
    },
  }));
  for (const hotkey of hotkeys) {
    const orders = join(root, 'validation/miners', hotkey, 'limit_orders/BTCUSD/unfilled');
    mkdirSync(orders, { recursive: true });
    const order = {
      trade_pair: { trade_pair_id: 'BTCUSD', trade_pair: 'BTC/USD' },
      ...{ order_uuid: 'u', order_type: 'LONG', execution_type: 'LIMIT', src: 5, processed_ms: 1 },
      ...{ limit_price: 1.5, price: 0, leverage: 0.1, value: 2, quantity: 3, stop_loss: 1, take_profit: 2 },
    };
    writeFileSync(join(orders, 'u'), JSON.stringify(order));
  }
}

/** A server of a simulated validator with a few miners, which has seen an order. */
async function startDevnet(): Promise<RunningServer> {
  const root = makeTemporaryFolder(t);
  mkdirSync(join(root, 'ptn_api'));
  writeFileSync(join(root, 'ptn_api', 'api_keys.json'), JSON.stringify(KEYS));
  const validator = new SimulatedValidator({
    root,
    seed: 3,
    miners: 8,
    positions: 80,
    months: 2,
    endMs: Date.now() - 60_000,
    generation: '2025',
    ordersPerSecond: 0,
    refreshMs: 0,
    outputsMs: 0,
    onFault: (error) => {
      throw error;
    },
  });
  await validator.writeHistory();
  const hotkeys = validator.miners.map(({ hotkey }) => hotkey);
  const copying = Object.fromEntries(hotkeys.map((hotkey) => [hotkey, 0.25]));
  writeFileSync(join(root, 'validation', 'miner_copying.json'), JSON.stringify(copying));
  writeMinersFiles(root, hotkeys);
  const server = await startServer(t, { root });
  validator.placeOrder();
  await waitFor(
    async () => {
      const orders = await fetch(`${server.url}/orders?since=0`, {
        headers: { Authorization: 'Bearer key-100' },
      });
      return ((await orders.json()) as { count: number }).count > 0;
    },
    { what: 'the order is there' },
  );
  return server;
}

const devnet = startDevnet();

void t.test('every answer is as the document says, on a simulated validator', async (t) => {
  const { url } = await devnet;
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as Document;
  const validatorOf = validatorsOf(document);
  const seen = new Map<string, Set<string>>();

  async function check(path: string, asked: string, key?: string): Promise<number> {
    const headers = key === undefined ? {} : { Authorization: `Bearer ${key}` };
    const response = await fetch(url + asked, { headers });
    const status = String(response.status);
    const documented = document.paths[path]?.['get']?.responses[status];
    if (documented === undefined) {
      t.fail(`${status} of ${asked} is documented`);
      return response.status;
    }
    const validate = validatorOf(path, status);
    if (validate === null) throw new Error(`${status} of ${path} has no schema`);
    const isValid = validate(await response.json());
    t.ok(isValid, `${asked} ${status}: ${JSON.stringify((validate.errors ?? []).slice(0, 5))}`);
    seen.set(path, (seen.get(path) ?? new Set()).add(status));
    return response.status;
  }

  const hotkeys = (await (
    await fetch(`${url}/miner-hotkeys`, { headers: { Authorization: 'Bearer key-100' } })
  ).json()) as string[];
  const generation = (
    await fetch(`${url}/miner-positions`, { method: 'HEAD', headers: { Authorization: 'Bearer key-100' } })
  ).headers.get('x-generation');
  const queries: Readonly<Record<string, readonly string[]>> = {
    '/miner-positions': ['', '?tier=0', '?tier=30', '?tier=50', '?tier=7'],
    '/miner-positions/changes': [`?since=${String(generation)}`, '?since=1', '?since=x', '?since=1&tier=9'],
    '/statistics': ['', '?checkpoints=false'],
    '/statistics/{hotkey}': ['', '?checkpoints=false'],
    '/orders/{hotkey}': ['', '?status=filled', '?status=unfilled,cancelled', '?status=x'],
    '/limit-orders/{hotkey}': ['', '?status=unfilled', '?status=x'],
    '/collateral/': ['', '?most_recent=true', '?hotkey=nobody'],
    '/challenge-period/{hotkey}': ['', '?history=true'],
    '/orders': ['?since=0', '?since=0&limit=0', '?since=x'],
  };
  for (const [path, { get }] of Object.entries(document.paths)) {
    // What is passed on is the validator's to answer.
    if (get === undefined || get.tags?.includes('Forwarded') === true) continue;
    const isOpen = get.security?.length === 0;
    for (const query of queries[path] ?? ['']) {
      const names = path.includes('{hotkey}') ? [hotkeys[0] ?? '', 'nobody'] : [''];
      for (const name of names) await check(path, path.replace('{hotkey}', name) + query, 'key-200');
    }
    const [query = ''] = queries[path] ?? [];
    const anybody = path.replace('{hotkey}', hotkeys[1] ?? '') + query;
    await check(path, anybody, 'key-100');
    await check(path, anybody, 'key-0');
    const withoutKey = await check(path, anybody);
    t.equal(withoutKey, isOpen ? 200 : 401, `${path} ${isOpen ? 'needs no key' : 'needs a key'}`);
  }
  for (const [path, statuses] of seen) t.ok(statuses.has('200'), `${path} was answered with 200`);
  t.equal(seen.size, 26);
  t.match([...(seen.get('/miner-positions') ?? [])].sort(), ['200', '400', '401', '403']);
  t.match([...(seen.get('/orders') ?? [])].sort(), ['200', '400', '401', '403']);
});

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Methods that routes here have. */
const DOCUMENTED = ['GET', 'POST', 'PATCH', 'DELETE'];

/** Every place in a JSON value, one for each place of the same kind: `*` stands for items and for names of miners. */
function placesOf(value: Json, names: ReadonlySet<string>): Map<string, (string | number)[]> {
  const places = new Map<string, (string | number)[]>();
  const visit = (part: Json, path: (string | number)[]): void => {
    const kind = path.map((step) => (typeof step === 'number' || names.has(step) ? '*' : step)).join('.');
    if (path.length > 0 && !places.has(kind)) places.set(kind, path);
    if (Array.isArray(part))
      part.forEach((item, index) => {
        visit(item, [...path, index]);
      });
    else if (part !== null && typeof part === 'object') {
      for (const [name, item] of Object.entries(part)) visit(item, [...path, name]);
    }
  };
  visit(value, []);
  return places;
}

/** A copy in which one place has another type. */
function corrupted(value: Json, path: readonly (string | number)[]): Json {
  const copy = structuredClone(value);
  let at = copy as Record<string | number, Json>;
  for (const step of path.slice(0, -1)) at = at[step] as Record<string | number, Json>;
  const last = path.at(-1) ?? '';
  at[last] = typeof at[last] === 'string' ? 7 : 'corrupted';
  return copy;
}

void t.test('one corrupted member of an answer is noticed', async (t) => {
  const { url } = await devnet;
  const headers = { Authorization: 'Bearer key-200' };
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as Document;
  const validatorOf = validatorsOf(document);
  const hotkeys = (await (await fetch(`${url}/miner-hotkeys`, { headers })).json()) as string[];
  const names = new Set(hotkeys);
  for (const [path, free] of [
    ['/miner-positions', /price_sources\.|^$/],
    ['/miner-positions/{hotkey}', /price_sources\.|^$/],
    ['/miner-hotkeys', /^$/],
    ['/orders', /price_sources\.|^$/],
    ['/eliminations', /^$/],
    ['/debt-ledger', /^$/],
    ['/debt-ledger/{hotkey}', /^$/],
    ['/emissions-ledger/{hotkey}', /^$/],
    ['/penalty-ledger/{hotkey}', /^$/],
    ['/perf-ledger/{hotkey}', /^$/],
    ['/collateral/', /^$/],
    ['/miner-selections', /^$/],
    ['/challenge-period/{hotkey}', /^$/],
    ['/limit-orders/{hotkey}', /^$/],
    ['/orders/{hotkey}', /price_sources\.|^$/],
    ['/entities', /^$/],
    ['/entity/{hotkey}', /^$/],
    ['/api/health', /^$/],
    ['/statistics', /^constants\./],
    ['/readyz', /^$/],
    ['/healthz', /^$/],
  ] as const) {
    const asked = path.replace('{hotkey}', hotkeys[0] ?? '') + (path === '/orders' ? '?since=0' : '');
    const value = (await (await fetch(url + asked, { headers })).json()) as Json;
    const validate = validatorOf(path, '200');
    if (validate === null) throw new Error(`${path} has no schema`);
    t.ok(validate(value), `${path} is as it should be`);
    const places = [...placesOf(value, names)].filter(([kind]) => !free.test(kind));
    const unnoticed = places.filter(([, place]) => validate(corrupted(value, place))).map(([kind]) => kind);
    t.same(unnoticed, [], `${path}: all of ${places.length}`);
  }
});

void t.test('every answer refers to a schema by name, and each is there once', async (t) => {
  const { app } = testApp(t);
  const document = (await app.inject('/openapi.json')).json<Document>();
  const names = new Set(Object.keys(document.components.schemas));
  const answers = Object.values(document.paths).flatMap(({ get }) => Object.values(get?.responses ?? {}));
  const ofAnswers = answers.flatMap(({ content }) => content?.['application/json']?.schema ?? []);
  t.ok(ofAnswers.length > 60);
  for (const schema of ofAnswers) t.same(Object.keys(schema), ['$ref'], JSON.stringify(schema).slice(0, 100));
  const text = JSON.stringify(document);
  const referred = new Set(
    [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name),
  );
  t.same([...referred].sort(), [...names].sort());
  for (const name of [
    'Error',
    'Miner',
    'Position',
    'Order',
    'OrderMessage',
    'StatisticsMiner',
    'Elimination',
  ])
    t.ok(names.has(name), name);
  const { description } = document.components.schemas['Error'] as { description?: string };
  t.equal(description, 'What was wrong', 'not that of the first route that answers with it');
  t.equal(text.split('"order_uuid":').length, 3, 'an order, and one that waits, are described once each');
});

void t.test('every operation has a name of its own, and servers are relative', async (t) => {
  const { app } = testApp(t);
  const document = (await app.inject('/openapi.json')).json<Document & { servers: unknown }>();
  const ids = Object.values(document.paths).flatMap((operations) =>
    Object.values(operations).map(({ operationId }) => operationId),
  );
  t.equal(new Set(ids).size, ids.length);
  t.ok(ids.includes('getMinerPositionsHotkey'), ids.join(' '));
  t.same(document.servers, [{ url: '.' }]);
});

void t.test('schemas neither check requests nor form answers', async (t) => {
  const { app } = testApp(t);
  const answer = await app.inject({ url: '/miner-positions?tier=x', headers: BEARER });
  t.equal(answer.body, '{"error":"Invalid tier value. Allowed values are 0, 30, 50, or 100"}');
  const twice = await app.inject({ url: '/statistics?checkpoints=maybe&checkpoints=no', headers: BEARER });
  t.equal(twice.statusCode, 200);
});

void t.test('every route with GET is in the document, and nothing else is', async (t) => {
  const { app } = testApp(t);
  const routes = new Set<string>();
  app.addHook('onRoute', ({ method, url }) => {
    const path = url.replace(/:(\w+)\([^)]*\)/g, '{$1}');
    for (const one of [method].flat()) if (DOCUMENTED.includes(one)) routes.add(`${one} ${path}`);
  });
  const document = (await app.inject('/openapi.json')).json<Document>();
  t.equal(document.openapi, '3.1.0');
  const forwarded = new Set(FORWARDED_ROUTES.map(({ method, route }) => `${method} ${route}`));
  const forwardedPaths = new Set(FORWARDED_ROUTES.map(({ route }) => route));
  // The same with and without a slash at the end.
  const twins = new Set(['GET /statistics/{hotkey}/', 'GET /collateral']);
  const pages = [...routes].filter((route) => {
    const [method = '', path = ''] = route.split(' ');
    // Methods that a route has not got are routes that refuse.
    const isAnswered = forwardedPaths.has(path) ? forwarded.has(route) : method === 'GET';
    return isAnswered && !path.startsWith('/docs') && !twins.has(route);
  });
  const described = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  t.same(new Set(described), new Set(pages));
  for (const route of forwarded) t.ok(described.includes(route), `${route} is described`);
});

void t.test('every route that needs a key tells of the limits', async (t) => {
  const { app } = testApp(t);
  const { paths } = (await app.inject('/openapi.json')).json<Document>();
  const withKey = Object.entries(paths).filter(
    ([, { get }]) => get !== undefined && get.security?.length !== 0,
  );
  t.equal(withKey.length, 26);
  for (const [path, { get }] of withKey) {
    for (const status of ['400', '401', '429', '503']) {
      t.ok(get?.responses[status]?.content?.['application/json']?.schema, `${path} ${status}`);
    }
  }
});

void t.test('the page for people works offline, under a strict policy', async (t) => {
  const { app } = testApp(t);
  for (const [url, type] of [
    ['/docs', 'text/html; charset=utf-8'],
    ['/docs/docs.js', 'text/javascript; charset=utf-8'],
    ['/docs/swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
    ['/docs/swagger-ui.css', 'text/css; charset=utf-8'],
    ['/docs/asyncapi.yaml', 'text/yaml; charset=utf-8'],
  ] as const) {
    const { statusCode, headers, body } = await app.inject(url);
    t.equal(statusCode, 200, url);
    t.equal(headers['content-type'], type);
    t.equal(
      headers['content-security-policy'],
      "default-src 'none';script-src 'self';style-src 'self';connect-src 'self';img-src data:;base-uri 'none';" +
        "form-action 'none';frame-ancestors 'none'",
    );
    t.equal(headers['x-content-type-options'], 'nosniff');
    if (url === '/docs/asyncapi.yaml') continue;
    // The policy keeps the library's own code from anything but this server; a browser tries that below.
    if (!url.includes('swagger')) t.notMatch(body, /https?:\/\/|innerHTML|style=|onclick|eval\(/, url);
    const known = { 'if-none-match': String(headers.etag) };
    t.equal((await app.inject({ url, headers: known })).statusCode, 304);
  }
  t.notOk(
    (await app.inject('/healthz')).headers['content-security-policy'],
    'answers of the API stay as they are',
  );
});
