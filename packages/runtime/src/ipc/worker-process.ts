import type { Socket } from 'node:net';
import { createLogger } from '../log/logger.ts';
import type { LogLevel, ServerConfig } from '../config.ts';
import type { MetricFamily } from '../metrics/process-metrics.ts';
import { recentErrors } from '../metrics/recent-errors.ts';
import type { AlertMessage, AnyTransaction, FromWorker, ToWorker } from './messages.ts';
import { ChunkAssembler, sendInParts } from './parts.ts';

/** What a worker does when the supervisor speaks to it. */
export interface WorkerHooks {
  /** Name of the process in its log: `feed`, `rest`, `ws`. */
  readonly name: string;
  /**
   * Begin. `lastGeneration` is the last generation a feed published before this start, or 0.
   * A rejection ends the worker and is reported to the supervisor as its reason.
   */
  readonly onStart: (config: ServerConfig, lastGeneration: number) => Promise<void> | void;
  /**
   * Retained state: the first call, once `onStart` has resolved, brings all of it (perhaps nothing), every later call
   * what changed. So a worker that serves retained state is ready after the first call, and must not wait for it
   * within `onStart`.
   */
  readonly onRetain?: (transactions: AnyTransaction[]) => void;
  /**
   * Serve a socket that the supervisor accepted; called only after `port.ready()`. Nothing of it was read: give it to
   * its server at once (`httpServer.emit('connection', socket)`), later its first bytes may be missed.
   */
  readonly onConnection?: (socket: Socket) => void;
  /** The metrics of this process, when somebody wants to see them; none by default. */
  readonly onMetrics?: () => Promise<readonly MetricFamily[]>;
  /**
   * Finish what is in hand and take nothing new; the process exits when this resolves, and is killed by the supervisor
   * some time after `withinMs`. May be called before `onStart` has resolved.
   */
  readonly onDrain: (withinMs: number) => Promise<void> | void;
}

/** What a worker can send to the supervisor. */
export interface WorkerPort {
  /** The worker does its work from now on. */
  ready(): void;
  /**
   * Changes retained state; `PublishMessage` says which topics are whose. Resolves when the bytes have left this
   * process; wait for it before publishing more, or unsent transactions pile up in memory.
   */
  publish(transactions: readonly AnyTransaction[]): Promise<void>;
  /** Sends something to the operator's alerts. */
  alert(alert: Omit<AlertMessage, 'type'>): void;
  /** Gives up: sends the supervisor the reason and exits with code 1. Never resolves. */
  fatal(detail: string): Promise<never>;
}

/** Exit code of a worker that failed, whatever the reason. */
const FAILURE_EXIT_CODE = 1;

/**
 * Makes this process a worker of the supervisor that forked it. Call it once, at the top of the worker's `main.ts`.
 *
 * It answers pings, leaves every signal of the terminal to the supervisor, exits when the supervisor has ended, and ends
 * the process after an unhandled error, which is logged with its stack.
 *
 * @throws Error when the process was not forked by the supervisor.
 */
export function runWorker(hooks: WorkerHooks): WorkerPort {
  if (process.send === undefined) {
    throw new Error(
      `the ${hooks.name} worker was started by hand: it is started by the supervisor, run ptn-api instead`,
    );
  }
  let logLevel: LogLevel = 'info';
  let draining = false;
  let published: Promise<void> = Promise.resolve();

  // A failing send means that the supervisor has ended, and `disconnect` ends this process for that.
  const notify = (message: FromWorker): void => {
    void send(message).catch(() => undefined);
  };

  async function fatal(detail: string): Promise<never> {
    // To exit right after `send` would lose the message.
    await send({ type: 'fatal', detail }).catch(() => undefined);
    process.exit(FAILURE_EXIT_CODE);
  }

  function logFault(error: unknown, event: string): void {
    createLogger({ name: hooks.name, level: logLevel }).fatal(
      { event, err: error },
      'the worker fails and ends',
    );
  }

  async function start(config: ServerConfig, lastGeneration: number): Promise<void> {
    logLevel = config.logLevel;
    try {
      await hooks.onStart(config, lastGeneration);
    } catch (error) {
      // What stops while it is drained may well throw, and nobody waits for it any more.
      if (draining) return;
      logFault(error, 'worker-start-failed');
      await fatal(error instanceof Error ? error.message : String(error));
    }
  }

  async function drain(withinMs: number): Promise<void> {
    draining = true;
    await hooks.onDrain(withinMs);
    await send({ type: 'drained' });
    process.exit(0);
  }

  async function answerMetrics(id: number): Promise<void> {
    try {
      const families = (await hooks.onMetrics?.()) ?? [];
      notify({ type: 'metrics', id, families, errors: recentErrors() });
    } catch (err) {
      // To be observed must not end a worker: the supervisor goes on without the answer.
      createLogger({ name: hooks.name, level: logLevel }).error(
        { event: 'metrics-failed', err },
        'the metrics of this worker cannot be read',
      );
    }
  }

  const retained = new ChunkAssembler();
  let started: Promise<void> = Promise.resolve();
  process.on('message', (message: ToWorker, socket?: Socket) => {
    switch (message.type) {
      case 'start':
        started = start(message.config, message.lastGeneration);
        break;
      case 'retain': {
        const transactions = retained.add(message);
        if (transactions === undefined) break;
        // In order behind the start, and an error thrown in it is unhandled and so ends the process.
        void started.then(() => hooks.onRetain?.(transactions));
        break;
      }
      case 'connection':
        notify({ type: 'accepted' });
        // Undefined when the client had closed it before the handle was sent.
        if (socket === undefined) break;
        // As sockets of a listening HTTP server are: a client that ends its side still gets its answer.
        socket.allowHalfOpen = true;
        hooks.onConnection?.(socket);
        break;
      case 'drain':
        void drain(message.withinMs);
        break;
      case 'ping':
        notify({ type: 'pong', id: message.id, rssBytes: process.memoryUsage.rss() });
        break;
      case 'metrics-request':
        void answerMetrics(message.id);
        break;
    }
  });

  // Ctrl-C and the end of a terminal reach the whole process group; when to stop is the supervisor's to say.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  process.on('disconnect', () => process.exit(draining ? 0 : FAILURE_EXIT_CODE));
  // An unhandled rejection arrives here as well.
  process.on('uncaughtException', (error) => {
    logFault(error, 'worker-fault');
    process.exit(FAILURE_EXIT_CODE);
  });

  // The supervisor may have ended while this process was being started: then no `disconnect` comes any more.
  if (!process.connected) process.exit(FAILURE_EXIT_CODE);
  notify({ type: 'online' });
  return {
    ready: () => {
      notify({ type: 'ready' });
    },
    publish: (transactions) => {
      // One after the other: the parts of two changes must not mix.
      const sent = published.then(() =>
        sendInParts(transactions, (part) => send({ type: 'publish', ...part })),
      );
      published = sent.catch(() => undefined);
      return sent;
    },
    alert: (alert) => {
      notify({ type: 'alert', ...alert });
    },
    fatal,
  };
}

/** Resolves when the message has left this process. */
function send(message: FromWorker): Promise<void> {
  return new Promise((resolve, reject) => {
    if (process.send === undefined || !process.connected) {
      reject(new Error('the channel to the supervisor is closed'));
      return;
    }
    process.send(message, undefined, {}, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}
