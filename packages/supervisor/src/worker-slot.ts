import { RestartBudget } from './restart-budget.ts';
import type { Logger } from 'pino';
import type { Backoff } from '@ptn-api/runtime';
import { backoffMs, monotonicMs, StartError } from '@ptn-api/runtime';
import type { AnyTransaction, MetricsMessage } from '@ptn-api/runtime';
import type { WorkerChild, WorkerExit } from './worker-child.ts';
import type { WorkerSpec } from './worker-spec.ts';

export interface WorkerStatus {
  readonly id: string;
  readonly role: WorkerSpec['role'];
  readonly pid: number | undefined;
  readonly state: 'starting' | 'ready' | 'draining' | 'backoff' | 'stopped';
  /** Unix ms at which the present process, or the last one, was started; undefined before the first. */
  readonly startedAtMs: number | undefined;
  /** Processes started in place of one that crashed. */
  readonly restarts: number;
  /** How the last process that ended did so, for whatever reason. */
  readonly lastExit: WorkerExit | undefined;
}

/** What a slot notifies the supervisor of. */
interface SlotEvents {
  readonly onReady: (child: WorkerChild) => void;
  /** `child`, which was ready, will take nothing more: it is asked to stop, or has ended. */
  readonly onDown: (child: WorkerChild) => void;
  /** After its last message; also of one that never was ready. */
  readonly onExit: (child: WorkerChild) => void;
  readonly onCrash: (spec: WorkerSpec, exit: WorkerExit) => void;
  /** It crashes too often. */
  readonly onCritical: (spec: WorkerSpec) => void;
}

export interface WorkerSlotOptions {
  readonly spec: WorkerSpec;
  readonly spawn: (spec: WorkerSpec) => WorkerChild;
  readonly events: SlotEvents;
  readonly log: Logger;
}

export const RESTART_BACKOFF: Backoff = { firstMs: 100, factor: 1.5, maxMs: 15_000 };
/** A worker that was ready for this time before it crashed was stable: its backoff begins anew. */
const STABLE_AFTER_MS = 30_000;

/** The place of one worker: keeps a process in it. */
export class WorkerSlot {
  readonly spec: WorkerSpec;
  readonly #options: WorkerSlotOptions;
  readonly #log: Logger;
  readonly #budget = new RestartBudget();
  /** Every process that has not ended: in a rolling restart the new one and the old one. */
  readonly #children = new Set<WorkerChild>();
  /** The newest process, also after its end. */
  #current: WorkerChild | undefined;
  #restartTimer: NodeJS.Timeout | undefined;
  /** Restarts in a row of which none was stable. */
  #attempt = 0;
  #restarts = 0;
  #lastExit: WorkerExit | undefined;
  /** Whether a crashed process is replaced: not before the whole server has started once. */
  #isSupervised = false;
  /** A rolling restart has a new process under way, which takes the place of a crashed one as well. */
  #isReplacing = false;

  constructor(options: WorkerSlotOptions) {
    this.spec = options.spec;
    this.#options = options;
    this.#log = options.log.child({ worker: options.spec.id });
  }

  /**
   * Starts the worker for the first time.
   *
   * @throws StartError when it ends, or takes too long, before it is ready.
   */
  async start(): Promise<void> {
    const child = this.#spawn();
    if (await child.ready) return;
    const { reason } = await child.exited;
    throw new StartError('PTN_ERR_START_WORKER', { worker: this.spec.id, detail: reason });
  }

  /** From now on a process that ends by itself is replaced. */
  supervise(): void {
    this.#isSupervised = true;
  }

  /** From now on it is not. */
  endSupervision(): void {
    this.#isSupervised = false;
    this.#cancelRestart();
  }

