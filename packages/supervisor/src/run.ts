import { closeSync, openSync } from 'node:fs';
import type { Logger } from 'pino';
import type { ServerConfig } from '@ptn-api/runtime';
import { writeKeysInForce } from './keys-in-force.ts';
import { sendAlerts } from './alerts/send-alerts.ts';
import { watchKeyFile } from './key-file.ts';
import type { KeyFile } from './key-file.ts';
import { Monitoring } from './monitoring/monitoring.ts';
import { notifySystemd } from './notify-systemd.ts';
import { Supervisor } from './supervisor.ts';
import type { WorkerSpec } from './worker-spec.ts';

export interface RunOptions {
  readonly config: ServerConfig;
  readonly log: Logger;
  /** Takes what the workers print, in whole lines; by default it goes where this process prints. */
  readonly printLines?: ((lines: string) => void) | undefined;
  /** Called at SIGHUP: log rotation moves the file away and sends it. */
  readonly reopenLog?: () => void;
  readonly workers: readonly WorkerSpec[];
  /** How long the workers may take to stop. */
  readonly stopWithinMs?: number;
  /** Called once, when the server answers. */
  readonly onServing?: (supervisor: Supervisor) => void;
}

/** A Ctrl-C under npm arrives twice at once: from the terminal and from npm. */
const SAME_CTRL_C_MS = 300;

/**
 * Runs the server in this process until it is asked to stop.
 *
 * SIGTERM, SIGINT and pm2's message `shutdown` stop it in order, a second one at once; SIGHUP replaces the workers one
 * after the other. Sends pm2 `ready` when it serves.
 *
 * @returns the exit code: 0 after an orderly stop, 1 after one at once or a fault. The caller has to exit with it.
 * @throws StartError when the server cannot start; nothing of it is left running then.
 */
export async function runSupervisor(options: RunOptions): Promise<number> {
  const { workers, log, printLines, reopenLog, stopWithinMs, onServing } = options;
  // The workers have no use for the webhook, whose URL is a secret.
  const { alertWebhookUrl, ...config } = options.config;
  const supervisor = new Supervisor({
    config,
    workers,
    log,
    printLines,
    ...(stopWithinMs === undefined ? {} : { stopWithinMs }),
  });
  const monitoring = new Monitoring({ supervisor, config, log });
  const control = handleSignals({
    supervisor,
    log,
    reopenLog,
    stop: async () => {
      await monitoring.reportUsage();
      await supervisor.stop();
    },
  });
  const endAlerts =
    alertWebhookUrl === undefined
      ? undefined
      : sendAlerts({ supervisor, url: alertWebhookUrl, log, maxStalenessMs: config.maxStalenessMs });
  let keyFile: KeyFile | undefined;
  try {
    keyFile = await watchKeyFile({
      paths: config.apiKeysPaths,
      mode: config.watch,
      log,
      onChange: (grants) => {
        supervisor.setKeys(grants);
      },
      onFile: (file) => {
        noteKeysInForce(config.stateDir, file, log);
      },
    });
    supervisor.setKeys(keyFile.grants);
    for (const { id, inspectPort } of workers) {
      if (inspectPort === undefined) continue;
      log.warn(
        { event: 'inspect', worker: id, port: inspectPort },
        `a debugger may be attached to ${id} at 127.0.0.1:${inspectPort}, and nobody watches whether it stands still`,
      );
    }
    await supervisor.start();
    const { rest, ws } = supervisor.address();
    log.info(
      { event: 'listening', ...rest, version: config.version },
      `REST answers at ${rest.host}:${rest.port}`,
    );
    log.info({ event: 'listening-ws', ...ws }, `WebSocket answers at ${ws.host}:${ws.port}`);
    await monitoring.open();
    process.send?.('ready');
    notifySystemd('READY=1', log);
    onServing?.(supervisor);
    return await control.ended;
  } catch (error) {
    if (control.isEnding()) return await control.ended;
    throw error;
  } finally {
    control.remove();
    endAlerts?.();
    await monitoring.close();
    await keyFile?.close();
  }
}

/** For `ptn-api keys`, which changes the file that counts here. Without it serving goes on. */
function noteKeysInForce(stateDir: string, file: { path: string; digest: string }, log: Logger): void {
  try {
    writeKeysInForce(stateDir, { ...file, pid: process.pid });
  } catch (error) {
    log.warn(
      { event: 'keys-in-force-not-written', err: error },
      'ptn-api keys cannot learn which key file is read',
    );
  }
}

interface Control {
  /** The exit code, when everything has ended on order or after a fault. */
  readonly ended: Promise<number>;
  isEnding(): boolean;
  remove(): void;
}

interface ControlOptions {
  readonly supervisor: Supervisor;
  readonly log: Logger;
  readonly reopenLog: (() => void) | undefined;
  /** Stops everything in order. */
  readonly stop: () => Promise<void>;
}

function handleSignals({ supervisor, log, reopenLog, stop }: ControlOptions): Control {
  const hadTerminal = process.stdout.isTTY;
  let endingSinceMs: number | undefined;
  let resolveEnded: (code: number) => void = () => undefined;
  const ended = new Promise<number>((resolve) => {
    resolveEnded = resolve;
  });

  function endAtOnce(): void {
    endingSinceMs ??= performance.now();
    // Whatever else fails by now, this process must not outlive its workers or hang on them.
    void supervisor.kill().finally(() => {
      resolveEnded(1);
    });
  }

  function end(order: string): void {
    if (endingSinceMs === undefined) {
      endingSinceMs = performance.now();
      log.info({ event: 'stopping', order }, `${order}: the server stops`);
      notifySystemd('STOPPING=1', log);
      stop().then(() => {
        log.info({ event: 'stopped' }, 'the server has stopped');
        resolveEnded(0);
      }, onFault);
    } else if (order !== 'SIGINT' || performance.now() - endingSinceMs > SAME_CTRL_C_MS) {
      log.warn({ event: 'stopping-at-once', order }, `${order} again: the server stops at once`);
      endAtOnce();
    }
  }

  function onFault(error: unknown): void {
    log.fatal({ event: 'supervisor-fault', err: error }, 'the supervisor fails, the server ends');
    endAtOnce();
  }

  function onHangup(): void {
    if (hadTerminal && !hasTerminal()) end('SIGHUP, as the terminal is closed');
    else {
      reopenLog?.();
      supervisor.rollingRestart().catch(onFault);
    }
  }

  const onMessage = (message: unknown): void => {
    if (message === 'shutdown') end('shutdown message');
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  process.on('SIGHUP', onHangup);
  process.on('message', onMessage);
  process.on('uncaughtException', onFault);
  return {
    ended,
    isEnding: () => endingSinceMs !== undefined,
    remove() {
      process.off('SIGTERM', end);
      process.off('SIGINT', end);
      process.off('SIGHUP', onHangup);
      process.off('message', onMessage);
      process.off('uncaughtException', onFault);
    },
  };
}

/** Whether the terminal that this process was started from is still there. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    // Any error means that: there is nothing to read from, or to write to.
    return false;
  }
}
