import type { Logger } from 'pino';
import { request } from 'undici';

const TIMEOUT_MS = 10_000;
/** More than that is not worth reading in a chat, and Slack takes one a second. */
const MAX_WAITING = 20;
const EVERY_MS = 1_000;

export interface SlackOptions {
  /** For what went well. The address itself is the secret: it is never logged. */
  readonly webhookUrl: string | undefined;
  /** For errors; {@link webhookUrl} takes them where this is not given. */
  readonly errorWebhookUrl: string | undefined;
  readonly log: Logger;
}

/** Messages to Slack. They are best effort: what Slack does not take is logged and forgotten. */
export class Slack {
  readonly #options: SlackOptions;
  readonly #waiting: { readonly url: string; readonly text: string }[] = [];
  #isSending = false;
  #dropped = 0;

  constructor(options: SlackOptions) {
    this.#options = options;
  }

  inform(text: string): void {
    this.#add(this.#options.webhookUrl, text);
  }

  warn(text: string): void {
    this.#add(this.#options.errorWebhookUrl ?? this.#options.webhookUrl, text);
  }

  #add(url: string | undefined, text: string): void {
    if (url === undefined) return;
    if (this.#waiting.length >= MAX_WAITING) this.#dropped += 1;
    else this.#waiting.push({ url, text });
    if (!this.#isSending) void this.#send();
  }

  async #send(): Promise<void> {
    this.#isSending = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const dropped = this.#dropped === 0 ? '' : ` (${this.#dropped} messages were left out)`;
      this.#dropped = 0;
      await this.#post(next.url, next.text + dropped);
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS).unref());
    }
    this.#isSending = false;
  }

  async #post(url: string, text: string): Promise<void> {
    try {
      const { statusCode, body } = await request(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ text }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await body.dump();
      if (statusCode >= 300) this.#options.log.warn({ status: statusCode }, 'Slack has not taken a message');
    } catch (error) {
      this.#options.log.warn({ reason: (error as Error).name }, 'Slack could not be reached');
    }
  }
}
