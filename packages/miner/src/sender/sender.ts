import { join } from 'node:path';
import { access, readFile } from 'node:fs/promises';
import { setMaxListeners } from 'node:events';
import type { JsonObject, JsonValue } from '@ptn-api/positions';
import { removeIfSame, writeDurably } from '../folder/durable.ts';
import type { MiningFolder } from '../folder/mining-folder.ts';
import { acceptedOrder, afterAttempt, newDelivery, nextAttemptAfterMs } from './delivery.ts';
import type { AttemptResult, Delivery, RetryTimes } from './delivery.ts';
import { Journal, readJournal, readJournals } from './journal.ts';
import type { JournalRead, SignalInProgress } from './journal.ts';
import { outcomeOf, unsentOutcome } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import { identify, pendingFiles, readPending } from './pending-files.ts';
import type { PendingFile } from './pending-files.ts';
import { isCancel } from './signal-file.ts';
import type { Clock } from './clock.ts';
import type { Validator } from './validators.ts';

export interface SenderOptions {
  readonly folder: MiningFolder;
  /** Whom a signal goes to that comes now. */
  readonly validators: () => readonly Validator[];
  /** One attempt. Never rejects but when `signal` aborts. */
  readonly attempt: (
    validator: Validator,
    signal: JsonObject,
    uuid: string,
    abort: AbortSignal,
  ) => Promise<AttemptResult>;
  readonly clock: Clock;
  readonly retryTimes: RetryTimes;
  /** A signal that had to wait for earlier ones is not tried again after this time. */
  readonly retryWithinMs: number;
  readonly writeFailed: boolean;
  readonly recentlyAcked: ReadonlySet<string>;
  readonly onAttempt: (uuid: string, delivery: Delivery, result: AttemptResult) => void;
  readonly onOutcome: (uuid: string, signal: JsonValue, outcome: Outcome) => void;
  readonly onFault: (error: unknown, text: string) => void;
}

/**
 * Sends the signals of a folder to the validators. Of one pair each validator gets them in the order in which they came,
 * one after the other: one that does not answer delays no other validator. A signal's file stays until its outcome is on
 * disk.
 */
export class Sender {
  readonly #options: SenderOptions;
  /** By name. */
  readonly #inProgress = new Map<string, Promise<void>>();
  /** Of each validator and pair the last delivery, which the next one waits for. */
  readonly #lanes = new Map<string, Promise<void>>();
  readonly #abort = new AbortController();

  constructor(options: SenderOptions) {
    this.#options = options;
    // Each signal that waits listens for the end.
    setMaxListeners(0, this.#abort.signal);
  }

  get waiting(): number {
    return this.#inProgress.size;
  }

  /** Goes on with what was on its way when the miner ended. To be awaited before the first {@link scan}. */
  async resume(): Promise<void> {
    for (const left of await readJournals(this.#options.folder.attempts)) this.#goOn(left);
  }

  /** Begins with every signal that is not on its way yet. */
  async scan(): Promise<void> {
    const { folder, clock, onFault } = this.#options;
    for (const file of await pendingFiles(folder)) {
      if (this.#inProgress.has(file.name)) continue;
      try {
        const read = await readPending(file, clock.nowMs());
        if (read.kind === 'unreadable') await this.#setAside(file, read.text, read.reason);
        if (read.kind === 'signal') await this.#pickUp(file, read.signal, read.pairId, read.orders);
      } catch (error) {
        onFault(error, `signal ${file.name} waits: it could not be taken up`);
      }
    }
  }

  /** When nothing is on its way any more. */
  async idle(): Promise<void> {
    while (this.#inProgress.size > 0) await Promise.all(this.#inProgress.values());
  }

  /** Lets go of everything, which {@link resume} takes up again. */
  async close(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#inProgress.values());
  }

  async #pickUp(
    { name, path, identity }: PendingFile,
    signal: JsonObject,
    pairId: string,
    orders: JsonObject | undefined,
  ): Promise<void> {
    const { folder, validators } = this.#options;
    const left = await readJournal(folder.attempts, name);
    if (left !== undefined) {
      this.#goOn(left);
      return;
    }
    if (orders === undefined && !isCancel(signal) && (await isUsed(folder, name))) {
      await this.#setAside({ name, path, identity }, signal, `Duplicate miner order uuid ${name}`);
      return;
    }
    const deliveries = validators().map((validator) => {
      const order = orders?.get(validator.hotkey);
      const fresh = { ...newDelivery(validator), mayBeHandled: orders !== undefined };
      return typeof order === 'string'
        ? afterAttempt(fresh, name, { kind: 'accepted', orderJson: order })
        : fresh;
    });
    const taken: SignalInProgress = { name, signal, pairId, path, identity, deliveries };
    this.#start(name, async () => {
      const journal = new Journal(folder.attempts, name);
      await this.#carry(taken, journal, journal.begin(taken));
    });
  }

  #goOn({ signal, outcome }: JournalRead): void {
    const journal = new Journal(this.#options.folder.attempts, signal.name);
    this.#start(signal.name, async () => {
      if (outcome === undefined) await this.#carry(signal, journal, journal.reopen());
      else await this.#settle(signal, journal, outcome.outcome, outcome.file);
    });
  }

