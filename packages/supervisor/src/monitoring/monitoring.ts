import type { Logger } from 'pino';
import type { ServerConfig, UsageEntry } from '@ptn-api/runtime';
import { recentErrors, Usage } from '@ptn-api/runtime';
import type { Supervisor } from '../supervisor.ts';
import { AdminServer } from './admin-server.ts';
import { serverStatus } from './server-status.ts';
import type { ServerStatus } from './server-status.ts';
import { supervisorMetrics } from './supervisor-metrics.ts';
import { UsageReport } from './usage-report.ts';
import { prometheusText } from './worker-metrics.ts';

const REPORT_USAGE_EVERY_MS = 5 * 60_000;
/** A worker that is stopped or hangs does not answer; the others are shown without it. */
const WORKER_ANSWERS_WITHIN_MS = 1000;

export interface MonitoringOptions {
  readonly supervisor: Supervisor;
  readonly config: ServerConfig;
  readonly log: Logger;
  readonly reportUsageEveryMs?: number;
}

/** What the operator sees of a running server: the admin port, and the usage report in the log. */
export class Monitoring {
  readonly #options: MonitoringOptions;
  readonly #startedAtMs = Date.now();
  readonly #usage = new Usage();
  readonly #report: UsageReport;
  readonly #admin: AdminServer | undefined;

  constructor(options: MonitoringOptions) {
    this.#options = options;
    const { supervisor, config, log, reportUsageEveryMs = REPORT_USAGE_EVERY_MS } = options;
    this.#report = new UsageReport(log, reportUsageEveryMs);
    supervisor.events.on('usage', this.#onUsage);
    if (config.adminPort === null) return;
    const register = supervisorMetrics(supervisor, this.#usage);
    this.#admin = new AdminServer(log, config.adminPort, {
      '/metrics': {
        contentType: register.contentType,
        read: async () => {
          const answers = await supervisor.workerMetrics(WORKER_ANSWERS_WITHIN_MS);
          const workers = supervisor.status().workers.map(({ id, role }) => ({
            process: role,
            worker: id,
            families: answers.get(id)?.families ?? [],
          }));
          const families = await register.getMetricsAsJSON();
          return prometheusText([{ process: 'supervisor', worker: 'supervisor', families }, ...workers]);
        },
      },
      '/status': {
        contentType: 'application/json',
        read: async () => JSON.stringify(await this.status()),
      },
    });
  }

  /** Opens the admin port, if there is to be one. The server has to have started. */
  async open(): Promise<void> {
    await this.#admin?.open(this.#options.config.isTakeover);
  }

  /** How the server is now. */
  async status(): Promise<ServerStatus> {
    const { supervisor, config } = this.#options;
    const metrics = await supervisor.workerMetrics(WORKER_ANSWERS_WITHIN_MS);
    return serverStatus({
      config,
      startedAtMs: this.#startedAtMs,
      addresses: supervisor.address(),
      ...supervisor.status(),
      retained: supervisor.retained,
      metrics,
      usage: this.#usage.entries(),
      errors: recentErrors(),
    });
  }

  /** Closes the port and writes what is left of the usage. */
  async close(): Promise<void> {
    this.#options.supervisor.events.off('usage', this.#onUsage);
    this.#report.close();
    await this.#admin?.close();
  }

  readonly #onUsage = (entries: readonly UsageEntry[]): void => {
    this.#usage.add(entries);
    this.#report.add(entries);
  };
}
