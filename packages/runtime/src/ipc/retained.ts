import type { AnyTransaction, Topic, TopicValues } from './messages.ts';

/**
 * The retained messages: for every topic the latest value of every key. The supervisor keeps one for all topics and
 * hands its content to each worker that (re)starts. Values are kept as they came and never read.
 */
export class RetainedState {
  readonly #topics = new Map<Topic, Map<string, TopicValues[Topic]>>();

  /** Folds one transaction in: first `reset`, then `remove`, then `put`. */
  apply({ topic, reset, remove, put }: AnyTransaction): void {
    let values = this.#topics.get(topic);
    if (values === undefined || reset) {
      values = new Map();
      this.#topics.set(topic, values);
    }
    for (const key of remove) values.delete(key);
    for (const [key, value] of put) values.set(key, value);
  }

  applyAll(transactions: readonly AnyTransaction[]): void {
    for (const transaction of transactions) this.apply(transaction);
  }

  /** What is kept under one key; undefined when there is nothing. */
  get<T extends Topic>(topic: T, key: string): TopicValues[T] | undefined {
    // Only transactions of the topic itself were folded into its map.
    return this.#topics.get(topic)?.get(key) as TopicValues[T] | undefined;
  }

  /** The keys of one topic under which something is kept. */
  keys(topic: Topic): string[] {
    return [...(this.#topics.get(topic)?.keys() ?? [])];
  }

  /**
   * Everything, as one transaction with `reset` per topic that was ever written. A topic that is empty by now is among
   * them: that says that there is nothing, where a missing one would leave it not knowing yet.
   */
  snapshot(): AnyTransaction[] {
    return [...this.#topics].map(
      ([topic, values]) => ({ topic, reset: true, put: [...values], remove: [] }) as AnyTransaction,
    );
  }
}

/**
 * One transaction that does the same as `first` and then `second`: of every key only the newest value stays.
 *
 * @throws Error when they are of different topics.
 */
export function mergeTransactions(first: AnyTransaction, second: AnyTransaction): AnyTransaction {
  if (first.topic !== second.topic) {
    throw new Error(`transactions of ${first.topic} and ${second.topic} cannot be merged`);
  }
  if (second.reset) return second;

  const put = new Map<string, TopicValues[Topic]>(first.put);
  const remove = new Set<string>(first.remove);
  for (const key of second.remove) {
    put.delete(key);
    remove.add(key);
  }
  for (const [key, value] of second.put) put.set(key, value);
  return {
    topic: first.topic,
    reset: first.reset,
    put: [...put],
    // A value is put after the removals, so a key that comes back needs none; after a reset there is nothing to remove.
    remove: first.reset ? [] : [...remove].filter((key) => !put.has(key)),
  } as AnyTransaction;
}
