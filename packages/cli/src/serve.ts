import { fileURLToPath } from 'node:url';
import type { DestinationStream, Logger } from 'pino';
import type { ServerConfig } from '@ptn-api/runtime';
import type { OptionValues } from './options/options.ts';
import { createLogger, isStdoutReplaced, openLogFile, openStandardOutput } from '@ptn-api/runtime';
import { resolveConfig } from './options/resolve-config.ts';
import { prepareStateDir } from './options/state-dir.ts';
import type { ListenAddress } from '@ptn-api/supervisor';
import { runSupervisor, serverWorkers } from '@ptn-api/supervisor';
import { demoText, startDemo } from './demo.ts';
import type { Demo } from './demo.ts';

const EXIT_FAULT = 1;

/** What each kind of worker runs. */
const PROGRAMS = {
  feed: fileURLToPath(import.meta.resolve('@ptn-api/feed/main')),
  rest: fileURLToPath(import.meta.resolve('@ptn-api/rest/main')),
  ws: fileURLToPath(import.meta.resolve('@ptn-api/stream/main')),
};

export interface ServeContext {
  readonly cwd: string;
  readonly version: string;
  readonly write: (text: string) => void;
}

/**
 * Runs the server until it is asked to stop.
 *
 * @returns the exit code.
 * @throws StartError when it cannot start.
 */
export async function serve(values: OptionValues, { cwd, version }: ServeContext): Promise<number> {
  const config = resolveConfig(values, { cwd, version });
  return runSupervisor({ config, workers: serverWorkers(config, PROGRAMS), ...prepare(config) });
}

/** The same with a simulated validator, which is stopped and removed at the end. */
export async function serveDemo(values: OptionValues, context: ServeContext): Promise<number> {
  const demo = await startDemo();
  if (demo === undefined) return 0;
  try {
    return await serveSimulated(values, demo, context);
  } finally {
    await demo.stop();
  }
}

async function serveSimulated(
  values: OptionValues,
  demo: Demo,
  { cwd, version, write }: ServeContext,
): Promise<number> {
  const config = resolveConfig({ ...values, 'ptn-root': demo.root }, { cwd, version });
  const { log, printLines, reopenLog } = prepare(config);
  const state = { isLost: false, isOver: false };
  void demo.ended.then((detail) => {
    if (state.isOver) return;
    state.isLost = true;
    log.fatal({ event: 'demo-ended', detail }, `the simulated validator has ended: ${detail}`);
    // Stops the server as anybody else would.
    process.kill(process.pid, 'SIGTERM');
  });
  try {
    // From its first line on, the supervisor listens for itself.
    if (demo.isInterrupted()) return 0;
    const code = await runSupervisor({
      config,
      workers: serverWorkers(config, PROGRAMS),
      log,
      printLines,
      reopenLog,
      onServing: (supervisor) => {
        const { rest, ws } = supervisor.address();
        write(demoText(demo, { rest: `http://${reachable(rest)}`, ws: `ws://${reachable(ws)}` }));
      },
    });
    return state.isLost ? EXIT_FAULT : code;
  } finally {
    state.isOver = true;
  }
}

interface Output {
  readonly log: Logger;
  /** Where the lines of the workers go, if not by themselves to the terminal or to what replaces stdout. */
  readonly printLines: ((lines: string) => void) | undefined;
  /** Makes the log file anew where it was moved; does nothing without one. */
  readonly reopenLog: () => void;
}

function prepare(config: ServerConfig): Output {
  prepareStateDir(config.stateDir);
  const logFile = config.logFile && openLogFile(config.logFile);
  const destination = logFile ?? openDestination();
  const printLines = (lines: string): void => {
    destination?.write(lines);
  };
  return {
    log: createLogger({ name: 'supervisor', level: config.logLevel, destination }),
    printLines: destination === undefined ? undefined : printLines,
    reopenLog: () => {
      logFile?.reopen();
    },
  };
}

/** One process writes the lines of all; `undefined` on a terminal, and where stdout is replaced. */
function openDestination(): DestinationStream | undefined {
  return isStdoutReplaced() || process.stdout.isTTY ? undefined : openStandardOutput();
}

/** The address under which this machine reaches a server that listens there. */
function reachable({ host, port }: ListenAddress): string {
  if (host === '0.0.0.0') return `127.0.0.1:${port}`;
  if (host === '::') return `[::1]:${port}`;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
