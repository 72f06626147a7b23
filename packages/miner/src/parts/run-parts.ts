import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { backoffMs } from '@ptn-api/runtime';
import type { Logger } from 'pino';
import { CannotStartError } from './cannot-start.ts';
import { PART_NAMES } from './run-config.ts';
import type { FromPart, PartName, RunConfig } from './run-config.ts';

const PROGRAM = fileURLToPath(new URL('./part-process.js', import.meta.url));
/** A part that ran this long has proved stable. */
const STABLE_MS = 30_000;
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;
const RESTART_BACKOFF = { firstMs: 100, factor: 1.5, maxMs: 15_000 };

interface Started {
  readonly child: ChildProcess;
  readonly text: string;
}

/** Starts a part once. @throws CannotStartError where it refuses, another Error where it ends before it is ready. */
function start(name: PartName, config: RunConfig): Promise<Started> {
  const child = fork(PROGRAM, [name], { serialization: 'advanced' });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS);
    let refusal: string | undefined;
    child.on('message', (message: FromPart) => {
      if (message.type === 'refused') refusal = message.text;
      else {
        clearTimeout(timer);
        resolve({ child, text: message.text });
      }
    });
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      reject(
        refusal === undefined
          ? new Error(`${name} ended before it was ready (${signal ?? code})`)
          : new CannotStartError(refusal),
      );
    });
    child.once('error', reject);
    // One that has ended cannot be sent anything: its exit says so.
    child.send(config, () => undefined);
  });
}

/** One part, which is started again whenever it ends. */
class PartKeeper {
  readonly #name: PartName;
  readonly #config: RunConfig;
  readonly #log: Logger;
  #child: ChildProcess | undefined;
  #isStopping = false;
  #attempt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(name: PartName, config: RunConfig, log: Logger) {
    this.#name = name;
    this.#config = config;
    this.#log = log;
  }

  /** Starts the part; one that crashes on the way is started again. @throws CannotStartError where it refuses. */
  async start(): Promise<string> {
    for (;;) {
      try {
        return await this.#startOnce();
      } catch (error) {
        if (error instanceof CannotStartError) throw error;
        this.#logFailure(error);
        await delay(this.#nextWaitMs());
      }
    }
  }

  async #startOnce(): Promise<string> {
    const { child, text } = await start(this.#name, this.#config);
    this.#child = child;
    const sinceMs = performance.now();
    const onExit = (code: number | null, signal: NodeJS.Signals | null): void => {
      this.#child = undefined;
      if (this.#isStopping) return;
      if (performance.now() - sinceMs > STABLE_MS) this.#attempt = 0;
      this.#log.error({ part: this.#name, code, signal }, 'a part of the miner ended, and is started again');
      this.#startAgain();
    };
    if (child.exitCode !== null || child.signalCode !== null) onExit(child.exitCode, child.signalCode);
    else child.once('exit', onExit);
    return text;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise<void>((resolve) =>
      child.once('exit', () => {
        resolve();
      }),
    );
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  }

  #startAgain(): void {
    this.#timer = setTimeout(() => {
      this.#startOnce().then(
        (text) => {
          this.#log.info({ part: this.#name }, `${this.#name} ${text}`);
        },
        (error: unknown) => {
          if (this.#isStopping) return;
          this.#logFailure(error);
          this.#startAgain();
        },
      );
    }, this.#nextWaitMs());
  }

  #nextWaitMs(): number {
    const waitMs = backoffMs(RESTART_BACKOFF, this.#attempt, Math.random());
    this.#attempt += 1;
    return waitMs;
  }

  #logFailure(error: unknown): void {
    this.#log.error({ part: this.#name, reason: (error as Error).message }, 'a part does not start');
  }
}

/** All parts of a miner. */
export interface RunningParts {
  /** What each does. */
  readonly texts: Readonly<Partial<Record<PartName, string>>>;
  /** Stops them, the one that takes signals first. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts all parts, each a process of its own: one that crashes spares the others and is started again.
 *
 * @throws CannotStartError where one cannot start; none runs then.
 */
export async function runParts(config: RunConfig, log: Logger): Promise<RunningParts> {
  const keepers = PART_NAMES.map((name) => ({ name, keeper: new PartKeeper(name, config, log) }));
  const stop = async (): Promise<void> => {
    for (const { keeper } of [...keepers].reverse()) await keeper.stop();
  };
  const texts: Partial<Record<PartName, string>> = {};
  try {
    for (const { name, keeper } of keepers) {
      const text = await keeper.start();
      texts[name] = text;
      log.info({ part: name }, `${name} ${text}`);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { texts, stop };
}
