import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type {
  AlertMessage,
  AnyTransaction,
  FromWorker,
  MetricsMessage,
  Part,
  ServerConfig,
  ToWorker,
} from '@ptn-api/runtime';
import { ChunkAssembler, monotonicMs, Outbox, sendInParts } from '@ptn-api/runtime';
import { forkWorker } from './fork-worker.ts';
import { Handover } from './handover.ts';
import type { Taken } from './handover.ts';
import { WorkerPinger } from './worker-pinger.ts';
import type { PingTiming } from './worker-pinger.ts';
import { MetricsRequests } from './metrics-requests.ts';
import type { WorkerSpec } from './worker-spec.ts';

/** How a worker process ended. */
export interface WorkerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** In words, for the operator. */
  readonly reason: string;
}

export interface WorkerChildOptions {
  readonly spec: WorkerSpec;
  readonly config: ServerConfig;
  readonly heartbeat: PingTiming;
  /** Asked when the worker is online: what it starts from. */
  readonly lastGeneration: () => number;
  /** Asked at the same moment: the state it is handed first. `undefined` for a worker that gets none. */
  readonly retained: () => readonly AnyTransaction[] | undefined;
  readonly onPublish: (transactions: readonly AnyTransaction[]) => void;
  readonly onAlert?: (alert: AlertMessage) => void;
  /** It has had more memory than its spec allows for a while; called once. */
  readonly onSwollen?: (rssBytes: number) => void;
  /** Takes what the worker prints, in whole lines; by default it goes where this process prints. */
  readonly printLines?: ((lines: string) => void) | undefined;
}

/** A worker is asked every few seconds. */
const HEAVY_PONGS = 10;
/** A worker has this long to exit by itself after it was drained, within the time it was given. */
const EXIT_MARGIN_MS = 500;

/** One process of a worker, from fork to exit. A restart makes a new one. Never throws: what fails is an exit. */
export class WorkerChild {
  readonly spec: WorkerSpec;
  /** Unix ms. */
  readonly startedAtMs = Date.now();
  /** True once it is ready, false if it ended before. */
  readonly ready: Promise<boolean>;
  /** Resolves after the last of its messages was received. */
  readonly exited: Promise<WorkerExit>;

  readonly #options: WorkerChildOptions;
  readonly #process: ChildProcess | undefined;
  readonly #outbox: Outbox;
  readonly #published = new ChunkAssembler();
  readonly #startTimer: NodeJS.Timeout;
  readonly #heartbeat: WorkerPinger;
  #isOnline = false;
  /** In a row, with more memory than it may have. */
  #heavyPongs = 0;
  #readyAtMs: number | undefined;
  #isDismissed = false;
  #hasExited = false;
  /** Why it ends, where that is known before it does. */
  #reason: string | undefined;
  #resolveReady: (isReady: boolean) => void = () => undefined;
  #resolveExited: (exit: WorkerExit) => void = () => undefined;
  readonly #metricsRequests = new MetricsRequests();
  readonly #handover = new Handover();
  #lastPing = 0;

