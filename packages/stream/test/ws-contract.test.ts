import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import type { Test } from 'tap';
import type { Client, Json, RunningStream } from './ws-fixture.js';
import { grant, MemoryLog, serve } from './ws-fixture.ts';

interface WireEvent {
  readonly scenario: string;
  readonly conn: string;
  readonly dir: 'c' | 's';
  readonly kind: string;
  readonly json?: unknown;
  readonly raw?: string;
}

/** Scenarios whose every exchange is a contract; what is malformed or of the transport has tests of its own. */
const SCENARIOS = [
  'auth: no api_key',
  'auth: wrong key',
  'auth: tier 0',
  'auth: tier 30',
  'auth: tier 50',
  'auth: tier 75',
  'auth: api_key null',
  'auth: api_key number',
  'auth: api_key list',
  'auth: api_key object',
  'auth: JSON array',
  'auth: type ping before auth',
  'auth: binary frame with valid auth',
  'auth: tier 100',
  'auth: tier 100 with last_sequence',
  'auth: legacy key',
  'auth: path and query are ignored',
  'session: ping variants',
  'session: subscribe/unsubscribe',
  'session: junk is ignored',
  'session: second auth message',
  'broadcast: subscribed, authenticated-only, no-deflate',
  'broadcast: after one subscriber dropped its TCP',
  'eviction: 6th and 7th connection of one key',
  'original client: wrong key',
  'original client: subscribe, 3 messages, unsubscribe, message, subscribe, message, stop',
];

/** Of December 2025, the same; `auth: not JSON` was closed without a word. */
const QUANTITY_SCENARIOS = [
  'auth: no api_key',
  'auth: wrong key',
  'auth: tier 50',
  'auth: tier 200',
  'auth: legacy key',
  'auth: a list',
  'auth: key is a number',
  'auth: key is a list',
  'subscribe, ping, unknown, unsubscribe',
  'orders',
  'orders: market, new position',
  'orders: limit filled',
  'orders: bracket filled, closes',
  'orders: by value, cross pair',
  'orders: eliminated, price 0',
  'orders: forced close',
  'sixth connection of a key',
  'client goes',
];

const GRANTS = [
  grant('key-tier0', 0),
  grant('key-tier30', 30),
  grant('key-tier50', 50),
  grant('key-tier75', 50),
  grant('key-tier100', 100),
  grant('key-legacy', 100),
  grant('key-tier-50', 50),
  grant('key-tier-100', 100),
  grant('key-tier-200', 200),
];

function readEvents(name: string, scenarios: readonly string[]): WireEvent[] {
  const path = new URL(`../fixtures/ws/${name}.json.gz`, import.meta.url);
  const { events } = JSON.parse(gunzipSync(readFileSync(path)).toString('utf8')) as { events: WireEvent[] };
  return events.filter(({ scenario, kind }) => scenarios.includes(scenario) && isMessage(kind));
}

function isMessage(kind: string): boolean {
  return kind === 'text' || kind === 'binary' || kind === 'close';
}

/** What the Python server said, as it must be found in ours: times are any number, own members may be more. */
function expected(message: Json): Json {
  const pattern: Json = { ...message };
  for (const name of ['received_timestamp', 'server_timestamp']) if (name in pattern) pattern[name] = Number;
  if (pattern['type'] === 'pong') pattern['timestamp'] = Number;
  return pattern;
}

/** Answers of our own, where the Python server was silent. */
function isOwn(message: Json, next: Json | undefined): boolean {
  if (message['type'] === 'error') return true;
  // Filters are our own too.
  if (message['all'] === false) return true;
  // The transcript's server never replayed, whatever its client had.
  if (message['type'] === 'gap') return true;
  // To unsubscribe twice is answered twice.
  return message['action'] === 'unsubscribe' && next?.['action'] !== 'unsubscribe';
}

class Replay {
  readonly #stream: RunningStream;
  readonly #log: MemoryLog;
  readonly #clients = new Map<string, Client>();
  readonly #read = new Map<string, number>();
  compared = 0;

  constructor(stream: RunningStream, log: MemoryLog) {
    this.#stream = stream;
    this.#log = log;
  }

  async play(t: Test, event: WireEvent): Promise<void> {
    const { conn, dir, kind } = event;
    if (kind === 'close') {
      const client = await this.#client(conn);
      // Where the server gave no reason, the record shows its answer to the client's own closing.
      const isRefused = client.received.at(-1)?.['status'] === 'error';
      if ((dir === 'c' || !isRefused) && client.closeCode === undefined) client.socket.close();
      await client.closed();
      return;
    }
    const client = await this.#client(conn);
    if (dir === 'c') {
      const text = event.raw ?? JSON.stringify(event.json);
      client.socket.send(kind === 'binary' ? Buffer.from(text) : text);
      return;
    }
    const message = event.json as Json;
    if ('sequence' in message) this.#append(message);
    const answer = await this.#next(client, conn, message);
    t.match(answer, expected(message), event.scenario);
    this.compared += 1;
  }

  /** The orders below this one that reached nobody: the transcript holds a jump in their place. */
  skipTo(sequence: number): void {
    while (this.#log.state().last < sequence - 1) {
      this.#log.append({});
      this.#stream.streams.ordersChanged();
    }
  }

  #append({ sequence, timestamp, data }: Json): void {
    // Another client has received it before.
    if (this.#log.state().last >= (sequence as number)) return;
    this.#log.append({ timestampMs: timestamp as number, content: JSON.stringify(data) });
    this.#stream.streams.ordersChanged();
  }

  async #next(client: Client, conn: string, wanted: Json): Promise<Json> {
    for (;;) {
      const index = this.#read.get(conn) ?? 0;
      await client.until(() => client.received.length > index || client.closeCode !== undefined);
      const message = client.received[index];
      if (message === undefined) throw new Error(`${conn} was closed with ${client.closeCode}`);
      this.#read.set(conn, index + 1);
      if (!isOwn(message, wanted)) return message;
    }
  }

  async #client(conn: string): Promise<Client> {
    const known = this.#clients.get(conn);
    if (known !== undefined) return known;
    const client = await this.#stream.connect('/any/path?last_sequence=7');
    this.#clients.set(conn, client);
    return client;
  }
}

for (const [name, scenarios, last, least] of [
  ['2025', SCENARIOS, 0, 60],
  ['account-size', SCENARIOS, 0, 60],
  ['quantity', QUANTITY_SCENARIOS, 41, 25],
] as const) {
  await t.test(`${name}: every exchange that existing clients rely on`, async (t) => {
    const log = new MemoryLog(last);
    const stream = await serve(t, { log, grants: GRANTS });
    const replay = new Replay(stream, log);
    const events = readEvents(name, scenarios);
    for (const [index, event] of events.entries()) {
      if (event.dir === 'c' && (event.json as Json | null)?.['type'] === 'subscribe') {
        const next = events
          .slice(index)
          .find(({ json }) => (json as Json | null)?.['sequence'] !== undefined);
        replay.skipTo((next?.json as Json | undefined)?.['sequence'] as number);
      }
      await replay.play(t, event);
    }
    t.ok(replay.compared > least, `${replay.compared} messages compared`);
  });
}
