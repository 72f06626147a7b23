import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { ServerConfig } from '../config/config.ts';
import { isStdoutReplaced } from '../config/logger.ts';
import type { AnyTransaction, FromWorker, ToWorker } from '../ipc/messages.ts';
import { Outbox } from '../ipc/outbox.ts';
import { workerEnvironment } from './worker-environment.ts';
import type { WorkerSpec } from './worker-spec.ts';

/** How the supervisor finds out that an event loop hangs. */
export interface Heartbeat {
  readonly pingEveryMs: number;
  /**
   * So many pings in a row without an answer end the worker. Counted rather than timed: after the whole machine was
   * suspended, every worker would look late.
   */
  readonly missedPings: number;
}

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
  readonly heartbeat: Heartbeat;
  /** Asked when the worker is online: what it starts from. */
  readonly lastGeneration: () => number;
  /** Asked at the same moment: the state it is handed first. `undefined` for a worker that is told nothing. */
  readonly retained: () => readonly AnyTransaction[] | undefined;
  readonly onPublish: (transactions: readonly AnyTransaction[]) => void;
}

/** A worker has this long to exit by itself after it was drained, within the time it was given. */
const EXIT_MARGIN_MS = 500;

/** One process of a worker, from fork to exit. A restart makes a new one. */
export class WorkerChild {
  readonly spec: WorkerSpec;
  readonly startedAtMs = Date.now();
  /** True once it is ready, false if it ended before. */
  readonly ready: Promise<boolean>;
  /** Resolves after the last of its messages was received. */
  readonly exited: Promise<WorkerExit>;

  readonly #options: WorkerChildOptions;
  readonly #process: ChildProcess;
  readonly #outbox: Outbox;
  readonly #startTimer: NodeJS.Timeout;
  #pingTimer: NodeJS.Timeout | undefined;
  #unansweredPings = 0;
  #state: 'starting' | 'ready' | 'draining' | 'exited' = 'starting';
  /** Why it ends, where that is known before it does. */
  #reason: string | undefined;
  #resolveReady: (isReady: boolean) => void = () => undefined;
  #resolveTaken: ((isTaken: boolean) => void) | undefined;

  constructor(options: WorkerChildOptions) {
    const { spec } = options;
    this.spec = spec;
    this.#options = options;
    this.#outbox = new Outbox((transactions, sent) => {
      this.#send({ type: 'retain', transactions }, sent);
    });
    this.ready = new Promise((resolve) => {
      this.#resolveReady = resolve;
    });
    // Where stdout is replaced, what the worker prints has to pass through it as well.
    const output = isStdoutReplaced() ? 'pipe' : 'inherit';
    this.#process = fork(spec.modulePath, spec.args ?? [], {
      serialization: 'advanced',
      env: workerEnvironment(process.env),
      stdio: ['ignore', output, output, 'ipc'],
    });
    this.#process.stdout?.on('data', (chunk: Buffer) => process.stdout.write(chunk));
    this.#process.stderr?.on('data', (chunk: Buffer) => process.stderr.write(chunk));
    this.#process.on('message', (message) => {
      this.#receive(message as FromWorker);
    });
    this.#startTimer = setTimeout(() => {
      this.kill(`it was not ready within ${spec.startTimeoutMs} ms`);
    }, spec.startTimeoutMs);
    this.exited = this.#watchExit();
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get state(): 'starting' | 'ready' | 'draining' | 'exited' {
    return this.#state;
  }

  /** Tells a change of the retained state. Nothing before the worker is online: it gets the whole state then. */
  retain(transactions: readonly AnyTransaction[]): void {
    if (this.#pingTimer !== undefined) this.#outbox.push(transactions);
  }

  /**
   * Hands a connection over; only one at a time. The socket stays usable here: destroy it when this gives true.
   *
   * @returns false when the worker ended without taking it: nothing was read from it, and another may have it.
   */
  takeConnection(socket: Socket): Promise<boolean> {
    return new Promise((resolve) => {
      this.#resolveTaken = resolve;
      this.#process.send({ type: 'connection' } satisfies ToWorker, socket, { keepOpen: true }, (error) => {
        if (error !== null) this.#settleTaken(false);
      });
    });
  }

  /** Asks it to finish and exit; kills it when it has not within `withinMs`. Resolves when it is gone. */
  async drain(withinMs: number): Promise<WorkerExit> {
    if (this.#state !== 'exited') {
      this.#state = 'draining';
      const deadline = setTimeout(() => {
        this.kill(`it was not drained within ${withinMs} ms`);
      }, withinMs);
      this.#send({ type: 'drain', withinMs: Math.max(0, withinMs - EXIT_MARGIN_MS) });
      await this.exited;
      clearTimeout(deadline);
    }
    return this.exited;
  }

  /** Ends it at once; works on a hanging or a stopped process as well. */
  kill(reason: string): void {
    this.#reason ??= reason;
    this.#process.kill('SIGKILL');
  }

  /** A failing send needs no answer of its own: the channel is closed, and the exit follows. */
  #send(message: ToWorker, sent: (error: Error | null) => void = () => undefined): void {
    this.#process.send(message, undefined, {}, sent);
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'online':
        this.#begin();
        break;
      case 'ready':
        clearTimeout(this.#startTimer);
        if (this.#state === 'starting') this.#state = 'ready';
        this.#resolveReady(true);
        break;
      case 'publish':
        this.#options.onPublish(message.transactions);
        break;
      case 'pong':
        this.#unansweredPings = 0;
        break;
      case 'fatal':
        this.#reason ??= message.detail;
        break;
      case 'accepted':
        this.#settleTaken(true);
        break;
      case 'drained':
        this.#reason ??= 'it was drained';
        break;
    }
  }

  #begin(): void {
    const { config, lastGeneration, retained, heartbeat } = this.#options;
    this.#send({ type: 'start', config, lastGeneration: lastGeneration() });
    const state = retained();
    if (state !== undefined) this.#outbox.push(state);
    let id = 0;
    this.#pingTimer = setInterval(() => {
      if (this.#unansweredPings >= heartbeat.missedPings) {
        this.kill(`it did not answer ${this.#unansweredPings} pings, one every ${heartbeat.pingEveryMs} ms`);
        return;
      }
      this.#unansweredPings += 1;
      id += 1;
      this.#send({ type: 'ping', id });
    }, heartbeat.pingEveryMs);
  }

  #settleTaken(isTaken: boolean): void {
    this.#resolveTaken?.(isTaken);
    this.#resolveTaken = undefined;
  }

  #watchExit(): Promise<WorkerExit> {
    return new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null, reason: string): void => {
        this.#state = 'exited';
        clearTimeout(this.#startTimer);
        clearInterval(this.#pingTimer);
        this.#outbox.close();
        this.#settleTaken(false);
        this.#resolveReady(false);
        resolve({ code, signal, reason: this.#reason ?? reason });
      };
      // Not `exit`, which may come before the last messages: among them why it ends, and which connection it took.
      this.#process.once('close', (code, signal) => {
        end(code, signal, signal === null ? `it exited with code ${code ?? 'unknown'}` : `it was ended by ${signal}`);
      });
      this.#process.on('error', (error) => {
        // Without a process there will be no `close`. Other errors are of single messages to a process that ends.
        if (this.#process.pid === undefined) end(null, null, `it could not be started: ${error.message}`);
      });
    });
  }
}
