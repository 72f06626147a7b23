import type { MemoryLog } from '../stream/memory-log.ts';
import type { RunningStream } from '../stream/serve-stream.ts';
import type { Json, StreamClient } from '../stream/stream-client.ts';
import { compareTexts, membersOf } from './compare-texts.ts';
import type { Difference } from './compare-texts.ts';
import { isMessage } from './transcript.ts';
import type { WireEvent } from './transcript.ts';
import { isOrder, sequenceOf, unitsOf } from './transcript-orders.ts';
import type { TranscriptOrders } from './transcript-orders.ts';
import { OWN_CLOSE_CODE, OWN_MEMBERS, OWN_MESSAGES } from './transcript-differences.ts';

const NORMAL_CLOSURE = 1000;
const FIRST_OWN_CLOSE_CODE = 4000;
/** A larger jump of the orders' numbers is a damaged record. */
const MAX_UNSEEN_ORDERS = 10_000;

export interface TranscriptReplayOptions {
  readonly stream: RunningStream;
  readonly log: MemoryLog;
  readonly orders: TranscriptOrders;
  readonly difference: Difference;
  /** How long to wait for a message or a closing. */
  readonly timeoutMs: number;
}

interface ReplayedConnection {
  readonly client: StreamClient;
  /** Of its messages, with those in batches each for itself, so many were compared or known as our own. */
  readCount: number;
  hasLoggedIn: boolean;
  wasRefused: boolean;
  hasEnded: boolean;
}

/** The recorded clients, talking to a server. */
export class TranscriptReplay {
  readonly #options: TranscriptReplayOptions;
  readonly #connections = new Map<string, ReplayedConnection>();
  /** Content of the recorded orders that are in the log. */
  readonly #orders = new Map<number, string>();
  /** How often something differed on purpose, by the reason. */
  readonly onPurpose = new Map<string, number>();
  /** Messages of the server that were compared. */
  compared = 0;

  constructor(options: TranscriptReplayOptions) {
    this.#options = options;
  }

  /** Does, or compares, what one event says. */
  async play(events: readonly WireEvent[], index: number): Promise<void> {
    const event = events[index];
    if (event === undefined) return;
    const { conn, dir, kind } = event;
    if (kind === 'plain-http') await this.#comparePlainHttp(event);
    if (event.path !== undefined) await this.#open(event, event.path);
    const connection = this.#connections.get(conn);
    if (connection === undefined) {
      if (isMessage(event)) throw new Error(`${event.scenario}: ${conn} was never opened`);
      return;
    }
    if (connection.hasEnded) return;
    if (kind === 'close') await this.#close(connection, event);
    else if (kind === 'tcp-eof' && dir === 'c') await this.#end(connection, event, 'terminate');
    else if (isMessage(event) && dir === 'c') this.#send(connection, events, index);
    else if (isMessage(event) && dir === 's') await this.#compare(connection, event);
  }

  /** Closes what was left open, and compares that nothing more had come. */
  async end(): Promise<void> {
    for (const [conn, connection] of this.#connections) {
      if (!connection.hasEnded) await this.#end(connection, { scenario: 'at the end', conn }, 'close');
    }
  }

