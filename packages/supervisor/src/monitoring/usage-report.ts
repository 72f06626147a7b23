import { counted } from '@ptn-api/protocol';
import type { Logger } from 'pino';
import { quantileMs, Usage } from '@ptn-api/runtime';
import type { UsageEntry } from '@ptn-api/runtime';

/** So many rows are logged; how many more there were is said. */
const MAX_ROWS = 100;

/** What the log says of one user and route. */
export interface UsageRow {
  /** `null` for requests without a key that counts. */
  readonly user: string | null;
  readonly route: string;
  readonly requests: number;
  readonly failures: number;
  readonly bytes: number;
  readonly meanMs: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** Most requests first. */
export function usageRows(entries: readonly UsageEntry[]): UsageRow[] {
  return [...entries]
    .sort((a, b) => b.requests - a.requests)
    .map(({ userId, route, requests, failures, bytesSent, totalMs, latencies }) => ({
      user: userId,
      route,
      requests,
      failures,
      bytes: bytesSent,
      meanMs: rounded(totalMs / requests),
      medianMs: rounded(quantileMs(latencies, 0.5)),
      p99Ms: rounded(quantileMs(latencies, 0.99)),
    }));
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}

/** Writes who used what into the log, every few minutes. */
export class UsageReport {
  readonly #log: Logger;
  readonly #usage = new Usage();
  readonly #timer: NodeJS.Timeout;
  #sinceMs = performance.now();

  constructor(log: Logger, everyMs: number) {
    this.#log = log;
    this.#timer = setInterval(() => {
      this.#write();
    }, everyMs);
  }

  add(entries: readonly UsageEntry[]): void {
    this.#usage.add(entries);
  }

  /** Writes what was not reported yet. */
  close(): void {
    clearInterval(this.#timer);
    this.#write();
  }

  #write(): void {
    const seconds = Math.round((performance.now() - this.#sinceMs) / 1000);
    this.#sinceMs = performance.now();
    const rows = usageRows(this.#usage.take());
    if (rows.length === 0) return;
    const requests = rows.reduce((sum, row) => sum + row.requests, 0);
    const failures = rows.reduce((sum, row) => sum + row.failures, 0);
    this.#log.info(
      {
        event: 'usage',
        seconds,
        requests,
        failures,
        usage: rows.slice(0, MAX_ROWS),
        ...(rows.length > MAX_ROWS ? { rowsLeftOut: rows.length - MAX_ROWS } : {}),
      },
      `usage of the last ${seconds} s: ${counted(requests, 'request')}, ${failures} of them failed`,
    );
  }
}
