import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { childrenOf, isStillRunning } from './processes.ts';
import type { ProcessIdentity } from './processes.ts';
import { isVerbose } from './test-scope.ts';
import type { TestScope } from './test-scope.ts';
import { waitFor } from './wait-for.ts';

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
const ORPHAN_TIMEOUT_MS = 10_000;

/** The built command line of this repository; testkit runs the server and never imports it. */
const DEFAULT_CLI_PATH = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url));

export interface StartServerOptions {
  /** The PTN_ROOT to serve. */
  readonly root: string;
  /** Further arguments; a flag given here replaces the one of {@link standardArgs}. */
  readonly args?: readonly string[];
  /** Further environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** The built command line. By default this repository's. */
  readonly cliPath?: string;
  /** What runs the server in place of the Node that runs this process. */
  readonly nodePath?: string;
  /** How many files each of its processes may have open. By default as many as this process. */
  readonly openFiles?: number;
  /** How long workers may outlive the server before that is an error. 10 s by default. */
  readonly orphanTimeoutMs?: number;
}

export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A server of its own processes, started for a test. */
export interface RunningServer {
  /** Where REST answers, without a slash at the end: `http://127.0.0.1:41234`. */
  readonly url: string;
  /** Where WebSocket clients connect, without a slash at the end: `ws://127.0.0.1:41235`. */
  readonly wsUrl: string;
  readonly pid: number;
  /** Everything it printed so far, stdout and stderr. */
  output(): string;
  /** Ids of its worker processes. */
  childPids(): number[];
  /** Asks it to stop (SIGTERM) and waits until it has. */
  stop(): Promise<ServerExit>;
  kill(signal: NodeJS.Signals): void;
  /** When and how it ended. */
  readonly exited: Promise<ServerExit>;
}

/** `host:port` in the log line `{"event":…,"host":…,"port":…}`, if `line` is that of `event`. */
function addressIn(line: string, event: 'listening' | 'listening-ws'): string | undefined {
  if (!line.startsWith('{')) return undefined;
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof entry !== 'object' || entry === null) return undefined;
  if (!('event' in entry) || entry.event !== event) return undefined;
  if (!('host' in entry) || !('port' in entry)) return undefined;
  return `${String(entry.host)}:${String(entry.port)}`;
}

/** The same of the first such line of `output`. */
function loggedAddress(output: string, event: 'listening' | 'listening-ws'): string | undefined {
  return output
    .split('\n')
    .map((line) => addressIn(line, event))
    .find((found) => found !== undefined);
}

/** The arguments every test server gets, except for those that the test gives itself: a flag must not stand twice. */
function standardArgs(root: string, given: readonly string[]): string[] {
  const standard = {
    '--ptn-root': root,
    '--api-host': '127.0.0.1',
    '--api-rest-port': '0',
    '--api-ws-port': '0',
    // A start costs CPU for each; tests of what several share ask for them.
    '--rest-workers': '1',
    // Tests ask as often as they like; those of the limit set one.
    '--rate-limit': '0',
    '--admin-port': 'off',
  };
  return Object.entries(standard)
    .filter(([flag]) => !given.some((arg) => arg === flag || arg.startsWith(`${flag}=`)))
    .flat();
}

/**
 * Starts the server on free ports and waits until it says it is ready (the IPC message `ready`, as pm2 expects it) and
 * has logged where it listens. After the test it is stopped, and a worker that outlives it is an error.
 *
 * @throws Error with all it printed when it ends before it is ready or takes longer than 30 s.
 */
export async function startServer(scope: TestScope, options: StartServerOptions): Promise<RunningServer> {
  const {
    root,
    args = [],
    env = {},
    cliPath = DEFAULT_CLI_PATH,
    orphanTimeoutMs = ORPHAN_TIMEOUT_MS,
    openFiles,
    nodePath = process.execPath,
  } = options;
  if (!existsSync(cliPath)) throw new Error(`no built server at ${cliPath}: run "npm run build" first`);
  const command = [nodePath, cliPath, '--serve', ...standardArgs(root, args), ...args];
  // The shell becomes the server, so that signals and the channel reach it.
  if (openFiles !== undefined) command.unshift('sh', '-c', `ulimit -n ${openFiles} && exec "$0" "$@"`);
  const [program = nodePath, ...programArgs] = command;
  const child = spawn(program, programArgs, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });

  let output = '';
  let ready = false;
  let exit: ServerExit | undefined;
  const exited = new Promise<ServerExit>((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null): void => {
      exit = { code, signal };
      resolve(exit);
    };
    child.once('exit', end);
    child.once('error', (error) => {
      output += `${error.message}\n`;
      // A child that could not be started never exits.
      if (child.pid === undefined) end(null, null);
    });
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      if (isVerbose()) process.stderr.write(chunk);
    });
  }
  child.on('message', (message) => {
    if (message === 'ready') ready = true;
  });

  const children = (): ProcessIdentity[] => (child.pid === undefined ? [] : childrenOf(child.pid));
  const childPids = (): number[] => children().map(({ pid }) => pid);
  const orphans: ProcessIdentity[] = [];
  const kill = (signal: NodeJS.Signals): void => {
    // Noted first: once their parent has ended, nothing says whose children they were.
    orphans.push(...children());
    child.kill(signal);
  };
  async function stop(): Promise<ServerExit> {
    if (exit === undefined) kill('SIGTERM');
    await waitFor(() => exit !== undefined, {
      timeoutMs: STOP_TIMEOUT_MS,
      what: () => `the server stops\n${output}`,
    });
    return exited;
  }

  scope.teardown(async () => {
    try {
      await stop();
    } catch (error) {
      kill('SIGKILL');
      await exited;
      throw error;
    } finally {
      await endOrphans(orphans, orphanTimeoutMs);
    }
  });

  const started = await waitFor(
    () => {
      if (exit !== undefined) return { exit };
      if (!ready) return undefined;
      const [rest, ws] = [loggedAddress(output, 'listening'), loggedAddress(output, 'listening-ws')];
      return rest === undefined || ws === undefined
        ? undefined
        : { url: `http://${rest}`, wsUrl: `ws://${ws}` };
    },
    { timeoutMs: READY_TIMEOUT_MS, what: () => `the server is ready\n${output}` },
  );
  if ('exit' in started) {
    const { code, signal } = started.exit;
    throw new Error(
      `the server ended before it was ready, code ${String(code)}, signal ${String(signal)}:\n${output}`,
    );
  }
  if (child.pid === undefined) throw new Error('a ready server has a process id');
  return { ...started, pid: child.pid, output: () => output, childPids, stop, kill, exited };
}

/** Waits for the workers of an ended server to follow it; ends and reports those that do not. */
async function endOrphans(orphans: readonly ProcessIdentity[], timeoutMs: number): Promise<void> {
  const left = (): ProcessIdentity[] => orphans.filter(isStillRunning);
  try {
    await waitFor(() => left().length === 0, {
      timeoutMs,
      what: 'the workers of the server end with it',
    });
  } catch (error) {
    for (const { pid } of left()) process.kill(pid, 'SIGKILL');
    throw error;
  }
}
