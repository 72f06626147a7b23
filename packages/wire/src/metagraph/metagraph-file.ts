import { readFileSync, statSync } from 'node:fs';
import { MetagraphError, hasLostTooMany, lostHotkeys, parseMetagraph } from './parse-metagraph.ts';
import type { Metagraph } from './parse-metagraph.ts';

export interface MetagraphFileOptions {
  readonly path: string;
  /** The network that the file must be of; any without it. */
  readonly netuid?: number;
  /** Whether a file has lost so many hotkeys that it is not believed; by default by the network's rule. */
  readonly isCutShort?: (before: Metagraph, after: Metagraph) => boolean;
  readonly warn: (fields: object, text: string) => void;
}

/** The file as it is now. @throws MetagraphError, which names the file. */
export function readMetagraphFile(path: string, netuid?: number): Metagraph {
  let json: string;
  try {
    json = readFileSync(path, 'utf8');
  } catch (error) {
    throw new MetagraphError(`${path} cannot be read (${(error as Error).message})`, { cause: error });
  }
  try {
    const metagraph = parseMetagraph(json);
    if (netuid === undefined || metagraph.netuid === netuid) return metagraph;
    throw new MetagraphError(
      `netuid is ${metagraph.netuid}, and the miner was started with --netuid ${netuid}`,
    );
  } catch (error) {
    if (!(error instanceof MetagraphError)) throw error;
    throw new MetagraphError(`${path}: ${error.message}`, { cause: error });
  }
}

const CHECK_EVERY_MS = 1_000;

/** What changes with every change of a file, in whatever way it is made; what is wrong where there is none. */
function stampOf(path: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    return (error as Error).message;
  }
}

/** The metagraph as its file says. A file that does not read, or has lost too many hotkeys, leaves the last good one. */
export class MetagraphFile {
  readonly #options: MetagraphFileOptions;
  readonly #timer: NodeJS.Timeout;
  #stamp: string;
  #current: Metagraph;

  /** @throws MetagraphError where there is no good one to begin with. */
  constructor(options: MetagraphFileOptions) {
    this.#options = options;
    // Before it is read: what changes meanwhile is noticed then.
    this.#stamp = stampOf(options.path);
    this.#current = readMetagraphFile(options.path, options.netuid);
    this.#timer = setInterval(() => {
      this.#check();
    }, CHECK_EVERY_MS).unref();
  }

  get current(): Metagraph {
    return this.#current;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    const { path, netuid, isCutShort = hasLostTooMany, warn } = this.#options;
    const stamp = stampOf(path);
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    let metagraph: Metagraph;
    try {
      metagraph = readMetagraphFile(path, netuid);
    } catch (error) {
      if (!(error instanceof MetagraphError)) throw error;
      warn({}, `the metagraph stays as it was: ${error.message}`);
      return;
    }
    const [known, left] = [this.#current.neurons.length, metagraph.neurons.length];
    if (isCutShort(this.#current, metagraph)) {
      const lost = lostHotkeys(this.#current, metagraph);
      warn(
        { known, left },
        `the metagraph stays as it was: the new one has lost ${lost} of ${known} hotkeys (a restart takes it)`,
      );
      return;
    }
    this.#current = metagraph;
  }
}
