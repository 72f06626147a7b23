import { statSync } from 'node:fs';
import type { LoggedError, MetricsMessage, ServerConfig, TopicValues } from '@ptn-api/runtime';
import { minersFiles, minersFileTopic, monotonicMs, wholeFiles } from '@ptn-api/runtime';
import { dataFile } from '@ptn-api/order-log/data-file';
import type { RetainedReader } from '../broker.ts';
import type { ByRole } from '../listeners.ts';
import type { ConnectionCounts, ListenAddress } from '../listener.ts';
import type { WorkerStatus } from '../worker-slot.ts';
import { usageRows, usageSamples } from './usage.ts';
import type { UsageRow } from './usage.ts';
import { openConnections, residentBytes } from './worker-metrics.ts';

/** How a server is, as `/status` shows it. Times are Unix ms. */
export interface ServerStatus {
  readonly status: 'ok' | 'degraded';
  /** Why it is degraded. */
  readonly reasons: readonly string[];
  readonly version: string;
  readonly pid: number;
  readonly startedAtMs: number;
  readonly nowMs: number;
  readonly ptnRoot: string;
  readonly addresses: ByRole<ListenAddress>;
  readonly workers: readonly WorkerLine[];
  readonly sources: readonly SourceLine[];
  /** For how long nothing has proved that the positions are up to date; `null` before the first proof. */
  readonly positionsUncheckedMs: number | null;
  readonly positions: {
    readonly source: string;
    readonly generation: number;
    readonly miners: number;
  } | null;
  readonly orders: {
    readonly epoch: string;
    readonly oldest: number;
    readonly last: number;
    readonly sizeBytes: number | null;
  } | null;
  readonly connections: ByRole<ConnectionCounts & { readonly open: number }>;
  /** The users with the most requests since the workers that run were started, by route. */
  readonly topUsers: readonly UsageRow[];
  /** What was logged last as an error, by any process that still runs. Newest first. */
  readonly lastErrors: readonly (LoggedError & { readonly process: string })[];
}

interface WorkerLine {
  readonly id: string;
  readonly pid: number | null;
  readonly state: WorkerStatus['state'];
  readonly startedAtMs: number | null;
  readonly restarts: number;
  /** Resident memory; `null` where the process did not answer. */
  readonly memoryBytes: number | null;
  /** How its last process ended. */
  readonly lastExit: string | null;
}

/** Something of the validator that is served. */
interface SourceLine {
  readonly name: string;
  /** When it changed last; `null` where it is not there. */
  readonly modifiedMs: number | null;
}

/** What a status is made of. */
export interface StatusParts {
  readonly config: ServerConfig;
  readonly startedAtMs: number;
  readonly addresses: ByRole<ListenAddress>;
  readonly workers: readonly WorkerStatus[];
  readonly connections: ByRole<ConnectionCounts>;
  readonly retained: RetainedReader;
  readonly metrics: ReadonlyMap<string, MetricsMessage | undefined>;
  /** Of the supervisor itself. */
  readonly errors: readonly LoggedError[];
}

const TOP_USERS = 10;
const LAST_ERRORS = 10;

/** How the server is, out of what is known. */
export function serverStatus(parts: StatusParts): ServerStatus {
  const { config, startedAtMs, addresses, workers, connections, retained, metrics } = parts;
  const head = retained.get('positions', 'head');
  const orders = retained.get('orders', 'head');
  const reasons = degradedReasons(parts);
  const errors = [...metrics].flatMap(([process, answer]) =>
    (answer?.errors ?? []).map((error) => ({ ...error, process })),
  );
  return {
    status: reasons.length === 0 ? 'ok' : 'degraded',
    reasons,
    version: config.version,
    pid: process.pid,
    startedAtMs,
    nowMs: Date.now(),
    ptnRoot: config.ptnRoot,
    addresses,
    workers: workers.map(({ id, pid, state, startedAtMs: since, restarts, lastExit }) => ({
      id,
      pid: pid ?? null,
      state,
      startedAtMs: since ?? null,
      restarts,
      memoryBytes: residentBytes(metrics.get(id)?.families ?? []),
      lastExit: lastExit?.reason ?? null,
    })),
    sources: sourceLines(retained),
    positionsUncheckedMs: uncheckedMs(retained),
    positions:
      head?.kind === 'positions-head'
        ? { source: head.source, generation: head.generation, miners: head.hotkeys.length }
        : null,
    orders:
      orders === undefined
        ? null
        : {
            epoch: orders.epoch,
            oldest: orders.oldest,
            last: orders.last,
            sizeBytes: orderLogBytes(orders),
          },
    connections: {
      rest: { ...connections.rest, open: openConnections(metrics, 'http') },
      ws: { ...connections.ws, open: openConnections(metrics, 'stream') },
    },
    topUsers: usageRows(usageSamples(metrics)).slice(0, TOP_USERS),
    lastErrors: [...errors, ...parts.errors.map((error) => ({ ...error, process: 'supervisor' }))]
      .sort((a, b) => b.timeMs - a.timeMs)
      .slice(0, LAST_ERRORS),
  };
}

/** For how long nothing has proved that the positions are up to date; `null` before the first proof. */
export function uncheckedMs(retained: RetainedReader): number | null {
  const sources = retained.get('sources', 'feed');
  return sources === undefined ? null : Math.max(0, monotonicMs() - sources.checkedMs);
}

/** What the order log takes on the disk; `null` where it cannot be seen. */
export function orderLogBytes({ path }: TopicValues['orders']): number | null {
  try {
    // What is on the disk: the file is as long as it ever was.
    return statSync(dataFile(path)).blocks * 512;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return null;
  }
}

function degradedReasons({ config, workers, retained }: StatusParts): string[] {
  const reasons: string[] = [];
  for (const { id, state } of workers) {
    if (state !== 'ready') reasons.push(`worker ${id} is not ready but ${state}`);
  }
  if (retained.get('health', 'feed')?.up === false) reasons.push('the feed is down');
  const unchecked = uncheckedMs(retained) ?? 0;
  if (unchecked > config.maxStalenessMs) {
    const [seconds, allowed] = [unchecked, config.maxStalenessMs].map((ms) => Math.round(ms / 1000));
    reasons.push(`positions not checked for ${seconds} s, allowed are ${allowed} s`);
  }
  return reasons;
}

function sourceLines(retained: RetainedReader): SourceLine[] {
  const positions = retained.get('positions', 'head');
  const statistics = retained.get('statistics', 'head');
  const documents = wholeFiles.map(([name]) => ({
    name,
    modifiedMs: retained.get('documents', name)?.modifiedMs ?? null,
  }));
  // Those that older validators do not write are no lines.
  const byMiner = minersFiles.flatMap(([name]) => {
    const head = retained.get(minersFileTopic(name), 'head');
    return head?.kind === 'miners-file-head' ? [{ name, modifiedMs: head.modifiedMs }] : [];
  });
  return [
    { name: 'positions', modifiedMs: positions?.kind === 'positions-head' ? positions.modifiedMs : null },
    {
      name: 'statistics',
      modifiedMs: statistics?.kind === 'statistics-head' ? statistics.modifiedMs : null,
    },
    ...documents,
    ...byMiner,
  ];
}
