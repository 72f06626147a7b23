import { minersFileTopic } from '@ptn-api/runtime';
import type { AnyTransaction, MinersFileHead, MinersFileMember, MinersFileName } from '@ptn-api/runtime';

/** A version of a file that is kept by miner. */
export interface MinersVersion {
  /** Every miner, in the order of the file. */
  readonly hotkeys: readonly string[];
  /** Those that are not as they are held; the next version is compared by their digests. */
  readonly changed: readonly {
    readonly hotkey: string;
    readonly digest: string;
    readonly views: MinersFileMember['views'];
  }[];
  readonly modifiedMs: number;
}

/** Publishes a file that is kept by miner: of a new version what changed in it. */
export class MinersFilePublisher {
  readonly #name: MinersFileName;
  readonly #publish: (transaction: AnyTransaction) => Promise<void>;
  #held = new Map<string, string>();
  /** Whether workers hold something that this one does not know. */
  #isFirst = true;
  #isThere = false;

  constructor(name: MinersFileName, publish: (transaction: AnyTransaction) => Promise<void>) {
    this.#name = name;
    this.#publish = publish;
  }

  /** Digests by hotkey of what was published. */
  get held(): ReadonlyMap<string, string> {
    return this.#held;
  }

  /** Whether workers are known to hold the file as it was published last. */
  get isThere(): boolean {
    return this.#isThere;
  }

  async version({ hotkeys, changed, modifiedMs }: MinersVersion): Promise<void> {
    const present = new Set(hotkeys);
    const held = new Map([...this.#held].filter(([hotkey]) => present.has(hotkey)));
    const remove = [...this.#held.keys()].filter((hotkey) => !present.has(hotkey));
    for (const { hotkey, digest } of changed) held.set(hotkey, digest);
    const head: MinersFileHead = { kind: 'miners-file-head', hotkeys, modifiedMs };
    await this.#send({
      reset: this.#isFirst,
      put: [
        ['head', head],
        ...changed.map(
          ({ hotkey, views }) => [`miner:${hotkey}`, { kind: 'miners-file-member', views }] as const,
        ),
      ],
      remove: remove.map((hotkey) => `miner:${hotkey}`),
    });
    this.#held = held;
    this.#isThere = true;
  }

  /** There is no such file. */
  async gone(): Promise<void> {
    if (!this.#isFirst && !this.#isThere) return;
    await this.#send({ reset: true, put: [], remove: [] });
  }

  /** Where this fails nobody knows whether it arrived: until it is handed over nothing counts as known. */
  async #send(
    change: Pick<AnyTransaction, 'reset' | 'remove'> & {
      readonly put: readonly (readonly [string, MinersFileHead | MinersFileMember])[];
    },
  ): Promise<void> {
    this.#held = new Map();
    this.#isFirst = true;
    this.#isThere = false;
    await this.#publish({ topic: minersFileTopic(this.#name), ...change });
    this.#isFirst = false;
  }
}
