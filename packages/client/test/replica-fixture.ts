import type { DashboardMap, MinerPositions, Order, Position } from '@ptn-api/protocol';
import { PtnRestError } from '@ptn-api/client';
import type { ChangesAnswer, PositionsAnswer } from '@ptn-api/client';
import type { ReplicaRest, ReplicaStream, ReplicaStreamWishes } from '../dist/replica-parts.js';

interface Change {
  readonly hotkey: string;
  readonly atGeneration: number;
}

/**
 * What a server does, as far as a replica sees it: positions with orders, generations that hold them a little later
 * than the stream, an order log. Answers are made when the request arrives and given when the test says so.
 */
export class ModelServer {
  /** What the files say now. */
  readonly files = new Map<string, Map<string, Position>>();
  /** What REST answers with: a generation that was published. */
  published: DashboardMap = {};
  generation = 100;
  publishedSequence = 0;
  sequence = 0;
  epoch = 'log-1';
  /** Generations below are no longer known. */
  oldestGeneration = 100;
  #changes: Change[] = [];
  readonly log: { sequence: number; position: Position }[] = [];
  /** Every order of positions that were not deleted since. */
  placed: { sequence: number; hotkey: string; uuid: string; orderUuid: string }[] = [];
  #revision = 0;

  place(hotkey: string, uuid: string, isClosing = false): void {
    const held = this.files.get(hotkey)?.get(uuid);
    if (held?.is_closed_position === true) return;
    this.sequence += 1;
    const order = { order_uuid: `${this.epoch}-${this.sequence}`, processed_ms: this.sequence } as Order;
    const position = {
      ...(held ?? { miner_hotkey: hotkey, position_uuid: uuid, open_ms: this.sequence }),
      orders: [...(held?.orders ?? []), order],
      is_closed_position: isClosing,
      close_ms: isClosing ? this.sequence : null,
      current_return: 1,
    } as Position;
    this.#write(hotkey, uuid, position);
    this.log.push({ sequence: this.sequence, position });
    this.placed.push({ sequence: this.sequence, hotkey, uuid, orderUuid: order.order_uuid });
  }

  /** New returns: no order event. */
  rewrite(hotkey: string, uuid: string): void {
    const held = this.files.get(hotkey)?.get(uuid);
    if (held === undefined) return;
    this.#revision += 1;
    this.#write(hotkey, uuid, { ...held, current_return: 1 + this.#revision / 1000 });
  }

  remove(hotkey: string, uuid: string): void {
    const ofMiner = this.files.get(hotkey);
    ofMiner?.delete(uuid);
    if (ofMiner?.size === 0) this.files.delete(hotkey);
    this.placed = this.placed.filter((placed) => placed.hotkey !== hotkey || placed.uuid !== uuid);
  }

  #write(hotkey: string, uuid: string, position: Position): void {
    const ofMiner = this.files.get(hotkey) ?? new Map<string, Position>();
    this.files.set(hotkey, ofMiner.set(uuid, position));
  }

  /**
   * Publishes a generation: of every order up to `completeTo` the miner is in it, and what is newer may be in it, too.
   * With the present sequence, it is everything there is.
   */
  publish(completeTo = this.sequence): void {
    this.generation += 1;
    const before = this.published;
    this.published = Object.fromEntries([...this.files].map(([hotkey, map]) => [hotkey, minerOf(map)]));
    for (const hotkey of new Set([...Object.keys(before), ...Object.keys(this.published)])) {
      const isSame = JSON.stringify(before[hotkey]) === JSON.stringify(this.published[hotkey]);
      if (!isSame) this.#changes.push({ hotkey, atGeneration: this.generation });
    }
    this.publishedSequence = Math.max(this.publishedSequence, completeTo);
  }

  /** The REST workers were restarted: nothing is known of the changes before. */
  forgetGenerations(): void {
    this.oldestGeneration = this.generation;
  }

  /** The order log was lost. */
  replaceLog(): void {
    this.epoch = `log-${Number(this.epoch.slice(4)) + 1}`;
    this.sequence += 10_000;
    this.publishedSequence = this.sequence;
    this.log.length = 0;
    this.publish();
  }

  snapshot() {
    return { value: structuredClone(this.published), ...this.#head() };
  }

  changes(since: number) {
    if (since < this.oldestGeneration || since > this.generation) {
      const told = { status: 410, code: null, requestId: null, retryAfterMs: null } as const;
      throw new PtnRestError('Generation is too old or unknown', told);
    }
    const hotkeys = this.#changes.filter((change) => change.atGeneration > since).map(({ hotkey }) => hotkey);
    const miners = Object.entries(this.published).filter(([hotkey]) => hotkeys.includes(hotkey));
    const gone = hotkeys.filter((hotkey) => !(hotkey in this.published));
    const value = {
      since,
      generation: this.generation,
      tier: 100 as const,
      miners: Object.fromEntries(miners),
      gone,
    };
    return { value: structuredClone(value), ...this.#head() };
  }

  #head() {
    const { publishedSequence: sequence, epoch, generation } = this;
    return { sequence, epoch, generation, isNotModified: false };
  }
}

