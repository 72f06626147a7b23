import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { SimulatedValidator } from '@ptn-api/devnet';
import { makeTemporaryFolder, startServer, waitFor } from '@ptn-api/testkit';
import type { RunningServer } from '@ptn-api/testkit';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { BEARER, testApp } from './rest-fixture.ts';

interface Operation {
  readonly operationId?: string;
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
  low: { key: 'key-0', tier: 0 },
};

/** Checks an answer by what the document says of it; `null` where it says nothing. */
function validatorsOf(document: Document): (path: string, status: string) => ValidateFunction | null {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addSchema(document, 'document');
  return (path, status) => {
    const content = document.paths[path]?.['get']?.responses[status]?.content;
    if (content?.['application/json']?.schema === undefined) return null;
    const steps = ['paths', path, 'get', 'responses', status, 'content', 'application/json', 'schema'];
    const pointer = steps.map((step) => encodeURIComponent(step.replace(/\//g, '~1'))).join('/');
    return ajv.compile({ $ref: `document#/${pointer}` });
  };
}

/** A server of a simulated validator with a few miners, which has seen an order. */
async function startDevnet(t: Parameters<typeof startServer>[0]): Promise<RunningServer> {
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

void t.test('every answer is as the document says, on a simulated validator', async (t) => {
  const { url } = await startDevnet(t);
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
    '/orders': ['?since=0', '?since=0&limit=0', '?since=x'],
  };
  for (const [path, { get }] of Object.entries(document.paths)) {
    if (get === undefined) throw new Error(`${path} has no GET`);
    const isOpen = get.security?.length === 0;
    for (const query of queries[path] ?? ['']) {
      const names = path.includes('{hotkey}') ? [hotkeys[0] ?? '', 'nobody'] : [''];
      for (const name of names) await check(path, path.replace('{hotkey}', name) + query, 'key-100');
    }
    const [query = ''] = queries[path] ?? [];
    const anybody = path.replace('{hotkey}', hotkeys[1] ?? '') + query;
    await check(path, anybody, 'key-0');
    const withoutKey = await check(path, anybody);
    t.equal(withoutKey, isOpen ? 200 : 401, `${path} ${isOpen ? 'needs no key' : 'needs a key'}`);
  }
  for (const [path, statuses] of seen) t.ok(statuses.has('200'), `${path} was answered with 200`);
  t.equal(seen.size, 13);
  t.match([...(seen.get('/miner-positions') ?? [])].sort(), ['200', '400', '401', '403']);
  t.match([...(seen.get('/orders') ?? [])].sort(), ['200', '400', '401', '403']);
});

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

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
  const { url } = await startDevnet(t);
  const headers = { Authorization: 'Bearer key-100' };
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
  t.equal(text.split('"order_uuid":').length, 2, 'an order is described once');
});

void t.test('every operation has a name of its own, and servers are relative', async (t) => {
  const { app } = testApp(t);
  const document = (await app.inject('/openapi.json')).json<Document & { servers: unknown }>();
  const ids = Object.values(document.paths).map(({ get }) => get?.operationId);
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
    if (method === 'GET') routes.add(url.replace(/:(\w+)\([^)]*\)/g, '{$1}'));
  });
  const document = (await app.inject('/openapi.json')).json<Document>();
  t.equal(document.openapi, '3.1.0');
  const pages = [...routes].filter((url) => !url.startsWith('/docs') && !url.endsWith('{hotkey}/'));
  t.same(new Set(Object.keys(document.paths)), new Set(pages));
  for (const operations of Object.values(document.paths)) t.same(Object.keys(operations), ['get']);
});

void t.test('every route that needs a key tells of the limits', async (t) => {
  const { app } = testApp(t);
  const { paths } = (await app.inject('/openapi.json')).json<Document>();
  const withKey = Object.entries(paths).filter(([, { get }]) => get?.security?.length !== 0);
  t.equal(withKey.length, 10);
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
