import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import { METRIC_PREFIX } from '@ptn-api/runtime';
import { processMetrics } from '@ptn-api/runtime/process-metrics';
import type { Supervisor } from '../supervisor.ts';
import { orderLogBytes, uncheckedMs } from './server-status.ts';

/** What a series is read from: its values with their labels, when somebody asks. */
type Reading = readonly (readonly [
  labels: Readonly<Record<string, string>>,
  value: number | null | undefined,
])[];

interface Series {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  readonly read: () => Reading;
}

/** The metrics of the supervisor: what it alone knows, read at the moment when somebody asks. */
export function supervisorMetrics(supervisor: Supervisor): Registry {
  const register = processMetrics();
  const { retained } = supervisor;
  const positions = () => {
    const head = retained.get('positions', 'head');
    return head?.kind === 'positions-head' ? head : undefined;
  };
  const orders = () => retained.get('orders', 'head');
  const perWorker = (read: (status: ReturnType<Supervisor['status']>['workers'][number]) => number) => () =>
    supervisor
      .status()
      .workers.map((worker) => [{ process: worker.role, worker: worker.id }, read(worker)] as const);
  const perListener = (field: 'waiting' | 'dropped') => () =>
    Object.entries(supervisor.status().connections).map(
      ([entrance, counts]) => [{ entrance }, counts[field]] as const,
    );

  const series: readonly Series[] = [
    {
      name: 'worker_up',
      help: '1 for a worker that is ready',
      labels: ['process', 'worker'],
      read: perWorker(({ state }) => (state === 'ready' ? 1 : 0)),
    },
    {
      name: 'worker_restarts_total',
      help: 'Processes started in place of one that crashed',
      labels: ['process', 'worker'],
      read: perWorker(({ restarts }) => restarts),
    },
    {
      name: 'connections_waiting',
      help: 'Connections accepted and not yet given to a worker',
      labels: ['entrance'],
      read: perListener('waiting'),
    },
    {
      name: 'connections_dropped_total',
      help: 'Connections closed unanswered: no worker took them, or their address opens too many',
      labels: ['entrance'],
      read: perListener('dropped'),
    },
    {
      name: 'feed_up',
      help: '1 while the feed runs',
      read: () => [[{}, retained.get('health', 'feed')?.up === true ? 1 : 0]],
    },
    {
      name: 'positions_unchecked_seconds',
      help: 'For how long nothing has proved that the positions are up to date',
      read: () => [[{}, inSeconds(uncheckedMs(retained))]],
    },
    {
      name: 'positions_generation',
      help: 'Generation of the positions that is served',
      read: () => [[{}, positions()?.generation]],
    },
    { name: 'miners', help: 'Miners with positions', read: () => [[{}, positions()?.hotkeys.length]] },
    {
      name: 'order_log_last_sequence',
      help: 'Sequence of the newest order of the order log',
      read: () => [[{}, orders()?.last]],
    },
    {
      name: 'order_log_oldest_sequence',
      help: 'Sequence of the oldest order that is still in the order log',
      read: () => [[{}, orders()?.oldest]],
    },
    {
      name: 'order_log_bytes',
      help: 'What the order log takes on the disk',
      read: () => {
        const head = orders();
        return [[{}, head === undefined ? undefined : orderLogBytes(head)]];
      },
    },
  ];
  for (const { name, help, labels = [], read } of series) {
    const Kind = name.endsWith('_total') ? Counter : Gauge;
    new Kind<string>({
      name: `${METRIC_PREFIX}${name}`,
      help,
      labelNames: labels,
      registers: [register],
      collect() {
        this.reset();
        for (const [values, value] of read())
          if (value !== null && value !== undefined) this.inc(values, value);
      },
    });
  }
  return register;
}

function inSeconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}
