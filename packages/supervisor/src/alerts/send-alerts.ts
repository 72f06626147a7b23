import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { uncheckedMs } from '../monitoring/server-status.ts';
import type { Supervisor } from '../supervisor.ts';
import { AlertTopics } from './alert-topics.ts';
import { Webhook } from './webhook.ts';
import type { WebhookTiming } from './webhook.ts';

export interface AlertOptions {
  readonly supervisor: Supervisor;
  readonly url: string;
  readonly log: Logger;
  /** Positions are stale when nothing has proved for longer that they are up to date. */
  readonly maxStalenessMs: number;
  readonly timing?: Partial<AlertTiming>;
  readonly webhookTiming?: Partial<WebhookTiming>;
}

interface AlertTiming {
  /** The minimum time between two alerts of the same topic. */
  readonly throttleMs: number;
  /** A feed that is back before this is not missed: its crash was sent, and a rolling restart needs a moment. */
  readonly feedDownAfterMs: number;
  /** A worker that crashed too often is well again after this time without another crash. */
  readonly stableAfterMs: number;
  /** How often it is checked whether the positions are stale. */
  readonly checkEveryMs: number;
}

const DEFAULT_TIMING: AlertTiming = {
  throttleMs: 600_000,
  feedDownAfterMs: 30_000,
  stableAfterMs: 300_000,
  checkEveryMs: 1000,
};

const FEED = 'feed';

/**
 * Sends what an operator has to know to a webhook. Listens to the supervisor's events, and nothing waits for it.
 *
 * @returns what ends it.
 */
export function sendAlerts(options: AlertOptions): () => void {
  const { supervisor, url, log, maxStalenessMs, timing, webhookTiming = {} } = options;
  const { throttleMs, feedDownAfterMs, stableAfterMs, checkEveryMs } = { ...DEFAULT_TIMING, ...timing };
  const webhook = new Webhook({ url: new URL(url), log, timing: webhookTiming });
  const from = `[ptn-api ${hostname()}]`;
  const topics = new AlertTopics({
    throttleMs,
    send: (text) => {
      log.info({ event: 'alert' }, `alert: ${text}`);
      webhook.send(`${from} ${text}`);
    },
  });
  const timers = new Map<string, NodeJS.Timeout>();

  function later(name: string, ms: number, work: () => void): void {
    clearTimeout(timers.get(name));
    timers.set(name, setTimeout(work, ms).unref());
  }

  const { events } = supervisor;
  events.on('worker-crashed', (id, { reason }) => {
    clearTimeout(timers.get(`stable ${id}`));
    topics.raise(`worker ${id}`, `worker ${id} ended: ${reason}. It is started again`);
  });
  events.on('critical', (id) => {
    topics.raise(`critical ${id}`, `worker ${id} crashes again and again; it goes on being restarted`);
  });
  events.on('worker-ready', (id) => {
    topics.clear(`worker ${id}`, `worker ${id} runs again`);
    later(`stable ${id}`, stableAfterMs, () => {
      topics.clear(
        `critical ${id}`,
        `worker ${id} has not crashed for ${Math.round(stableAfterMs / 1000)} s`,
      );
    });
    if (id !== FEED) return;
    clearTimeout(timers.get('feed down'));
    topics.clear('feed down', 'the feed is there, answers are kept up to date again');
  });
  events.on('worker-down', (id) => {
    if (id !== FEED) return;
    later('feed down', feedDownAfterMs, () => {
      topics.raise('feed down', 'the feed is down: what is served becomes stale, and no order is streamed');
    });
  });
  events.on('alert', ({ topic, change, text }) => {
    topics[change](topic, text);
  });
  // A feed that hangs, or a disk that does, publishes nothing: by the same measure as `/readyz`.
  const staleness = setInterval(() => {
    const unchecked = uncheckedMs(supervisor.retained);
    if (unchecked === null) return;
    const [seconds, allowed] = [unchecked, maxStalenessMs].map((ms) => Math.round(ms / 1000));
    if (unchecked > maxStalenessMs) {
      const text = `stale data: positions not checked for ${seconds} s, allowed are ${allowed} s; the last state is served on`;
      topics.raise('stale data', text);
    } else topics.clear('stale data', 'positions are checked again and up to date');
  }, checkEveryMs).unref();

  return () => {
    clearInterval(staleness);
    for (const timer of timers.values()) clearTimeout(timer);
    topics.close();
    webhook.close();
  };
}
