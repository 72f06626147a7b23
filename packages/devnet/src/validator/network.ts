import { MetagraphFile, hasLostTooMany, lostHotkeys } from '@ptn-api/wire';
import type { Metagraph, Neuron } from '@ptn-api/wire';
import { isFileError } from './durable-folder.ts';
import type { DurableFolder } from './durable-folder.ts';

/** The network's metagraph as miners need it, below the root. */
export const METAGRAPH_PATH = 'devnet/metagraph.json';
const NETUID = 8;
/** Twice what miners want of a validator that they send to. */
const STAKE_RAO = 2_000_000_000_000n;

export interface AxonPlace {
  readonly ip: string;
  readonly port: number;
}

export interface NetworkOptions {
  readonly folder: DurableFolder;
  /** The validator's hotkey. */
  readonly validator: string;
  /** Hotkeys of simulated miners. */
  readonly traders: readonly string[];
  /** Path of a metagraph file with own miners, which may change. */
  readonly ownMiners: string | undefined;
  readonly warn: (text: string) => void;
}

/** So small a network has often lost half by intent: one miner that is replaced by another. */
const MIN_LOST = 2;

/** Stricter than the network's own rule, under which a small network may lose all: what it loses is eliminated. */
function isCutShort(before: Metagraph, after: Metagraph): boolean {
  const count = lostHotkeys(before, after);
  return hasLostTooMany(before, after) || (count >= MIN_LOST && count * 2 >= before.neurons.length);
}

/** Who is in the simulated network: the validator, the simulated miners, and those of a file. */
export class Network {
  readonly #options: NetworkOptions;
  readonly #file: MetagraphFile | undefined;
  #known: Metagraph | undefined;
  #isKnown = false;
  #isWritten = false;
  #hasFailed = false;

  /** @throws MetagraphError where the file cannot be read. */
  constructor(options: NetworkOptions) {
    this.#options = options;
    const { ownMiners: path, warn } = options;
    this.#file =
      path === undefined
        ? undefined
        : new MetagraphFile({
            path,
            isCutShort,
            warn: (_fields, text) => {
              warn(`${path}: ${text}`);
            },
          });
  }

  /** Who may send orders. */
  hotkeys(): readonly string[] {
    const own = this.#file?.current.neurons.map(({ hotkey }) => hotkey) ?? [];
    const { traders, validator } = this.#options;
    return [...new Set([...traders, ...own])].filter((hotkey) => hotkey !== validator);
  }

  /**
   * Whether the hotkeys are others than at the last call. The metagraph for the miners is written anew then; where that
   * fails, the next call tries again.
   *
   * @param axon where the validator answers.
   */
  hasChanged(axon: AxonPlace): boolean {
    const current = this.#file?.current;
    const hasChanged = !this.#isKnown || current !== this.#known;
    [this.#isKnown, this.#known] = [true, current];
    if (hasChanged) this.#isWritten = false;
    if (!this.#isWritten) this.#write(this.#text(axon, current));
    return hasChanged;
  }

  close(): void {
    this.#file?.close();
  }

  #write(text: string): void {
    const { folder, warn } = this.#options;
    try {
      // Somebody may have named this very file as that of own miners: it would change itself forever.
      if (folder.read(METAGRAPH_PATH) !== text) folder.write(METAGRAPH_PATH, text);
      this.#isWritten = true;
      this.#hasFailed = false;
    } catch (error) {
      if (!isFileError(error)) throw error;
      if (!this.#hasFailed) warn(`the metagraph for miners is old: ${error.message}`);
      this.#hasFailed = true;
    }
  }

  #text(axon: AxonPlace, own: Metagraph | undefined): string {
    const { validator } = this.#options;
    const neurons = new Map<string, object>([
      [validator, { stake_rao: String(STAKE_RAO), validator_trust: 0.99, axon }],
      ...this.hotkeys().map((miner): [string, object] => [miner, {}]),
      ...(own?.neurons ?? []).filter(({ hotkey }) => hotkey !== validator).map(rowOf),
    ]);
    const rows = [...neurons].map(([name, row], uid) => ({ uid, hotkey: name, ...row }));
    return `${JSON.stringify({ netuid: own?.netuid ?? NETUID, neurons: rows }, null, 2)}\n`;
  }
}

function rowOf({ hotkey, coldkey, stakeRao, validatorTrust, axon }: Neuron): [string, object] {
  const { ip, port, ipType, protocol } = axon;
  return [
    hotkey,
    {
      coldkey,
      stake_rao: String(stakeRao),
      validator_trust: validatorTrust,
      axon: { ip, port, ip_type: ipType, protocol },
    },
  ];
}
