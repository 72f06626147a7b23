export interface AlertTopicsOptions {
  /** Takes a text at once, whatever becomes of it. */
  readonly send: (text: string) => void;
  /** The minimum time between two texts of a topic, besides that of its end. */
  readonly throttleMs: number;
  /** Monotonic ms. */
  readonly now?: () => number;
}

/** What is known of one topic. */
class Topic {
  /** What is wrong now; `undefined` while nothing is. */
  error: string | undefined;
  /** Whether the beginning of that was sent. */
  isSent = false;
  quietUntilMs = -Infinity;
  /** Errors that began while it was quiet, and the last of them. */
  leftOut = 0;
  lastLeftOut = '';
  timer: NodeJS.Timeout | undefined;
}

/**
 * Sends the beginning and the end of errors, and keeps what comes and goes from filling the channel: an error that is
 * sent makes its topic quiet for `throttleMs`; what began meanwhile is counted and sent in one text at the end of that
 * time, along with whether it still lasts. An end is sent only of an error whose beginning was.
 */
export class AlertTopics {
  readonly #send: (text: string) => void;
  readonly #throttleMs: number;
  readonly #now: () => number;
  readonly #topics = new Map<string, Topic>();

  constructor({ send, throttleMs, now = () => performance.now() }: AlertTopicsOptions) {
    this.#send = send;
    this.#throttleMs = throttleMs;
    this.#now = now;
  }

  /** An error begins; nothing new where the topic has one already. */
  raise(name: string, text: string): void {
    const topic = this.#topic(name);
    if (topic.error !== undefined) return;
    topic.error = text;
    this.#begin(topic, text, true);
  }

  /** It is over. */
  clear(name: string, text: string): void {
    const topic = this.#topics.get(name);
    if (topic?.error === undefined) return;
    topic.error = undefined;
    if (topic.isSent) this.#send(`Recovered: ${text}`);
    topic.isSent = false;
  }

  /** Something that has no end. */
  happened(name: string, text: string): void {
    this.#begin(this.#topic(name), text, false);
  }

  close(): void {
    for (const { timer } of this.#topics.values()) clearTimeout(timer);
    this.#topics.clear();
  }

  #topic(name: string): Topic {
    const topic = this.#topics.get(name) ?? new Topic();
    this.#topics.set(name, topic);
    return topic;
  }

  #begin(topic: Topic, text: string, hasEnd: boolean): void {
    const quietMs = topic.quietUntilMs - this.#now();
    if (quietMs <= 0) {
      this.#publish(topic, text);
      return;
    }
    topic.leftOut += 1;
    topic.lastLeftOut = text;
    topic.timer ??= setTimeout(() => {
      topic.timer = undefined;
      const now = hasEnd ? `, now ${topic.error === undefined ? 'over' : 'lasting'}` : '';
      const times = topic.leftOut === 1 ? 'once more' : `${topic.leftOut} times more`;
      topic.leftOut = 0;
      this.#publish(topic, `${topic.lastLeftOut} (${times} in ${inWords(this.#throttleMs)}${now})`);
    }, quietMs).unref();
  }

  #publish(topic: Topic, text: string): void {
    topic.isSent = topic.error !== undefined;
    topic.quietUntilMs = this.#now() + this.#throttleMs;
    this.#send(text);
  }
}

function inWords(ms: number): string {
  return ms >= 60_000 ? `${Math.round(ms / 60_000)} min` : `${ms / 1000} s`;
}