function minerOf(positions: ReadonlyMap<string, Position>): MinerPositions {
  const ordered = [...positions.values()].sort(
    (a, b) => (a.close_ms ?? Infinity) - (b.close_ms ?? Infinity) || a.open_ms - b.open_ms,
  );
  const closed = ordered.filter((position) => position.is_closed_position).length;
  return {
    positions: ordered,
    thirty_day_returns: 1 + closed / 100,
    all_time_returns: 1,
    n_positions: closed,
    percentage_profitable: 0,
    tier: 100,
  };
}

/** A stream over the model's log; orders arrive when the test says so. */
export class ModelStream implements ReplicaStream {
  readonly wishes: ReplicaStreamWishes;
  readonly #server: ModelServer;
  isStopped = false;
  sequence: number;

  constructor(server: ModelServer, wishes: ReplicaStreamWishes) {
    this.#server = server;
    this.wishes = wishes;
    this.sequence = wishes.start.sequence;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.isStopped = true;
    return Promise.resolve();
  }

  /** Everything the client lacks, at most `count` orders in one batch; a gap where it lacks what is gone. */
  deliver(count = Infinity): void {
    if (this.isStopped) return;
    if (this.wishes.start.epoch !== this.#server.epoch) {
      this.wishes.onGap();
      return;
    }
    const oldest = this.#server.log[0]?.sequence ?? this.#server.sequence + 1;
    const waiting = this.#server.log.filter(({ sequence }) => sequence > this.sequence);
    if (this.sequence < oldest - 1 && waiting.length > 0) {
      this.wishes.onGap();
      return;
    }
    const batch = waiting.slice(0, count);
    if (batch.length === 0) return;
    this.sequence = batch.at(-1)?.sequence ?? this.sequence;
    this.wishes.onOrders(structuredClone(batch));
  }
}

/** REST requests that wait until the test answers them. */
export class HeldRest implements ReplicaRest {
  readonly #server: ModelServer;
  readonly #held: (() => void)[] = [];
  /** False: every request is answered at once. */
  isHeld = false;
  readonly asked: string[] = [];

  constructor(server: ModelServer) {
    this.#server = server;
  }

  get waiting(): number {
    return this.#held.length;
  }

  /** Lets the oldest request that waits have its answer. */
  answer(): void {
    this.#held.shift()?.();
  }

  positions({ signal }: { readonly signal: AbortSignal }): Promise<PositionsAnswer> {
    this.asked.push('snapshot');
    return this.#give(() => this.#server.snapshot(), signal);
  }

  positionsChanges({
    since,
    signal,
  }: {
    readonly since: number;
    readonly signal: AbortSignal;
  }): Promise<ChangesAnswer> {
    this.asked.push(`changes ${since}`);
    return this.#give(() => this.#server.changes(since), signal);
  }

  /** The answer is made now, as by a worker, and arrives later, as over a slow line. */
  #give<T>(make: () => T, signal: AbortSignal): Promise<T> {
    const made = new Promise<T>((resolve) => {
      resolve(make());
    });
    if (!this.isHeld) return made;
    // Told to who asked, when the test lets it; nobody listens until then.
    made.catch(() => undefined);
    return new Promise((resolve, reject) => {
      this.#held.push(() => {
        resolve(made);
      });
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error);
      });
    });
  }
}
