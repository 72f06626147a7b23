import type { SummarizedPosition } from '@ptn-api/positions';
import type { PlacedBlock } from '../tasks/encode-miner.ts';
import type { SettledBlock } from '../tasks/settled-blocks.ts';

/** Files that are written every few seconds need not be checked to the millisecond: 7-day expiries are gathered. */
const STRIP_GRID_MS = 15_000;

/** The settled positions of a miner: compressed, and what the summary needs of each. */
export class SettledPart {
  readonly #blocks: SettledBlock[];
  readonly #positions: SummarizedPosition[];

  constructor(blocks: readonly SettledBlock[] = [], positions: readonly SummarizedPosition[] = []) {
    this.#blocks = [...blocks];
    this.#positions = [...positions];
  }

  /** In the order in which the blocks hold them. */
  get positions(): readonly SummarizedPosition[] {
    return this.#positions;
  }

  get blocks(): readonly SettledBlock[] {
    return this.#blocks;
  }

  /** The block that further positions are appended to. */
  get last(): PlacedBlock | undefined {
    const block = this.#blocks.at(-1);
    return block && [this.#blocks.length - 1, block];
  }

  /** Unix ms of the last close, -Infinity if there is none. */
  get lastCloseMs(): number {
    return this.#positions.at(-1)?.closeMs ?? -Infinity;
  }

  /** Unix ms at which a block holds price sources that are too old; Infinity if none ever will. */
  get stripMs(): number {
    const firstMs = Math.min(...this.#blocks.map((block) => block.stripMs));
    return Math.ceil(firstMs / STRIP_GRID_MS) * STRIP_GRID_MS;
  }

  /** Blocks with price sources that are too old by now. */
  outdated(now: number): PlacedBlock[] {
    return [...this.#blocks.entries()].filter(([, block]) => block.stripMs <= now);
  }

  /** Takes over positions that have settled, and the blocks that are new or in place of others. */
  append(blocks: readonly PlacedBlock[], positions: readonly SummarizedPosition[]): void {
    for (const [index, block] of blocks) this.#blocks[index] = block;
    this.#positions.push(...positions);
  }
}