  constructor(options: WorkerChildOptions) {
    const { spec } = options;
    this.spec = spec;
    this.#options = options;
    this.ready = new Promise((resolve) => {
      this.#resolveReady = resolve;
    });
    this.exited = new Promise((resolve) => {
      this.#resolveExited = resolve;
    });
    this.#outbox = new Outbox((transactions, sent) => {
      const done = sendInParts(transactions, (part) => this.#sendRetained(part));
      done.then(() => {
        sent(null);
      }, sent);
    });
    const isInspected = spec.inspectPort !== undefined;
    this.#startTimer = setTimeout(() => {
      if (!isInspected) this.#kill(`it was not ready within ${spec.startTimeoutMs} ms`);
    }, spec.startTimeoutMs);
    this.#heartbeat = new WorkerPinger({
      timing: isInspected ? { ...options.heartbeat, missedPings: Infinity } : options.heartbeat,
      ping: (id) => {
        this.#lastPing = id;
        this.#send({ type: 'ping', id });
      },
      onMissed: (reason) => {
        this.#kill(reason);
      },
    });
    this.#process = this.#fork();
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get state(): 'starting' | 'ready' | 'draining' | 'exited' {
    if (this.#hasExited) return 'exited';
    if (this.#isDismissed) return 'draining';
    return this.#readyAtMs === undefined ? 'starting' : 'ready';
  }

  /** Since when it is ready, or was before it ended, by {@link monotonicMs}: setting the clock makes nothing stable. */
  get readyAtMs(): number | undefined {
    return this.#readyAtMs;
  }

  /** It was asked to end, so its end is no crash. */
  get isDismissed(): boolean {
    return this.#isDismissed;
  }

  /** Sends a change of the retained state. Nothing before the worker is online: it gets the whole state then. */
  retain(transactions: readonly AnyTransaction[]): void {
    if (this.#isOnline) this.#outbox.push(transactions);
  }

  /**
   * Hands a connection over; only one at a time. The socket stays open here: destroy it when this gives true.
   *
   * @returns `not-taken` when the worker ended without taking it: nothing was read from it, and another may have it.
   */
  takeConnection(socket: Socket): Promise<Taken> {
    const taken = this.#handover.begin(this.#lastPing);
    const sent = (error: Error | null): void => {
      if (error !== null) this.#handover.settle('not-taken');
    };
    this.#send({ type: 'connection' }, sent, socket);
    return taken;
  }

  /** Its metrics as they are now; `undefined` when it does not answer within `withinMs`. */
  metrics(withinMs: number): Promise<MetricsMessage | undefined> {
    return this.#metricsRequests.ask((id, sent) => {
      this.#send({ type: 'metrics-request', id }, sent);
    }, withinMs);
  }

  /** Asks it to finish and exit; kills it when it has not within `withinMs`. Resolves when it has ended. */
  async drain(withinMs: number): Promise<void> {
    const deadline = setTimeout(() => {
      this.#kill(`it was not drained within ${Math.round(withinMs)} ms`);
    }, withinMs);
    if (!this.#isDismissed) {
      this.#isDismissed = true;
      this.#send({ type: 'drain', withinMs: Math.max(0, withinMs - EXIT_MARGIN_MS) });
    }
    await this.exited;
    clearTimeout(deadline);
  }

  /** Ends it at once, on order. */
  kill(reason: string): void {
    this.#isDismissed = true;
    this.#kill(reason);
  }

  #fork(): ChildProcess | undefined {
    const { spec, printLines } = this.#options;
    let child: ChildProcess;
    try {
      child = forkWorker(spec, printLines);
    } catch (error) {
      this.#end(null, null, couldNotStart(error));
      return undefined;
    }
    child.on('message', (message) => {
      this.#receive(message as FromWorker);
    });
    // Not `exit`, which may come before the last messages: among them why it ends, and which connection it took.
    child.once('close', (code, signal) => {
      this.#end(
        code,
        signal,
        signal === null ? `it exited with code ${code ?? 'unknown'}` : `it was ended by ${signal}`,
      );
    });
    child.on('error', (error) => {
      // Without a process there will be no `close`. Other errors are of single messages to a process that ends.
      if (child.pid === undefined) this.#end(null, null, couldNotStart(error));
    });
    return child;
  }

  /** A failing send needs no answer by default: the channel is closed, and the exit follows. */
  #send(message: ToWorker, sent: (error: Error | null) => void = () => undefined, socket?: Socket): void {
    if (this.#process?.connected === true) this.#process.send(message, socket, { keepOpen: true }, sent);
    else sent(new Error('the channel to the worker is closed'));
  }

  #sendRetained(part: Part): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#send({ type: 'retain', ...part }, (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'online':
        this.#begin();
        break;
      case 'ready':
        clearTimeout(this.#startTimer);
        this.#readyAtMs = monotonicMs();
        this.#resolveReady(true);
        break;
      case 'publish': {
        const transactions = this.#published.add(message);
        if (transactions !== undefined) this.#options.onPublish(transactions);
        break;
      }
      case 'pong':
        this.#heartbeat.answered();
        this.#handover.answered(message.id);
        this.#weigh(message.rssBytes);
        break;
      case 'fatal':
        this.#reason ??= message.detail;
        break;
      case 'metrics':
        this.#metricsRequests.receive(message);
        break;
      case 'accepted':
        this.#handover.settle('taken');
        break;
      case 'alert':
        this.#options.onAlert?.(message);
        break;
      case 'drained':
        this.#reason ??= 'it was drained';
        break;
    }
  }

  /** A peak of a few seconds passes; what stays is not given back. */
  #weigh(rssBytes: number): void {
    if (rssBytes <= (this.spec.maxRssBytes ?? Infinity)) {
      this.#heavyPongs = 0;
      return;
    }
    this.#heavyPongs += 1;
    if (this.#heavyPongs === HEAVY_PONGS && this.state === 'ready') this.#options.onSwollen?.(rssBytes);
  }

  #begin(): void {
    const { config, lastGeneration, retained } = this.#options;
    this.#send({ type: 'start', config, lastGeneration: lastGeneration() });
    this.#isOnline = true;
    const state = retained();
    if (state !== undefined) this.retain(state);
    this.#heartbeat.start();
  }

  /** SIGKILL works on a hanging or a stopped process as well. */
  #kill(reason: string): void {
    this.#reason ??= reason;
    this.#process?.kill('SIGKILL');
  }

  #end(code: number | null, signal: NodeJS.Signals | null, reason: string): void {
    this.#hasExited = true;
    clearTimeout(this.#startTimer);
    this.#heartbeat.close();
    this.#outbox.close();
    this.#handover.settle('not-taken');
    this.#metricsRequests.close();
    this.#resolveReady(false);
    this.#resolveExited({ code, signal, reason: this.#reason ?? reason });
  }
}

function couldNotStart(error: unknown): string {
  return `it could not be started: ${error instanceof Error ? error.message : String(error)}`;
}
