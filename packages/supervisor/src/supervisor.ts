import { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import { monotonicMs, StartError } from '@ptn-api/runtime';
import type { AlertMessage, KeyGrant, MetricsMessage, ServerConfig } from '@ptn-api/runtime';
import { Broker } from './broker.ts';
import type { RetainedReader } from './broker.ts';
import { Listeners } from './listeners.ts';
import type { ByRole } from './listeners.ts';
import type { PingTiming } from './worker-pinger.ts';
import type { ConnectionCounts, ListenAddress } from './listener.ts';
import { WorkerChild } from './worker-child.ts';
import type { WorkerExit } from './worker-child.ts';
import { WorkerSlot } from './worker-slot.ts';
import type { WorkerStatus } from './worker-slot.ts';
import type { WorkerSpec } from './worker-spec.ts';

export interface SupervisorOptions {
  readonly config: ServerConfig;
  /** In the order in which they are started; they are stopped in reverse. */
  readonly workers: readonly WorkerSpec[];
  readonly log: Logger;
  readonly heartbeat?: PingTiming;
  /** How long all workers together may take to drain. */
  readonly stopWithinMs?: number;
  /** Takes what the workers print, in whole lines; by default it goes where this process prints. */
  readonly printLines?: ((lines: string) => void) | undefined;
}

export interface SupervisorStatus {
  readonly workers: readonly WorkerStatus[];
  readonly connections: ByRole<ConnectionCounts>;
}

/** For whoever wants to know more than the log says; `id` is that of the worker. */
export interface SupervisorEvents {
  'worker-ready': [id: string, pid: number | undefined];
  'worker-down': [id: string, pid: number | undefined];
  'worker-crashed': [id: string, exit: WorkerExit];
  /** A worker crashes too often: once, and again only after it has recovered. */
  critical: [id: string];
  /** A worker has something for the operator. */
  alert: [alert: AlertMessage];
}

/** A worker is replaced for its memory no more often than this. */
const SWOLLEN_AGAIN_MS = 10 * 60_000;
/** 15 s without an answer. */
const DEFAULT_HEARTBEAT: PingTiming = { pingEveryMs: 3000, missedPings: 5 };
const DEFAULT_STOP_WITHIN_MS = 10_000;
/** Of the time to stop, so much for the connections that still wait for a worker… */
const WAITING_CONNECTIONS_PART = 0.1;
/** …and of what is left then, so much for the workers that stop before others do. */
const EARLIER_WORKERS_PART = 0.8;

/**
 * Starts the workers, keeps them running, keeps the retained state for them, and accepts the connections that they
 * serve. Knows nothing of what any of them is about.
 */
export class Supervisor {
  readonly events = new EventEmitter<SupervisorEvents>();
  readonly #options: SupervisorOptions;
  readonly #log: Logger;
  readonly #broker: Broker;
  readonly #slots: readonly WorkerSlot[];
  readonly #listeners: Listeners;
  #phase: 'new' | 'starting' | 'running' | 'stopping' = 'new';
  #failStart: (error: StartError) => void = () => undefined;
  #rolling: Promise<boolean> | undefined;
  /** When (monotonic ms) a worker was last replaced for its memory. */
  readonly #swollenMs = new Map<WorkerSlot, number>();
  #stopped: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#listeners = new Listeners(options.config, options.log);
    this.#broker = new Broker({
      log: options.log,
      forward: (role, transactions) => {
        for (const slot of this.#slots) if (slot.spec.role === role) slot.retain(transactions);
      },
    });
    this.#slots = options.workers.map((spec) => this.#slot(spec));
  }

  /**
   * To be called once. Resolves when every worker is ready and the ports are open.
   *
   * @throws StartError when anything of that fails, or `stop` was called meanwhile; nothing is left running then.
   */
  async start(): Promise<void> {
    this.#throwIfStopping();
    this.#phase = 'starting';
    // A worker that was ready already may end while others start.
    const failed = new Promise<never>((_, reject) => {
      this.#failStart = reject;
    });
    try {
      await this.#listeners.probe();
      await Promise.race([failed, this.#startWorkers()]);
      // Last, so that no client gets the answer that the data is being loaded: until now it was answered by the server
      // that this one replaces, or by nobody.
      this.#throwIfStopping();
      await Promise.race([failed, this.#listeners.open()]);
      this.#throwIfStopping();
      this.#broker.setWsPort(this.#listeners.addresses().ws.port);
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#phase = 'running';
    for (const slot of this.#slots) slot.supervise();
  }

  /** Where the server listens. @throws Error before it has started. */
  address(): ByRole<ListenAddress> {
    return this.#listeners.addresses();
  }

  /** Puts the keys in force that count from now on. May be called before the start. */
  setKeys(entries: readonly KeyGrant[]): void {
    this.#broker.setKeys(entries);
  }

  status(): SupervisorStatus {
    return { workers: this.#slots.map((slot) => slot.status()), connections: this.#listeners.counts() };
  }

  /** What was published last. */
  get retained(): RetainedReader {
    return this.#broker.retained;
  }

  /** The metrics of every worker by its id; `undefined` for one that does not answer within `withinMs`. */
  async workerMetrics(withinMs: number): Promise<ReadonlyMap<string, MetricsMessage | undefined>> {
    const answers = this.#slots.map(async (slot) => [slot.spec.id, await slot.metrics(withinMs)] as const);
    return new Map(await Promise.all(answers));
  }

  /**
   * Replaces the process of every worker, one at a time; connections are served all the while.
   *
   * @returns false when a new process did not become ready: the workers after it are left as they are.
   */
  rollingRestart(): Promise<boolean> {
    if (this.#phase !== 'running') return Promise.resolve(false);
    this.#rolling ??= this.#roll().finally(() => {
      this.#rolling = undefined;
    });
    return this.#rolling;
  }

  /** Closes the ports, drains the workers in reverse order, kills what takes too long. Resolves when all have ended. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Ends everything without draining. Resolves when all have ended. */
  async kill(): Promise<void> {
    this.#phase = 'stopping';
    await Promise.all([
      this.#listeners.close(0),
      ...this.#slots.map((slot) => slot.kill('the server was asked to stop at once')),
    ]);
  }

  #slot(spec: WorkerSpec): WorkerSlot {
    const slot = new WorkerSlot({
      spec,
      log: this.#log,
      spawn: () => {
        const child = new WorkerChild({
          spec,
          config: this.#options.config,
          heartbeat: this.#options.heartbeat ?? DEFAULT_HEARTBEAT,
          lastGeneration: () => this.#broker.lastGeneration(),
          retained: () => (spec.role === 'feed' ? undefined : this.#broker.snapshot(spec.role)),
          onPublish: (transactions) => {
            this.#broker.publishFor(child, transactions);
          },
          onAlert: (alert) => {
            this.events.emit('alert', alert);
          },
          onSwollen: (rssBytes) => {
            void this.#replaceSwollen(slot, rssBytes);
          },
          printLines: this.#options.printLines,
        });
        return child;
      },
      events: {
        onReady: (child) => {
          if (spec.role === 'feed') this.#broker.setFeedHealth(true);
          else this.#listeners.of(spec.role).add(child);
          this.events.emit('worker-ready', spec.id, child.pid);
        },
        onDown: (child) => {
          if (spec.role === 'feed') this.#broker.setFeedHealth(false);
          else this.#listeners.of(spec.role).remove(child);
          // Before its clients are asked to connect anew: those that do so must not count twice.
          this.#broker.forgetConnections(child.pid);
          this.events.emit('worker-down', spec.id, child.pid);
        },
        onExit: (child) => {
          this.#broker.forgetConnections(child.pid);
          this.#broker.forgetRequests(child.pid);
        },
        onCrash: (_, exit) => {
          this.events.emit('worker-crashed', spec.id, exit);
          this.#failStart(new StartError('PTN_ERR_START_WORKER', { worker: spec.id, detail: exit.reason }));
        },
        onCritical: () => {
          this.events.emit('critical', spec.id);
        },
      },
    });
    return slot;
  }

  /** A new process takes over before the old one lets go of its clients: what it had collected is given back. */
  async #replaceSwollen(slot: WorkerSlot, rssBytes: number): Promise<void> {
    // A rolling restart replaces it in any case.
    if (this.#isStopping() || this.#rolling !== undefined) return;
    // One that has as much right after its start needs it.
    if (monotonicMs() - (this.#swollenMs.get(slot) ?? -Infinity) < SWOLLEN_AGAIN_MS) return;
    this.#swollenMs.set(slot, monotonicMs());
    this.#log.warn(
      { event: 'worker-swollen', worker: slot.spec.id, rssBytes },
      `worker ${slot.spec.id} has had more than ${Math.round((slot.spec.maxRssBytes ?? 0) / 2 ** 20)} MB of memory for a while and is replaced`,
    );
    await slot.replace(this.#stopWithinMs);
  }

  async #startWorkers(): Promise<void> {
    for (const slot of this.#slots) {
      this.#throwIfStopping();
      await slot.start();
    }
  }

  #isStopping(): boolean {
    return this.#phase === 'stopping';
  }

  #throwIfStopping(): void {
    if (!this.#isStopping()) return;
    throw new StartError('PTN_ERR_START_WORKER', { worker: 'next', detail: 'the server was asked to stop' });
  }

  async #roll(): Promise<boolean> {
    this.#log.info({ event: 'rolling-restart' }, 'the workers are replaced one after the other');
    for (const slot of this.#slots) {
      if (this.#isStopping()) return false;
      if (await slot.replace(this.#stopWithinMs)) continue;
      if (this.#isStopping()) return false;
      this.#log.error(
        { event: 'rolling-restart-failed', worker: slot.spec.id },
        `the rolling restart ends at worker ${slot.spec.id}: its new process did not become ready`,
      );
      return false;
    }
    this.#log.info({ event: 'rolling-restart-done' }, 'all workers were replaced');
    return true;
  }

  async #stop(): Promise<void> {
    this.#phase = 'stopping';
    for (const slot of this.#slots) slot.endSupervision();
    const deadline = performance.now() + this.#stopWithinMs;
    const leftMs = (): number => Math.max(0, deadline - performance.now());

    await this.#listeners.close(leftMs() * WAITING_CONNECTIONS_PART);
    const groups = stopGroups(this.#slots);
    for (const [index, group] of groups.entries()) {
      const withinMs = leftMs() * (index === groups.length - 1 ? 1 : EARLIER_WORKERS_PART);
      await Promise.all(group.map((slot) => slot.stop(withinMs)));
    }
  }

  get #stopWithinMs(): number {
    return this.#options.stopWithinMs ?? DEFAULT_STOP_WITHIN_MS;
  }
}

/**
 * Workers in the order in which they stop: reversed, and all neighbours that serve connections at once, so that each
 * gets its time.
 */
function stopGroups(slots: readonly WorkerSlot[]): WorkerSlot[][] {
  const groups: WorkerSlot[][] = [];
  for (const slot of slots.toReversed()) {
    const last = groups.at(-1);
    const before = last?.[0]?.spec.role;
    if (last !== undefined && (before === 'feed') === (slot.spec.role === 'feed')) last.push(slot);
    else groups.push([slot]);
  }
  return groups;
}
