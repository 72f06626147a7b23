export interface AlertTopicsOptions {
  /** Takes a text at once, whatever becomes of it. */
  readonly send: (text: string) => void;
  /** A topic is told of at most once in so long, and of its end once. */
  readonly throttleMs: number;
  /** Monotonic ms. */
  readonly now?: () => number;
}

interface Topic {
  /** What is wrong now; `undefined` while nothing is. */
  trouble: string | undefined;
  /** Whether the trouble there is has been told. */
  isTold: boolean;
  /** The topic is quiet until then. */
  quietUntilMs: number;
  /** Troubles that began while it was quiet, and the last of them. */
  leftOut: number;
  lastLeftOut: string;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Tells the beginning and the end of troubles, and keeps what comes and goes from filling the channel: a trouble that
 * is told makes its topic quiet for `throttleMs`; what began meanwhile is counted and told in one text at the end of
 * that time, along with whether it still lasts. An end is told only of a trouble whose beginning was.
 */
export class AlertTopics {
  readonly #options: AlertTopicsOptions;
  readonly #now: () => number;
  readonly #topics = new Map<string, Topic>();

  constructor(options: AlertTopicsOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** A trouble begins; nothing new where the topic has one already. */
  raise(name: string, text: string): void {
    const topic = this.#topic(name);
    if (topic.trouble !== undefined) return;
    topic.trouble = text;
    this.#begin(topic, text);
  }

  /** It is over. */
  clear(name: string, text: string): void {
    const topic = this.#topics.get(name);
    if (topic?.trouble === undefined) return;
    topic.trouble = undefined;
    if (topic.isTold) this.#options.send(`Recovered: ${text}`);
    topic.isTold = false;
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
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      topic = {
        trouble: undefined,
        isTold: false,
        quietUntilMs: -Infinity,
        leftOut: 0,
        lastLeftOut: '',
        timer: undefined,
      };
      this.#topics.set(name, topic);
    }
    return topic;
  }

  #begin(topic: Topic, text: string, hasEnd = true): void {
    if (this.#now() >= topic.quietUntilMs) {
      this.#tell(topic, text);
      return;
    }
    topic.leftOut += 1;
    topic.lastLeftOut = text;
    topic.timer ??= setTimeout(() => {
      topic.timer = undefined;
      this.#catchUp(topic, hasEnd);
    }, topic.quietUntilMs - this.#now()).unref();
  }

  #catchUp(topic: Topic, hasEnd: boolean): void {
    const { leftOut, lastLeftOut, trouble } = topic;
    topic.leftOut = 0;
    const now = hasEnd ? `, now ${trouble === undefined ? 'over' : 'lasting'}` : '';
    const times = leftOut === 1 ? 'once more' : `${leftOut} times more`;
    this.#tell(topic, `${lastLeftOut} (${times} in ${inWords(this.#options.throttleMs)}${now})`);
  }

  #tell(topic: Topic, text: string): void {
    topic.isTold = topic.trouble !== undefined;
    topic.quietUntilMs = this.#now() + this.#options.throttleMs;
    this.#options.send(text);
  }
}

function inWords(ms: number): string {
  return ms >= 60_000 ? `${Math.round(ms / 60_000)} min` : `${ms / 1000} s`;
}