  retain(transactions: readonly AnyTransaction[]): void {
    for (const child of this.#children) child.retain(transactions);
  }

  /**
   * Replaces the process by a new one, in the order that the spec says.
   *
   * @returns false when the new one did not become ready. An old one that was to be stopped after that goes on.
   */
  async replace(drainWithinMs: number): Promise<boolean> {
    const old = this.#current;
    if (old === undefined) return false;
    if (this.spec.replacement === 'after-stop' || old.state === 'exited') {
      this.#cancelRestart();
      await this.#drain(old, drainWithinMs);
      return this.#isSupervised ? this.#spawn().ready : false;
    }

    this.#isReplacing = true;
    const isReady = await this.#spawn({ isReplacement: true }).ready;
    this.#isReplacing = false;
    if (isReady) {
      await this.#drain(old, drainWithinMs);
      return true;
    }
    this.#current = old;
    if (!this.#children.has(old)) this.#scheduleRestart();
    return false;
  }

  /** Ends the worker for good; kills what is not drained within `withinMs`. Resolves when its processes have ended. */
  async stop(withinMs: number): Promise<void> {
    this.endSupervision();
    await Promise.all([...this.#children].map((child) => this.#drain(child, withinMs)));
  }

  /** Ends the worker for good, at once. Resolves when its processes have ended. */
  async kill(reason: string): Promise<void> {
    this.endSupervision();
    const children = [...this.#children];
    for (const child of children) child.kill(reason);
    await Promise.all(children.map((child) => child.exited));
  }

  status(): WorkerStatus {
    const { id, role } = this.spec;
    const state = this.#current?.state ?? 'exited';
    const ended = this.#restartTimer === undefined ? 'stopped' : 'backoff';
    return {
      id,
      role,
      pid: state === 'exited' ? undefined : this.#current?.pid,
      state: state === 'exited' ? ended : state,
      startedAtMs: this.#current?.startedAtMs,
      restarts: this.#restarts,
      lastExit: this.#lastExit,
    };
  }

  /** The metrics of its newest process; `undefined` when that does not answer within `withinMs`. */
  async metrics(withinMs: number): Promise<MetricsMessage | undefined> {
    return this.#current?.metrics(withinMs);
  }

  #spawn({ isReplacement = false } = {}): WorkerChild {
    const child = this.#options.spawn(this.spec);
    this.#current = child;
    this.#children.add(child);
    void this.#follow(child, isReplacement);
    return child;
  }

  async #follow(child: WorkerChild, isReplacement: boolean): Promise<void> {
    const { spec, events } = this.#options;
    const isReady = await child.ready;
    if (isReady && child.state === 'ready') {
      this.#log.info({ event: 'worker-ready', child: child.pid }, `worker ${spec.id} is ready`);
      events.onReady(child);
    }

    const exit = await child.exited;
    this.#children.delete(child);
    this.#lastExit = exit;
    events.onExit(child);
    if (child.isDismissed) {
      this.#log.info({ event: 'worker-stopped', child: child.pid, exit }, `worker ${spec.id} is stopped`);
      return;
    }
    if (isReady) events.onDown(child);
    events.onCrash(spec, exit);
    // Before the server has started, the error that ends it says so; while it stops, nobody minds.
    if (!this.#isSupervised) return;
    this.#log.error(
      { event: 'worker-crashed', child: child.pid, exit },
      `worker ${spec.id} ended: ${exit.reason}`,
    );
    if (this.#budget.recordCrash(monotonicMs())) {
      this.#log.fatal(
        { event: 'worker-critical', restarts: this.#restarts, exit },
        `worker ${spec.id} crashes again and again; it goes on being restarted: ${exit.reason}`,
      );
      events.onCritical(spec);
    }
    // One that was to replace another has replaced nothing before it is ready.
    if (this.#isReplacing || (isReplacement && !isReady)) return;
    this.#scheduleRestart(child.readyAtMs);
  }

  /** @param readyAtMs Since when the one that ended had been ready, by {@link monotonicMs}, if it had. */
  #scheduleRestart(readyAtMs = Infinity): void {
    if (!this.#isSupervised) return;
    if (monotonicMs() - readyAtMs >= STABLE_AFTER_MS) this.#attempt = 0;
    const waitMs = backoffMs(RESTART_BACKOFF, this.#attempt, Math.random());
    this.#attempt += 1;
    this.#restartTimer = setTimeout(() => {
      this.#restartTimer = undefined;
      this.#restarts += 1;
      this.#spawn();
    }, waitMs);
  }

  #cancelRestart(): void {
    clearTimeout(this.#restartTimer);
    this.#restartTimer = undefined;
  }

  async #drain(child: WorkerChild, withinMs: number): Promise<void> {
    if (!this.#children.has(child)) return;
    if (child.state === 'ready') this.#options.events.onDown(child);
    await child.drain(withinMs);
  }
}
