/**
 * Follows the server beside the page: reading a snapshot of tens of megabytes would stop the page for as long. Only what
 * is shown goes over.
 */
import { PtnRestClient, PtnRestError, PtnStreamError } from '@ptn-api/client';
import type { MinerPositions } from '@ptn-api/protocol';
import { numberOf } from '../model/members.ts';
import { minerRow } from '../model/miners.ts';
import type { MinerRow } from '../model/miners.ts';
import { refusalKind, refusalText } from '../model/refusal.ts';
import { eliminationRows, statisticsRow } from '../model/statistics.ts';
import { tapeRow } from '../model/tape.ts';
import type { TapeRow } from '../model/tape.ts';
import type { FromWorker, ServerState, ToWorker } from './messages.ts';
import { ObservedReplica } from './observed-replica.ts';

/** The minimum interval between messages to the page: a burst of orders is drawn in a few frames. */
const TELL_EVERY_MS = 200;
const READ_DOCUMENTS_EVERY_MS = 15_000;
const READ_READINESS_EVERY_MS = 5000;
/** Of the order log, to begin the tape with. */
const TAPE_START = 200;

function post(message: FromWorker): void {
  postMessage(message);
}

class Follower {
  readonly #rest: PtnRestClient;
  readonly #replica: ObservedReplica;
  /** The value of a miner that did not change is the same object, and its row need not be made again. */
  readonly #rows = new WeakMap<MinerPositions, MinerRow>();
  #state: ServerState = {
    connection: 'connecting',
    sequence: null,
    epoch: null,
    generation: null,
    clockOffsetMs: 0,
    isReady: null,
    reasons: [],
    changedMs: null,
    lastFault: null,
  };
  #waitingOrders: TapeRow[] = [];
  #areMinersChanged = false;
  #changedMiners = new Set<string>();
  #watched: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hasStarted = false;
  #hasEnded = false;

  constructor({ apiKey, restUrl, wsUrl }: Extract<ToWorker, { type: 'start' }>) {
    this.#rest = new PtnRestClient({ apiKey, url: restUrl, timeoutMs: 60_000 });
    this.#replica = new ObservedReplica(
      {
        apiKey,
        url: wsUrl,
        restUrl,
        timeoutMs: 60_000,
        onChange: (hotkeys) => {
          this.#areMinersChanged = true;
          this.#state = { ...this.#state, changedMs: Date.now() };
          for (const hotkey of hotkeys) this.#changedMiners.add(hotkey);
          this.#tellSoon();
        },
        onError: (error) => {
          this.#fault(error);
        },
      },
      {
        onOrders: (orders, clockOffsetMs) => {
          for (const { message, lagFromQueueMs } of orders) {
            const row = tapeRow(message, lagFromQueueMs);
            if (row !== null) this.#waitingOrders.push(row);
          }
          this.#update({ clockOffsetMs });
        },
        onState: (state) => {
          if (state === 'subscribed') this.#update({ connection: 'connected' });
          else if (state === 'waiting') this.#update({ connection: 'interrupted' });
        },
      },
    );
  }

  /** The page's policy does not let the stream through: nothing else would be seen of that than a lost connection. */
  blocked(uri: string): void {
    this.#fault(
      new Error(
        `the browser does not open ${uri}, as the policy that the server sent with this page does not name it`,
      ),
    );
  }

  async run(): Promise<void> {
    void this.#replica.finished.then((error) => {
      this.#fail(error ?? new Error('the connection was ended'));
    });
    try {
      // Asked first: it is a small answer, and says at once whether the key is good.
      await this.#rest.hotkeys();
    } catch (error) {
      if (error instanceof PtnRestError && !error.isTemporary && error.status !== 404) {
        this.#fail(error);
        return;
      }
      this.#fault(error);
    }
    try {
      await this.#replica.start();
    } catch {
      return; // `finished` says why.
    }
    this.#hasStarted = true;
    post({ type: 'started' });
    this.#areMinersChanged = true;
    this.watch(this.#watched);
    await this.#readTapeStart();
    this.#repeat(READ_DOCUMENTS_EVERY_MS, () => this.#readDocuments());
    this.#repeat(READ_READINESS_EVERY_MS, () => this.#readReadiness());
  }

  watch(hotkey: string | null): void {
    this.#watched = hotkey;
    if (hotkey !== null) this.#changedMiners.add(hotkey);
    this.#tellSoon();
  }

  #fail(error: Error): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    const kind = error instanceof PtnRestError || error instanceof PtnStreamError ? refusalKind(error) : null;
    post({
      type: 'failed',
      message: kind === null ? error.message : refusalText(kind, this.#hasStarted),
      isKeyRefused: kind !== null && kind !== 'too-many-connections',
    });
    void this.#replica.stop();
  }

  #fault(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#update({ lastFault: { message, atMs: Date.now() } });
  }

  #update(change: Partial<ServerState>): void {
    this.#state = { ...this.#state, ...change };
    this.#tellSoon();
  }

  #tellSoon(): void {
    if (this.#hasEnded) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#tellNow();
    }, TELL_EVERY_MS);
  }

  #tellNow(): void {
    const { positions, sequence, epoch, generation } = this.#replica;
    this.#state = { ...this.#state, sequence, epoch, generation };
    post({ type: 'state', state: this.#state });
    if (this.#waitingOrders.length > 0) {
      post({ type: 'orders', rows: this.#waitingOrders });
      this.#waitingOrders = [];
    }
    if (this.#areMinersChanged) {
      this.#areMinersChanged = false;
      post({ type: 'miners', rows: [...positions].map(([hotkey, miner]) => this.#rowOf(hotkey, miner)) });
    }
    if (this.#watched !== null && this.#changedMiners.has(this.#watched)) {
      post({ type: 'miner', hotkey: this.#watched, miner: positions.get(this.#watched) ?? null });
    }
    this.#changedMiners = new Set();
  }

  #rowOf(hotkey: string, miner: MinerPositions): MinerRow {
    const known = this.#rows.get(miner);
    if (known !== undefined) return known;
    const row = minerRow(hotkey, miner);
    this.#rows.set(miner, row);
    return row;
  }

  #repeat(everyMs: number, read: () => Promise<void>): void {
    void read()
      .catch((error: unknown) => {
        this.#fault(error);
      })
      .then(() => {
        if (!this.#hasEnded)
          setTimeout(() => {
            this.#repeat(everyMs, read);
          }, everyMs);
      });
  }

  async #readTapeStart(): Promise<void> {
    try {
      const since = Math.max(0, (this.#replica.sequence ?? 0) - TAPE_START);
      const { messages } = await this.#rest.orders({ since, limit: TAPE_START });
      for (const message of messages) {
        const row = tapeRow(message, null);
        if (row !== null) this.#waitingOrders.push(row);
      }
      this.#tellSoon();
    } catch (error) {
      this.#fault(error);
    }
  }

  async #readDocuments(): Promise<void> {
    const statistics = await nullOn404(this.#rest.statistics({ checkpoints: false }));
    if (statistics?.isNotModified !== true) {
      const document = statistics?.value ?? { data: [] };
      const writtenMs = numberOf(document.created_timestamp_ms);
      post({ type: 'statistics', rows: document.data.map(statisticsRow), writtenMs });
    }
    const eliminations = await nullOn404(this.#rest.eliminations());
    if (eliminations?.isNotModified !== true) {
      post({ type: 'eliminations', rows: eliminationRows(eliminations?.value ?? []) });
    }
  }

  async #readReadiness(): Promise<void> {
    try {
      this.#update(await this.#rest.readiness());
    } catch (error) {
      this.#update({ isReady: false, reasons: ['it does not answer'] });
      throw error;
    }
  }
}

/** `null` where the validator has not written the file yet. */
async function nullOn404<Value>(answer: Promise<Value>): Promise<Value | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof PtnRestError && error.status === 404) return null;
    throw error;
  }
}

let follower: Follower | undefined;

addEventListener('securitypolicyviolation', ({ blockedURI }) => {
  follower?.blocked(blockedURI);
});

addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  switch (data.type) {
    case 'start':
      try {
        follower = new Follower(data);
      } catch (error) {
        // Such as a key that no header can carry.
        post({
          type: 'failed',
          message: `This key cannot be used: ${error instanceof Error ? error.message : String(error)}.`,
          isKeyRefused: true,
        });
        return;
      }
      void follower.run();
      break;
    case 'watch':
      follower?.watch(data.hotkey);
      break;
  }
});