  #start(name: string, work: () => Promise<void>): void {
    const done = work()
      .catch((error: unknown) => {
        if (!this.#abort.signal.aborted) {
          this.#options.onFault(error, `signal ${name} stays where it is: its outcome could not be written`);
        }
      })
      .finally(() => this.#inProgress.delete(name));
    this.#inProgress.set(name, done);
  }

  /** Takes its place in all lanes at once, before anything is awaited, so that signals cannot overtake each other. */
  async #carry(signal: SignalInProgress, journal: Journal, begun: Promise<void>): Promise<void> {
    const { clock, writeFailed, recentlyAcked, folder } = this.#options;
    const sinceMs = clock.nowMs();
    const results = signal.deliveries.map((delivery) => {
      const lane = `${delivery.validator.hotkey} ${signal.pairId}`;
      const before = this.#lanes.get(lane);
      const delivered = Promise.all([begun, before]).then(() =>
        this.#deliver(signal, delivery, journal, sinceMs),
      );
      const passed = delivered.then(
        () => undefined,
        () => undefined,
      );
      this.#lanes.set(lane, passed);
      void passed.then(() => {
        if (this.#lanes.get(lane) === passed) this.#lanes.delete(lane);
      });
      return delivered;
    });
    try {
      await begun;
      const settled = await Promise.allSettled(results);
      const fault = settled.find((result) => result.status === 'rejected');
      if (fault !== undefined) throw fault.reason;
      const deliveries = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      const outcome = outcomeOf(signal.signal, deliveries, { writeFailed, recentlyAcked });
      const file = await freeName(folder[outcome.folder], signal.name);
      await journal.addOutcome(outcome, file);
      await this.#settle(signal, journal, outcome, file);
    } finally {
      await journal.close();
    }
  }

  async #deliver(
    { name, signal }: SignalInProgress,
    first: Delivery,
    journal: Journal,
    sinceMs: number,
  ): Promise<Delivery> {
    const { attempt, clock, onAttempt, recentlyAcked, retryTimes, retryWithinMs } = this.#options;
    let delivery = first;
    for (;;) {
      if (acceptedOrder(delivery) !== undefined) return delivery;
      const waitMs = nextAttemptAfterMs(delivery, recentlyAcked, retryTimes);
      if (waitMs === undefined) return delivery;
      const made = delivery.results.length;
      if (made > 0 && clock.nowMs() - sinceMs + waitMs > retryWithinMs) return delivery;
      if (waitMs > 0) await clock.sleep(waitMs, this.#abort.signal);
      this.#abort.signal.throwIfAborted();
      const result = await attempt(delivery.validator, signal, name, this.#abort.signal);
      await journal.addResult(delivery.validator.hotkey, result);
      delivery = afterAttempt(delivery, name, result);
      onAttempt(name, delivery, result);
    }
  }

  /** Puts an outcome into its place. Each step may have been done before a crash. */
  async #settle(signal: SignalInProgress, journal: Journal, outcome: Outcome, file: string): Promise<void> {
    const { folder, onOutcome } = this.#options;
    await writeDurably(join(folder[outcome.folder], file), outcome.content, folder.temporary);
    await removeIfSame(signal.path, signal.identity, identify, folder.temporary);
    await journal.remove();
    onOutcome(signal.name, signal.signal, outcome);
  }

  /** Moves a signal that cannot be sent out of the way, with the reason. */
  async #setAside({ name, path, identity }: PendingFile, signal: JsonValue, reason: string): Promise<void> {
    const { folder, onOutcome } = this.#options;
    const outcome = unsentOutcome(signal, reason);
    // A crash may have come between the two steps below.
    const isWritten = (await readFile(join(folder.failed, name), 'utf8').catch(() => '')) === outcome.content;
    const file = isWritten ? name : await freeName(folder.failed, name);
    await writeDurably(join(folder.failed, file), outcome.content, folder.temporary);
    await removeIfSame(path, identity, identify, folder.temporary);
    onOutcome(name, signal, outcome);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Whether an order of this uuid has been sent. */
async function isUsed(folder: MiningFolder, name: string): Promise<boolean> {
  return (await exists(join(folder.processed, name))) || exists(join(folder.failed, name));
}

/** The name, or, where a signal of that name has an outcome already, one with a number behind it. */
async function freeName(folder: string, name: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? name : `${name}.${number}`;
    if (!(await exists(join(folder, candidate)))) return candidate;
  }
}
