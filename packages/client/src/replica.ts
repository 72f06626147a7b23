import type { MinerPositions } from '@ptn-api/protocol';
import { Alarm } from './replica-alarm.ts';
import { asError, headOf, isRefusal, refuseOlder } from './replica-parts.ts';
import type { ReplicaOptions } from './replica-parts.ts';
import { ReplicaState } from './replica-state.ts';
import type { ReplicaHead } from './replica-state.ts';
import { PtnRestError } from './rest-error.ts';

/** After a failure the next try comes so soon, then twice as late each time… */
const RETRY_MIN_MS = 250;
/** …up to this. */
const RETRY_MAX_MS = 10_000;
/** What a server asks to wait for is kept up to this. */
const RETRY_AFTER_MAX_MS = 60_000;
/** A client of another tier gets delayed positions, which the stream would contradict. */
const TIER = 100;

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** One snapshot and the stream that follows it, up to a gap. */
interface Session {
  readonly state: ReplicaState;
  isOver: boolean;
}

/**
 * All miners' positions in memory, kept up to date: a snapshot, then every order as soon as it is streamed, and what
 * has no order event by asking for changes. Always one consistent state of the server; after a gap the old one stays
 * until a new snapshot takes its place. Needs a key of tier 100.
 */
export class Replica {
  /** Resolves when the replica has ended: `null` by {@link stop}, else what it cannot go on after. */
  readonly finished: Promise<Error | null>;
  readonly #options: ReplicaOptions;
  readonly #pollMs: number;
  readonly #gatherMs: number;
  readonly #alarm = new Alarm();
  readonly #ending = new AbortController();
  #resolveFinished: (error: Error | null) => void = () => undefined;
  #started: Waiting | null = null;
  #isStarted = false;
  #fatal: Error | null = null;
  #refreshes: Waiting[] = [];
  #session: Session | null = null;

  constructor(options: ReplicaOptions) {
    const { pollMs = 2000, gatherMs = 300 } = options;
    for (const [name, value] of Object.entries({ pollMs, gatherMs })) {
      if (!(value > 0 && value < 2 ** 31)) throw new RangeError(`${name} must be a number of ms above 0`);
    }
    this.#options = options;
    this.#pollMs = pollMs;
    this.#gatherMs = gatherMs;
    this.finished = new Promise((resolve) => {
      this.#resolveFinished = resolve;
    });
  }

  /** Hotkey -> miner; empty before the first snapshot. Another map after every change: one that was taken stays. */
  get positions(): ReadonlyMap<string, MinerPositions> {
    return this.#session?.state.miners ?? new Map();
  }

  get(hotkey: string): MinerPositions | undefined {
    return this.#session?.state.miners.get(hotkey);
  }

  /** Every order of the stream up to it is in {@link positions}; `null` before the first snapshot. */
  get sequence(): number | null {
    return this.#session?.state.sequence ?? null;
  }

  /** The order log that {@link sequence} belongs to. */
  get epoch(): string | null {
    return this.#session?.state.epoch ?? null;
  }

  /** The newest generation of the server that is in {@link positions}. */
  get generation(): number | null {
    return this.#session?.state.generation ?? null;
  }