  async #comparePlainHttp({ scenario, code }: WireEvent): Promise<void> {
    const { status } = await fetch(`http://127.0.0.1:${this.#options.stream.port}/`);
    this.compared += 1;
    if (status !== code) this.#differs(`${scenario}: HTTP ${status} for ${code ?? 0}`);
  }

  async #open({ conn, authorization }: WireEvent, path: string): Promise<void> {
    const headers = authorization === undefined ? {} : { authorization };
    const client = await this.#options.stream.connect(path, headers);
    this.#connections.set(conn, {
      client,
      readCount: 0,
      hasLoggedIn: false,
      wasRefused: false,
      hasEnded: false,
    });
  }

  #send({ client }: ReplayedConnection, events: readonly WireEvent[], index: number): void {
    const { conn, kind, text = '' } = events[index] ?? {};
    const answers = events.slice(index).filter(({ dir, text }) => dir === 's' && text !== undefined);
    const jsonOf = (answer: WireEvent): Json => JSON.parse(answer.text ?? '{}') as Json;
    const next = answers.find((answer) => answer.conn === conn);
    const current = next && jsonOf(next)['current_sequence'];
    // Orders that reached nobody came before who logs in or subscribes: their numbers are missing after it.
    if (typeof current === 'number') this.#skipTo(current + 1);
    if (next && jsonOf(next)['action'] === 'subscribe') {
      const order = answers.flatMap(({ text = '' }) => unitsOf(text)).find(isOrder);
      if (order !== undefined) this.#skipTo(sequenceOf(order));
    }
    client.socket.send(kind === 'binary' ? Buffer.from(text) : text);
  }

  #skipTo(sequence: number): void {
    const { log, stream } = this.#options;
    const count = sequence - 1 - log.state().last;
    if (count > MAX_UNSEEN_ORDERS) throw new Error(`a jump of ${count} orders to ${sequence}`);
    if (count <= 0) return;
    log.appendMany(count);
    stream.streams.ordersChanged();
  }

  /** Has an order come in, unless another client has received it before. */
  #append(scenario: string, order: string): void {
    const { log, stream, orders } = this.#options;
    const sequence = sequenceOf(order);
    const members = membersOf(order);
    const data = members.get('data') ?? 'null';
    const known = this.#orders.get(sequence);
    if (known !== undefined || sequence <= log.state().last) {
      if (known !== data) this.#differs(`${scenario}: order ${sequence} was there before, as another one`);
      return;
    }
    if (sequence !== log.state().last + 1)
      throw new Error(`${scenario}: order ${sequence} after ${log.state().last}`);
    this.#orders.set(sequence, data);
    log.append({ timestampMs: Number(members.get('timestamp')), content: orders.contentOf(data) });
    stream.streams.ordersChanged();
  }

  async #compare(connection: ReplayedConnection, { scenario, conn, text = '' }: WireEvent): Promise<void> {
    const units = unitsOf(text);
    for (const unit of units.filter(isOrder)) this.#append(scenario, unit);
    for (const unit of units) {
      const wanted = JSON.parse(unit) as Json;
      const got = await this.#next(connection, wanted);
      this.compared += 1;
      if (got === undefined) {
        this.#differs(`${scenario}: nothing came to ${conn} for ${unit.slice(0, 100)}`);
        // What follows it would be missing, too.
        connection.hasEnded = true;
        connection.client.socket.terminate();
        return;
      }
      this.#compareMessages(scenario, got, unit);
      connection.hasLoggedIn ||= wanted['status'] === 'success';
      connection.wasRefused = wanted['status'] === 'error';
    }
  }

  /** The next message that the Python server sent, too; undefined where none comes. */
  async #next(connection: ReplayedConnection, wanted: Json): Promise<string | undefined> {
    const { client } = connection;
    for (;;) {
      const received = (): readonly string[] => client.texts.flatMap(unitsOf);
      const hasMore = (): boolean => received().length > connection.readCount;
      if (!(await this.#comesTrue(client, () => hasMore() || client.closeCode !== undefined)))
        return undefined;
      const text = received()[connection.readCount];
      if (text === undefined) return undefined;
      connection.readCount += 1;
      if (!this.#isOwn(text, wanted)) return text;
    }
  }

  async #comesTrue(client: StreamClient, condition: () => boolean): Promise<boolean> {
    // What it rejects with says only that the time is up.
    await client.until(condition, this.#options.timeoutMs).catch(() => undefined);
    return condition();
  }

  #isOwn(text: string, wanted: Json | undefined): boolean {
    const own = OWN_MESSAGES.find(({ is }) => is(JSON.parse(text) as Json, wanted));
    if (own !== undefined) this.#note(own.reason);
    return own !== undefined;
  }

  #compareMessages(scenario: string, got: string, want: string): void {
    const [ours, theirs] = [membersOf(got), membersOf(want)];
    const isPong = theirs.get('type') === '"pong"';
    for (const [name, value] of theirs) {
      const our = ours.get(name) ?? 'absent';
      const isClock = name === 'server_timestamp' || name === 'received_timestamp';
      // When it was answered is any time.
      if ((isClock || (isPong && name === 'timestamp')) && /^\d+$/.test(our) && /^\d+$/.test(value)) continue;
      // Whether a number was an int is from when the validator had not read the record again.
      const options = { path: `${scenario}: ${name}`, inOrder: true, anyForm: name === 'data' };
      compareTexts(our, value, this.#options.difference, options);
    }
    for (const [name, value] of ours) {
      if (theirs.has(name)) continue;
      const own = OWN_MEMBERS.find((known) => known.name === name && known.value.test(value));
      if (own === undefined) this.#differs(`${scenario}: ${name}: ${value.slice(0, 100)} for absent`);
      else this.#note(`${name}: ${own.reason}`);
    }
  }

  async #close(connection: ReplayedConnection, event: WireEvent): Promise<void> {
    const { scenario, conn, dir, code } = event;
    const { client, hasLoggedIn, wasRefused } = connection;
    // Else the record shows its answer to the client's own closing.
    const isByServer = dir === 's' && (wasRefused || !hasLoggedIn || code !== NORMAL_CLOSURE);
    if (!isByServer) {
      await this.#end(connection, event, 'close');
      return;
    }
    const isClosed = await this.#comesTrue(client, () => client.closeCode !== undefined);
    const { closeCode = 0 } = client;
    if (!isClosed) this.#differs(`${scenario}: ${conn} was not closed`);
    else if (code === NORMAL_CLOSURE && closeCode >= FIRST_OWN_CLOSE_CODE) this.#note(OWN_CLOSE_CODE);
    else if (closeCode !== code)
      this.#differs(`${scenario}: ${conn} was closed with ${closeCode} for ${code ?? 0}`);
    const unread = await this.#end(connection, event, 'close');
    // Where the Python server said nothing, ours does; what breaks the protocol has a code that says all.
    const isSilent = code === NORMAL_CLOSURE && !wasRefused;
    if (isClosed && isSilent && !unread.some((text) => (JSON.parse(text) as Json)['status'] === 'error'))
      this.#differs(`${scenario}: ${conn} got no reason for its close`);
  }

  /** Ends a connection from the client's side, and compares that it was sent no more than was recorded: gives what was. */
  async #end(
    connection: ReplayedConnection,
    { scenario, conn }: Pick<WireEvent, 'scenario' | 'conn'>,
    how: 'close' | 'terminate',
  ): Promise<readonly string[]> {
    const { client } = connection;
    connection.hasEnded = true;
    if (client.closeCode === undefined) client.socket[how]();
    if (!(await this.#comesTrue(client, () => client.closeCode !== undefined)))
      this.#differs(`${scenario}: ${conn} does not end`);
    const unread = client.texts.flatMap(unitsOf).slice(connection.readCount);
    for (const text of unread) {
      if (!this.#isOwn(text, undefined))
        this.#differs(`${scenario}: ${conn} got ${text.slice(0, 100)} for nothing`);
    }
    return unread;
  }

  #note(reason: string): void {
    this.onPurpose.set(reason, (this.onPurpose.get(reason) ?? 0) + 1);
  }

  #differs(line: string): void {
    this.#options.difference.unequal.push(line);
  }
}
