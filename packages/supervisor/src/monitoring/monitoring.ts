import { counted } from '@ptn-api/protocol';
import type { Logger } from 'pino';
import type { ServerConfig } from '@ptn-api/runtime';
import { recentErrors } from '@ptn-api/runtime';
import type { Supervisor } from '../supervisor.ts';
import { AdminServer } from './admin-server.ts';
import { serverStatus } from './server-status.ts';
import type { ServerStatus } from './server-status.ts';
import { usageRows, usageSamples, usageSince } from './usage.ts';
import type { UsageSamples } from './usage.ts';

const REPORT_USAGE_EVERY_MS = 5 * 60_000;
/** A worker that is stopped or hangs does not answer; the others are shown without it. */
const WORKER_ANSWERS_WITHIN_MS = 1000;
/** More are not logged; how many there were is. */
const MAX_REPORTED_ROWS = 100;

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
  readonly #timer: NodeJS.Timeout;
  #admin: AdminServer | undefined;
  #reported: UsageSamples = new Map();
  #reportedAtMs = performance.now();

  constructor(options: MonitoringOptions) {
    this.#options = options;
    const { reportUsageEveryMs = REPORT_USAGE_EVERY_MS } = options;
    this.#timer = setInterval(() => {
      void this.reportUsage();
    }, reportUsageEveryMs);
  }

  /** Opens the admin port, if there is to be one. The server has to have started. */
  async open(): Promise<void> {
    const { supervisor, config, log } = this.#options;
    if (config.adminPort === null) return;
    // Its library is loaded only where it is used.
    const { metricsPage } = await import('./metrics-page.ts');
    this.#admin = new AdminServer(log, config.adminPort, {
      '/metrics': metricsPage(supervisor, WORKER_ANSWERS_WITHIN_MS),
      '/status': {
        contentType: 'application/json',
        read: async () => JSON.stringify(await this.status()),
      },
    });
    await this.#admin.open(config.isTakeover);
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
      errors: recentErrors(),
    });
  }

  /** Logs who asked for what since the last report, if anybody did. */
  async reportUsage(): Promise<void> {
    const samples = usageSamples(await this.#options.supervisor.workerMetrics(WORKER_ANSWERS_WITHIN_MS));
    const rows = usageRows(usageSince(this.#reported, samples));
    // What a worker that did not answer has counted is still known.
    this.#reported = new Map([...this.#reported, ...samples]);
    const seconds = Math.round((performance.now() - this.#reportedAtMs) / 1000);
    this.#reportedAtMs = performance.now();
    if (rows.length === 0) return;
    const requests = rows.reduce((sum, row) => sum + row.requests, 0);
    const failures = rows.reduce((sum, row) => sum + row.failures, 0);
    const [usage, left] = [rows.slice(0, MAX_REPORTED_ROWS), rows.length - MAX_REPORTED_ROWS];
    this.#options.log.info(
      { event: 'usage', seconds, requests, failures, usage, ...(left > 0 && { rowsLeftOut: left }) },
      `usage of the last ${seconds} s: ${counted(requests, 'request')}, ${failures} of them failed`,
    );
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#admin?.close();
  }
}