  /**
   * Resolves when the first snapshot is there and its stream is followed; tries for as long as that takes.
   *
   * @throws what the replica ended by: a key that is refused, an address that the stream client cannot use.
   */
  async start(): Promise<void> {
    if (this.#isStarted) throw new Error('a replica is started once');
    this.#isStarted = true;
    const following = new Promise<void>((resolve, reject) => {
      this.#started = { resolve, reject };
    });
    void this.#run();
    await following;
  }

  /** Ends it. What it holds can still be read. */
  async stop(): Promise<void> {
    this.#end(null);
    if (!this.#isStarted) this.#resolveFinished(null);
    await this.finished;
  }

  /**
   * Asks for changes now; resolves when the answer is in {@link positions}.
   *
   * @throws PtnRestError where the request failed; an Error where the replica has ended.
   */
  refresh(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.#isStarted || this.#ending.signal.aborted) {
        reject(new Error('the replica is not running'));
        return;
      }
      this.#refreshes.push({ resolve, reject });
      this.#alarm.within(0);
    });
  }

  #end(error: Error | null): void {
    if (this.#ending.signal.aborted) return;
    this.#fatal = error;
    this.#ending.abort(new Error('the replica was stopped'));
    this.#alarm.cancel();
  }

  async #run(): Promise<void> {
    const isWanted = (): boolean => !this.#ending.signal.aborted;
    try {
      while (isWanted()) {
        await this.#read(() => this.#readSnapshot(), isWanted);
        if (this.#session !== null && isWanted()) await this.#follow(this.#session);
      }
    } catch (error) {
      // Of the stream client, such as an address it cannot use, or of the program's onError.
      this.#end(asError(error));
    }
    const why = this.#fatal ?? new Error('the replica was stopped');
    this.#started?.reject(why);
    for (const { reject } of this.#refreshes.splice(0)) reject(why);
    this.#resolveFinished(this.#fatal);
  }

  /** Reads from the server, again and again until it succeeds, and notifies those who asked for it. */
  async #read(read: () => Promise<void>, isWanted: () => boolean): Promise<void> {
    for (let failures = 0; isWanted(); failures++) {
      const refreshes = this.#refreshes.splice(0);
      try {
        await read();
        // What a session that ended meanwhile did not read, the next one does.
        if (isWanted()) for (const { resolve } of refreshes) resolve();
        else this.#refreshes.unshift(...refreshes);
        return;
      } catch (error) {
        if (!isWanted()) {
          this.#refreshes.unshift(...refreshes);
          return;
        }
        const failure = asError(error);
        for (const { reject } of refreshes) reject(failure);
        if (!(failure instanceof PtnRestError) || isRefusal(failure)) {
          this.#end(failure);
          return;
        }
        this.#options.onError?.(failure);
        const backoffMs = Math.min(RETRY_MIN_MS * 2 ** failures, RETRY_MAX_MS);
        const askedMs = Math.min(failure.retryAfterMs ?? 0, RETRY_AFTER_MAX_MS);
        await this.#alarm.wait(Math.max(backoffMs, askedMs));
      }
    }
  }

  /** Begins a session. Where there was one, its content is shown until then. */
  async #readSnapshot(): Promise<void> {
    const answer = await this.#options.rest.positions({ tier: TIER, signal: this.#ending.signal });
    const head = headOf(answer);
    const before = this.#session?.state;
    if (before !== undefined) refuseOlder(head, before.epoch, before.sequence);
    const state = new ReplicaState(head, answer.value);
    this.#session = { state, isOver: false };
    this.#publish(state, [...new Set([...(before?.miners.keys() ?? []), ...state.miners.keys()])]);
  }

  /** Follows the stream from the session's snapshot on, until there is a gap. */
  async #follow(session: Session): Promise<void> {
    const { state } = session;
    const isWanted = (): boolean => !session.isOver && !this.#ending.signal.aborted;
    const stream = this.#options.createStream({
      start: { sequence: state.sequence, epoch: state.epoch },
      onOrders: (orders) => {
        if (!isWanted()) return;
        this.#publish(state, state.applyOrders(orders));
        this.#alarm.within(this.#gatherMs);
      },
      onGap: () => {
        this.#leave(session);
      },
      onError: (error) => {
        if (isWanted()) this.#options.onError?.(error);
      },
      onEnd: (error) => {
        if (isWanted()) this.#end(error);
      },
    });
    stream.start().then(
      () => {
        this.#started?.resolve();
      },
      (error: unknown) => {
        if (isWanted()) this.#end(asError(error));
      },
    );
    try {
      while (isWanted()) {
        await this.#alarm.wait(this.#pollMs);
        await this.#read(() => this.#readChanges(session), isWanted);
      }
    } finally {
      session.isOver = true;
      await stream.stop();
    }
    // Snapshot and log can be out of step for a moment: asked without a pause, they would be asked in a circle.
    if (!this.#ending.signal.aborted) await this.#alarm.wait(RETRY_MIN_MS);
  }

  #leave(session: Session): void {
    session.isOver = true;
    this.#alarm.within(0);
  }

  async #readChanges(session: Session): Promise<void> {
    const { state } = session;
    const { head, apply } = await this.#askForNewer(state);
    if (head.epoch !== state.epoch) {
      this.#leave(session);
      return;
    }
    this.#publish(state, apply());
    if (state.isAhead) this.#alarm.within(this.#gatherMs);
  }

  /** What changed, or everything where the server no longer knows what did. */
  async #askForNewer(state: ReplicaState): Promise<{ head: ReplicaHead; apply: () => string[] }> {
    const { rest } = this.#options;
    const asked = { tier: TIER, signal: this.#ending.signal } as const;
    try {
      const answer = await rest.positionsChanges({ ...asked, since: state.generation });
      const head = headOf(answer);
      return { head, apply: () => state.applyChanges(head, answer.value) };
    } catch (error) {
      if (!(error instanceof PtnRestError) || error.status !== 410) throw error;
    }
    const answer = await rest.positions(asked);
    const head = headOf(answer);
    refuseOlder(head, state.epoch, state.toldSequence);
    return { head, apply: () => state.applySnapshot(head, answer.value) };
  }

  #publish(state: ReplicaState, hotkeys: readonly string[]): void {
    if (hotkeys.length === 0) return;
    try {
      this.#options.onChange?.(hotkeys, state.sequence);
    } catch (error) {
      this.#end(asError(error));
    }
  }
}
