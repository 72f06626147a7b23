import type { ServerConfig, ServingRole, WorkerRole } from '@ptn-api/runtime';
import { servingMemoryLimit } from '@ptn-api/runtime';

/** A worker as data: all that the supervisor knows of it. */
export interface WorkerSpec {
  /** Unique, and what the operator reads: `feed`, `rest-1`, `ws-1`. */
  readonly id: string;
  readonly role: WorkerRole;
  readonly modulePath: string;
  readonly args?: readonly string[];
  /** Port of its debugger on 127.0.0.1. It may stand at a breakpoint: nobody expects a sign of life from it. */
  readonly inspectPort?: number;
  /** A worker that is not ready after this time is killed. */
  readonly startTimeoutMs: number;
  /** One that has had more memory than this for a while is replaced. */
  readonly maxRssBytes?: number;
  /**
   * In a rolling restart, `before-stop` starts the new process before the old one is drained, so that one of them
   * serves at any time; `after-stop` is for workers of which there may be only one.
   */
  readonly replacement: 'before-stop' | 'after-stop';
}

/** The feed reads a tree of 100,000 files before it is ready; pm2 waits as long (`listen_timeout`). */
const FEED_START_TIMEOUT_MS = 120_000;
/** A worker that serves only takes over what is retained. */
const SERVING_START_TIMEOUT_MS = 30_000;

/** Node's own default, 9229, is left to the supervisor. */
const FIRST_INSPECT_PORT = 9230;

/**
 * The workers of the server, in the order in which they are started; they are stopped in reverse.
 *
 * @param programs the module that each kind of worker runs.
 */
export function serverWorkers(
  { restWorkers, wsWorkers, inspect }: Pick<ServerConfig, 'restWorkers' | 'wsWorkers' | 'inspect'>,
  programs: Readonly<Record<WorkerRole, string>>,
): WorkerSpec[] {
  const feed: WorkerSpec = {
    id: 'feed',
    role: 'feed',
    modulePath: programs.feed,
    startTimeoutMs: FEED_START_TIMEOUT_MS,
    replacement: 'after-stop',
  };
  const workers = [
    feed,
    ...servingWorkers('rest', programs.rest, restWorkers),
    ...servingWorkers('ws', programs.ws, wsWorkers),
  ];
  if (!inspect) return workers;
  return workers.map((spec, index) => ({ ...spec, inspectPort: FIRST_INSPECT_PORT + index }));
}

function servingWorkers(role: ServingRole, modulePath: string, count: number): WorkerSpec[] {
  return Array.from({ length: count }, (_, index): WorkerSpec => ({
    id: `${role}-${index + 1}`,
    role,
    modulePath,
    startTimeoutMs: SERVING_START_TIMEOUT_MS,
    maxRssBytes: servingMemoryLimit(),
    replacement: 'before-stop',
  }));
}
