import { setTimeout as sleep } from 'node:timers/promises';
import type { Backoff } from '@ptn-api/runtime';
import { backoffMs } from '@ptn-api/runtime';
import type { Logger } from 'pino';

export interface WebhookTiming {
  /** The timeout of one attempt. */
  readonly answerWithinMs: number;
  readonly backoff: Backoff;
  /** After the last one the message is given up. */
  readonly attempts: number;
}

/** Ten attempts: about eight minutes, in which a receiver can be restarted. */
const DEFAULT_TIMING: WebhookTiming = {
  answerWithinMs: 10_000,
  backoff: { firstMs: 1000, factor: 2, maxMs: 120_000 },
  attempts: 10,
};
/** Messages that may wait. The oldest is dropped for a newer one: what is the case now is worth more. */
const QUEUE_LIMIT = 50;

export interface WebhookOptions {
  /** A secret: whoever knows it can write to the channel. Only its origin is ever logged. */
  readonly url: URL;
  readonly log: Logger;
  readonly timing?: Partial<WebhookTiming>;
}

/** How one attempt ended; `problem` never holds more of the URL than its origin. */
type Outcome = { readonly kind: 'sent' } | { readonly kind: 'retry' | 'refused'; readonly problem: string };

/**
 * Sends texts as `{"text": "…"}`, which Slack, Mattermost, Discord (`/slack`) and others understand: in order, one at a
 * time, again where that may help. `send` returns at once and never throws; a receiver that is slow or missing costs a
 * bounded queue and nothing else.
 */
export class Webhook {
  readonly #options: WebhookOptions;
  readonly #timing: WebhookTiming;
  readonly #queue: string[] = [];
  readonly #closing = new AbortController();
  #dropped = 0;
  #isSending = false;

  constructor(options: WebhookOptions) {
    this.#options = options;
    this.#timing = { ...DEFAULT_TIMING, ...options.timing };
  }

  send(text: string): void {
    if (this.#closing.signal.aborted) return;
    this.#queue.push(text);
    // The first one is under way.
    if (this.#queue.length > QUEUE_LIMIT) {
      this.#queue.splice(1, 1);
      this.#dropped += 1;
    }
    if (!this.#isSending) void this.#sendAll();
  }

  /** Gives up what waits, and the attempt that is under way. */
  close(): void {
    this.#closing.abort();
    this.#queue.length = 0;
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    for (let text = this.#queue[0]; text !== undefined; text = this.#queue[0]) {
      await this.#deliver(text + this.#droppedNote());
      this.#queue.shift();
    }
    this.#isSending = false;
  }

  #droppedNote(): string {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped === 0 ? '' : ` (${dropped} older alerts were dropped, as the webhook did not take them)`;
  }

  async #deliver(text: string): Promise<void> {
    const { url, log } = this.#options;
    const { attempts, backoff } = this.#timing;
    const { signal } = this.#closing;
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#post(text);
      if (outcome.kind === 'sent' || signal.aborted) return;
      const isLast = outcome.kind === 'refused' || attempt === attempts;
      if (isLast || attempt === 1) {
        log.warn(
          { event: isLast ? 'alert-given-up' : 'alert-delayed', webhook: url.origin, attempt },
          `the alert webhook at ${url.origin} did not take an alert: ${outcome.problem}` +
            (isLast ? '; the alert is given up' : '; it is tried again'),
        );
      }
      if (isLast) return;
      try {
        await sleep(backoffMs(backoff, attempt - 1, 0), undefined, { signal, ref: false });
      } catch {
        return; // Closed: what waits is given up.
      }
    }
  }

  async #post(text: string): Promise<Outcome> {
    const { answerWithinMs } = this.#timing;
    try {
      const response = await fetch(this.#options.url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ text }),
        // The URL is a secret that another host must not be handed.
        redirect: 'manual',
        signal: AbortSignal.any([AbortSignal.timeout(answerWithinMs), this.#closing.signal]),
      });
      // Nothing of it is of use, and unread it would keep the connection.
      await response.body?.cancel();
      if (response.ok) return { kind: 'sent' };
      const isPassing = response.status === 429 || response.status === 408 || response.status >= 500;
      return { kind: isPassing ? 'retry' : 'refused', problem: `it answered ${response.status}` };
    } catch (error) {
      return { kind: 'retry', problem: problemOf(error, answerWithinMs) };
    }
  }
}

/** Codes and names only: messages may hold the URL. */
function problemOf(error: unknown, answerWithinMs: number): string {
  if (!(error instanceof Error)) return 'it could not be reached';
  if (error.name === 'TimeoutError') return `it did not answer within ${answerWithinMs} ms`;
  const cause: unknown = error.cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : error.name;
  return `it could not be reached (${code})`;
}
