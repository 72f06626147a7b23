/** The description of the stream for machines, docs/asyncapi.yaml, against what is really said. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { makePosition } from '@ptn-api/testkit';
import { Ajv2020 } from 'ajv/dist/2020.js';
import t from 'tap';
import { parse } from 'yaml';
import type { Json } from './ws-fixture.ts';
import { MemoryLog, serve, until } from './ws-fixture.ts';

interface Reference {
  readonly $ref: string;
}

interface Description {
  readonly asyncapi: string;
  readonly operations: Readonly<Record<'speak' | 'listen', { readonly messages: readonly Reference[] }>>;
  readonly components: {
    readonly messages: Readonly<Record<string, { readonly payload: Reference }>>;
    readonly schemas: Readonly<Record<string, object>>;
  };
}

const text = readFileSync(new URL('../../../docs/asyncapi.yaml', import.meta.url), 'utf8');
const description = parse(text) as Description;
const ajv = new Ajv2020({ strict: false });
ajv.addSchema({ $id: 'doc', components: description.components });

/** The names of all messages of an operation that `message` is one of. */
function namesOf(operation: 'speak' | 'listen', message: unknown): string[] {
  return description.operations[operation].messages
    .map(({ $ref }) => $ref.split('/').at(-1) ?? '')
    .filter((name) => {
      const payload = description.components.messages[name]?.payload;
      if (payload === undefined) throw new Error(`no message ${name}`);
      return ajv.validate({ $ref: `doc${payload.$ref}` }, message);
    });
}

function recorded(
  name: string,
): { readonly dir: 'c' | 's' | '-'; readonly kind: string; readonly json?: unknown }[] {
  const path = new URL(`../fixtures/ws/${name}.json.gz`, import.meta.url);
  return (JSON.parse(gunzipSync(readFileSync(path)).toString('utf8')) as { events: [] }).events;
}

/** Not an order: the recording put other things into the Python server's queue, too. */
function isForeign(message: unknown): boolean {
  const { sequence, data } = message as { sequence?: number; data?: { position?: object } | string | null };
  return sequence !== undefined && (typeof data !== 'object' || data?.position === undefined);
}

void t.test('every recorded message of the Python server is one of those described', (t) => {
  let count = 0;
  for (const { dir, kind, json } of [
    ...recorded('2025'),
    ...recorded('account-size'),
    ...recorded('quantity'),
  ]) {
    if (dir !== 's' || kind !== 'text' || json === undefined || isForeign(json)) continue;
    count += 1;
    const names = namesOf('listen', json);
    if (names.length !== 1)
      t.fail(`${JSON.stringify(json).slice(0, 300)} is ${names.join(', ') || 'nothing'}`);
  }
  t.ok(count > 50, `${count} messages`);
  t.end();
});

void t.test('every kind of message of this server is described, and no other', async (t) => {
  const log = new MemoryLog();
  const position = JSON.stringify(makePosition({ orders: [{ timeMs: Date.now() }] }));
  log.appendMany(4, { timestampMs: Date.now(), content: `{"position":${position}}` });
  log.prune(1);
  const { client, connect, streams } = await serve(t, { log });
  const resumed = await client({ last_sequence: 0 });
  await resumed.subscribe();
  await resumed.until(() => resumed.sequences().length === 3);
  await resumed.ask({ type: 'ping', timestamp: 1 });
  await resumed.ask('nonsense');
  await resumed.ask({ type: 'unsubscribe', all: true });
  await resumed.subscribe({ trade_pairs: ['BTCUSD'] });
  log.append({ timestampMs: Date.now(), content: `{"position":${position}}` });
  streams.ordersChanged();
  await resumed.until(() => resumed.sequences().length === 4);
  const stranger = await connect();
  await stranger.ask({ api_key: 'wrong' });
  await streams.drain(1000);
  await until(() => resumed.closeCode !== undefined);
  const seen = new Set<string>();
  for (const message of [...resumed.received, ...stranger.received]) {
    const names = namesOf('listen', message);
    t.equal(names.length, 1, `${JSON.stringify(message).slice(0, 80)}: ${names.join(', ')}`);
    names.forEach((name) => seen.add(name));
  }
  const described = description.operations.listen.messages.map(({ $ref }) => $ref.split('/').at(-1));
  t.same([...seen].sort(), described.sort());
});

void t.test('what a client sends is distinguished from what it must not', (t) => {
  const good: Json[] = [
    { api_key: 'k' },
    { api_key: 'k', last_sequence: 0, epoch: 'e' },
    { type: 'subscribe', all: true },
    { type: 'subscribe', miner_hotkeys: ['h'] },
    { type: 'unsubscribe', all: true },
    { type: 'ping' },
  ];
  for (const message of good) t.equal(namesOf('speak', message).length, 1, JSON.stringify(message));
  const bad: Json[] = [
    {},
    { api_key: 7 },
    { api_key: 'k', last_sequence: 1.5 },
    { type: 'subscribe' },
    { type: 'subscribe', trade_pairs: [] },
    { type: 'unsubscribe' },
    { type: 'hello' },
  ];
  for (const message of bad) t.same(namesOf('speak', message), [], JSON.stringify(message));
  t.end();
});
