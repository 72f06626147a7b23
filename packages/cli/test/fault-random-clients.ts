/** Clients of a server whose feed fails: they hold every answer against what the stream says. */
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { RunningServer } from '@ptn-api/testkit';

export const KEYS: Readonly<Record<string, { key: string; tier: number }>> = Object.fromEntries(
  [0, 30, 50, 100].map((tier) => [`user-${tier}`, { key: `key-${tier}`, tier }]),
);
const POLL_MS = 150;
/** What is said of one kind of breach, at most: the first few tell it all. */
const MAX_TOLD = 20;

export type Address = Pick<RunningServer, 'url' | 'wsUrl'>;

interface Miner {
  readonly positions: readonly {
    readonly position_uuid: string;
    readonly orders: readonly { readonly order_uuid: string }[];
  }[];
}
type Miners = Readonly<Record<string, Miner>>;

interface StreamMessage {
  readonly status?: string;
  readonly type?: string;
  readonly epoch?: string;
  readonly resumed?: boolean;
  readonly current_sequence?: number;
  readonly sequence?: number;
  readonly data?: { readonly position: Miner['positions'][number] };
  readonly messages?: readonly StreamMessage[];
}

/** An answer of positions that says up to which order it is complete. */
interface Claim {
  readonly what: string;
  /** Every order up to this number is in it, but for other miners' where it is of one miner. */
  readonly sequence: number;
  readonly hotkey: string | undefined;
  readonly orders: ReadonlySet<string>;
}

/** Follows the stream over every end of a connection. */
export class Follower {
  /** Order uuids; the first has the number after {@link base}. */
  readonly orders: string[] = [];
  /** The number that the stream was at when this was first connected. */
  base = 0;
  readonly delivered = new Set<string>();
  readonly breaches: string[] = [];
  epoch: string | undefined;
  #socket: WebSocket | undefined;
  #isOver = false;

  /** The number of the last order. */
  get last(): number {
    return this.base + this.orders.length;
  }

  /** @param address where the stream is, asked before each connection. */
  start(address: () => Address): void {
    this.#connect(address);
  }

  stop(): void {
    this.#isOver = true;
    this.#socket?.terminate();
  }

  #connect(address: () => Address): void {
    const socket = (this.#socket = new WebSocket(address().wsUrl));
    socket.on('error', () => {
      socket.terminate();
    });
    socket.on('close', () => {
      if (!this.#isOver)
        setTimeout(() => {
          this.#connect(address);
        }, 100);
    });
    socket.on('open', () => {
      const resume = this.epoch !== undefined && { last_sequence: this.last, epoch: this.epoch };
      socket.send(JSON.stringify({ api_key: 'key-100', ...resume }));
    });
    socket.on('message', (bytes: Buffer) => {
      const message = JSON.parse(bytes.toString()) as StreamMessage;
      if (message.status === 'success' && message.type === undefined) {
        if (this.epoch === undefined) this.base = message.current_sequence ?? 0;
        this.epoch ??= message.epoch;
        socket.send(JSON.stringify({ type: 'subscribe', all: true }));
      } else if (message.status === 'error' || message.type === 'gap' || message.resumed === false) {
        this.breaches.push(`the stream refused to go on: ${bytes.toString()}`);
      }
      for (const order of message.messages ?? [message]) this.#takeOrder(order);
    });
  }

  #takeOrder({ sequence, data }: StreamMessage): void {
    if (sequence === undefined || data === undefined) return;
    const uuid = data.position.orders.at(-1)?.order_uuid ?? '';
    if (sequence !== this.last + 1)
      this.breaches.push(`order ${sequence} came where ${this.last + 1} was next`);
    if (this.delivered.has(uuid)) this.breaches.push(`${uuid} came twice, the second time as ${sequence}`);
    this.orders.push(uuid);
    this.delivered.add(uuid);
  }
}

export interface WatchOptions {
  readonly address: () => Address;
  readonly follower: Follower;
  /** Where orders were placed. */
  readonly placed: ReadonlyMap<string, { readonly positionUuid: string; readonly hotkey: string }>;
  /** Positions that may be missing from answers, because their files were taken away. */
  readonly absent: ReadonlySet<string>;
}

