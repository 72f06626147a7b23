import { counted, printable } from '@ptn-api/protocol';
import type { ServerStatus } from '@ptn-api/supervisor';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** The state of a server as a person reads it. */
export function statusText(status: ServerStatus): string {
  const { nowMs, positions, orders, connections, addresses } = status;
  const since = (ms: number | null): string => (ms === null ? '-' : duration(nowMs - ms));
  const lines = [
    `ptn-api ${status.version} (pid ${status.pid}): ${status.status}, up ${since(status.startedAtMs)}`,
    ...status.reasons.map((reason) => `  ! ${reason}`),
    `  serves ${status.ptnRoot}`,
    `  REST ${addresses.rest.host}:${addresses.rest.port}, WebSocket ${addresses.ws.host}:${addresses.ws.port}`,
    '',
    'Workers',
    ...table(
      ['id', 'pid', 'state', 'up', 'restarts', 'memory', 'last end'],
      status.workers.map((worker) => [
        worker.id,
        String(worker.pid ?? '-'),
        worker.state,
        worker.pid === null ? '-' : since(worker.startedAtMs),
        String(worker.restarts),
        bytes(worker.memoryBytes),
        worker.lastExit ?? '-',
      ]),
    ),
    '',
    'Sources',
    ...table(
      ['name', 'changed'],
      status.sources.map(({ name, modifiedMs }) => [
        name,
        modifiedMs === null ? 'not there' : `${since(modifiedMs)} ago`,
      ]),
    ),
    positions === null
      ? '  no positions were published yet'
      : `  positions from ${positions.source}: ${counted(positions.miners, 'miner')}, generation ${positions.generation}, checked ${ago(status.positionsUncheckedMs)}`,
    '',
    'Orders',
    orders === null
      ? '  no order log is kept'
      : `  sequence ${orders.last}, oldest kept ${orders.oldest}, ${bytes(orders.sizeBytes)} on disk`,
    '',
    'Clients',
    ...table(
      ['entrance', 'open', 'waiting', 'dropped'],
      Object.entries(connections).map(([entrance, counts]) => [
        entrance === 'rest' ? 'REST' : 'WebSocket',
        String(counts.open),
        String(counts.waiting),
        String(counts.dropped),
      ]),
    ),
    '',
    'Top users',
    ...(status.topUsers.length === 0
      ? ['  none yet']
      : table(
          ['user', 'route', 'requests', 'failures', 'mean', 'median', 'p99', 'sent'],
          status.topUsers.map((row) => [
            row.user ?? '(no key)',
            row.route,
            String(row.requests),
            String(row.failures),
            `${row.meanMs} ms`,
            `${row.medianMs} ms`,
            `${row.p99Ms} ms`,
            bytes(row.bytes),
          ]),
        )),
    '',
    'Last errors',
    ...(status.lastErrors.length === 0
      ? ['  none']
      : status.lastErrors.map(
          ({ timeMs, process, event, message }) =>
            `  ${new Date(timeMs).toISOString()} ${process}${event === null ? '' : ` ${event}`}: ${message}`,
        )),
  ];
  return `${lines.map((line) => printable(line).trimEnd()).join('\n')}\n`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`);
}

function ago(ms: number | null): string {
  return ms === null ? 'never' : `${duration(ms)} ago`;
}

/** `4 s`, `12 min`, `3 h 5 min`, `2 d 4 h`. */
function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function bytes(count: number | null): string {
  if (count === null) return '-';
  let [value, unit] = [count, 0];
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit] ?? ''}`;
}
