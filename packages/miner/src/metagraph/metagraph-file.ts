import { readFileSync } from 'node:fs';
import { watch } from 'chokidar';
import type { FSWatcher } from 'chokidar';
import { MetagraphError, hasLostTooMany, parseMetagraph } from './parse-metagraph.ts';
import type { Metagraph } from './parse-metagraph.ts';

export interface MetagraphFileOptions {
  readonly path: string;
  readonly netuid: number;
  readonly warn: (fields: object, text: string) => void;
}

/** The file as it is now. @throws MetagraphError, which names the file. */
export function readMetagraphFile(path: string, netuid: number): Metagraph {
  let json: string;
  try {
    json = readFileSync(path, 'utf8');
  } catch (error) {
    throw new MetagraphError(`${path} cannot be read (${(error as Error).message})`, { cause: error });
  }
  try {
    const metagraph = parseMetagraph(json);
    if (metagraph.netuid === netuid) return metagraph;
    throw new MetagraphError(
      `netuid is ${metagraph.netuid}, and the miner was started with --netuid ${netuid}`,
    );
  } catch (error) {
    if (!(error instanceof MetagraphError)) throw error;
    throw new MetagraphError(`${path}: ${error.message}`, { cause: error });
  }
}

/** The metagraph as its file says. A file that does not read, or has lost too many hotkeys, leaves the last good one. */
export class MetagraphFile {
  readonly #options: MetagraphFileOptions;
  readonly #watcher: FSWatcher;
  #current: Metagraph;

  /** @throws MetagraphError where there is no good one to begin with. */
  constructor(options: MetagraphFileOptions) {
    this.#options = options;
    this.#current = readMetagraphFile(options.path, options.netuid);
    this.#watcher = watch(options.path, { ignoreInitial: true });
    this.#watcher.on('all', (event) => {
      if (event !== 'unlink') this.#reload();
    });
    this.#watcher.on('error', (error) => {
      options.warn({ err: error }, 'the metagraph file is no longer watched');
    });
  }

  get current(): Metagraph {
    return this.#current;
  }

  async close(): Promise<void> {
    await this.#watcher.close();
  }

  #reload(): void {
    const { path, netuid, warn } = this.#options;
    let metagraph: Metagraph;
    try {
      metagraph = readMetagraphFile(path, netuid);
    } catch (error) {
      if (!(error instanceof MetagraphError)) throw error;
      warn({}, `the metagraph stays as it was: ${error.message}`);
      return;
    }
    const [known, left] = [this.#current.neurons.length, metagraph.neurons.length];
    if (hasLostTooMany(this.#current, metagraph)) {
      warn({ known, left }, 'the metagraph stays as it was: the new one has lost a quarter of its hotkeys');
      return;
    }
    this.#current = metagraph;
  }
}
