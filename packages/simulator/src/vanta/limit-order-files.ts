import type { ValidatorFolder } from '../files/validator-folder.ts';
import { limitOrders } from './limit-orders.ts';
import type { LimitOrdersInput } from './limit-orders.ts';

/** The files of limit orders in the miners' folders, kept as the orders stand. */
export class LimitOrderFiles {
  readonly #folder: ValidatorFolder;
  /** By path, as they are on disk. */
  #written: ReadonlyMap<string, string> = new Map();

  constructor(folder: ValidatorFolder) {
    this.#folder = folder;
  }

  /** Writes what changed and removes what is gone; an order that is filled or cancelled moves to another folder. */
  write(input: LimitOrdersInput): void {
    const wanted = new Map([...limitOrders(input)].map(({ path, text }) => [path, text]));
    for (const path of this.#written.keys()) if (!wanted.has(path)) this.#folder.remove(path);
    for (const [path, text] of wanted) {
      if (this.#written.get(path) !== text) this.#folder.write(path, text);
    }
    this.#written = wanted;
  }
}