/** Asks for all miners, one miner and the changes, again and again, and checks each answer. */
export class AnswerWatch {
  readonly breaches: string[] = [];
  answers = 0;
  checked = 0;
  readonly #options: WatchOptions;
  /** Of which the stream has not yet delivered all that they claim. */
  #claims: Claim[] = [];
  #replica: { generation: string; miners: Map<string, Miner> } | undefined;
  readonly #polling: Promise<void>[];
  #isOver = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#polling = [() => this.#askAll(), () => this.#askOne(), () => this.#askChanges()].map((ask) =>
      this.#poll(ask),
    );
  }

  /** Resolves when the last answer was checked; those whose orders the stream has not delivered are breaches. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#polling);
    this.#checkClaims();
    for (const { what, sequence } of this.#claims)
      this.#breach(`${what} claims order ${sequence}, and the stream ends at ${this.#options.follower.last}`);
  }

  #breach(text: string): void {
    if (this.breaches.length < MAX_TOLD) this.breaches.push(text);
  }

  async #poll(ask: () => Promise<void>): Promise<void> {
    while (!this.#isOver) {
      try {
        await ask();
      } catch (error) {
        // A connection that broke is no answer; what is answered is checked in `ask`.
        if (!(error instanceof TypeError)) throw error;
      }
      this.#checkClaims();
      await delay(POLL_MS);
    }
  }

  async #get(
    path: string,
    allowed: readonly number[],
  ): Promise<{ response: Response; text: string } | undefined> {
    const response = await fetch(this.#options.address().url + path, {
      headers: { Authorization: 'Bearer key-100' },
    });
    const text = await response.text();
    this.answers += 1;
    if (!allowed.includes(response.status))
      this.#breach(`${path} was answered with ${response.status}: ${text.slice(0, 200)}`);
    return response.status === 200 ? { response, text } : undefined;
  }

  async #askAll(): Promise<void> {
    const answer = await this.#get('/miner-positions?tier=100', [200]);
    if (answer !== undefined)
      this.#claim('/miner-positions', answer.response, JSON.parse(answer.text) as Miners);
  }

  async #askOne(): Promise<void> {
    const hotkeys = [...new Set([...this.#options.placed.values()].map(({ hotkey }) => hotkey))];
    const hotkey = hotkeys[this.answers % hotkeys.length];
    if (hotkey === undefined) return;
    const answer = await this.#get(`/miner-positions/${hotkey}`, [200, 404]);
    if (answer !== undefined)
      this.#claim(
        `/miner-positions/${hotkey}`,
        answer.response,
        { [hotkey]: JSON.parse(answer.text) as Miner },
        hotkey,
      );
  }

  /** What is held and what changed make what is held now, which claims as much as a full answer. */
  async #askChanges(): Promise<void> {
    if (this.#replica === undefined) {
      const answer = await this.#get('/miner-positions?tier=100', [200]);
      if (answer === undefined) return;
      const miners = new Map(Object.entries(JSON.parse(answer.text) as Miners));
      this.#replica = { generation: answer.response.headers.get('x-generation') ?? '', miners };
    }
    const { generation, miners } = this.#replica;
    const answer = await this.#get(`/miner-positions/changes?tier=100&since=${generation}`, [200, 410]);
    if (answer === undefined) {
      this.#replica = undefined;
      return;
    }
    const changes = JSON.parse(answer.text) as { generation: number; miners: Miners; gone: string[] };
    for (const hotkey of changes.gone) miners.delete(hotkey);
    for (const [hotkey, miner] of Object.entries(changes.miners)) miners.set(hotkey, miner);
    this.#replica.generation = String(changes.generation);
    this.#claim('/miner-positions/changes', answer.response, Object.fromEntries(miners));
  }

  #claim(path: string, { headers }: Response, miners: Miners, hotkey?: string): void {
    const sequence = headers.get('x-sequence');
    if (sequence === null) return;
    if (headers.get('x-epoch') !== this.#options.follower.epoch)
      this.#breach(
        `${path} is of epoch ${headers.get('x-epoch') ?? ''}, the stream of ${this.#options.follower.epoch ?? ''}`,
      );
    const orders = Object.values(miners).flatMap(({ positions }) =>
      positions.flatMap((position) => position.orders.map(({ order_uuid: uuid }) => uuid)),
    );
    const what = `${path} of generation ${headers.get('x-generation') ?? ''}`;
    this.#claims.push({ what, sequence: Number(sequence), hotkey, orders: new Set(orders) });
  }

  #checkClaims(): void {
    const { follower, placed, absent } = this.#options;
    const { last, base } = follower;
    for (const { what, sequence, hotkey, orders } of this.#claims) {
      if (sequence > last) continue;
      this.checked += 1;
      follower.orders.slice(0, Math.max(0, sequence - base)).forEach((uuid, index) => {
        const place = placed.get(uuid);
        if (place === undefined || orders.has(uuid) || absent.has(place.positionUuid)) return;
        if (hotkey !== undefined && hotkey !== place.hotkey) return;
        this.#breach(
          `${what} claims to be complete to order ${sequence}, and lacks order ${base + index + 1} (${uuid} of ${place.positionUuid}, ${place.hotkey})`,
        );
      });
    }
    this.#claims = this.#claims.filter(({ sequence }) => sequence > last);
  }
}

/** What is wrong with what the stream delivered: nothing if it is what was placed, each once, in order. */
export function faultsOfStream(
  { orders, breaches }: Follower,
  placed: ReadonlyMap<string, { readonly positionUuid: string }>,
): string[] {
  const faults = [...breaches.slice(0, MAX_TOLD)];
  const missing = [...placed.keys()].filter((uuid) => !orders.includes(uuid));
  if (missing.length > 0)
    faults.push(`${missing.length} orders were never streamed: ${missing.slice(0, MAX_TOLD).join()}`);
  const others = orders.filter((uuid) => !placed.has(uuid));
  if (others.length > 0)
    faults.push(`${others.length} orders that nobody placed: ${others.slice(0, MAX_TOLD).join()}`);
  const numberOf = new Map(orders.map((uuid, index) => [uuid, index]));
  const lastOf = new Map<string, number>();
  // Of one position they come in the order in which they were placed.
  for (const [uuid, { positionUuid }] of placed) {
    const number = numberOf.get(uuid);
    if (number === undefined) continue;
    if (number < (lastOf.get(positionUuid) ?? -1))
      faults.push(`${uuid} came before an earlier order of ${positionUuid}`);
    lastOf.set(positionUuid, number);
  }
  return faults;
}
