import type { Tier } from '@ptn-api/protocol';
import type { Segment } from '../gzip/segment.ts';
import { summaryFields, summaryText } from '../tiers/summary.ts';
import type { SummarizedPosition, SummaryFields } from '../tiers/summary.ts';
import type { EncodedMiner, EncodeMinerInput } from './encode-miner.ts';
import { groupsOf, joinGroups } from './live-groups.ts';
import type { LiveGroup } from './live-groups.ts';
import { summarized } from './settled-blocks.ts';
import type { EncodeOptions, PositionText, SettledBlock } from './settled-blocks.ts';

/** Files that are written every few seconds need not be checked to the millisecond: 7-day expiries are gathered. */
const STRIP_GRID_MS = 15_000;

/** A miner's value as segments: the settled ones, then those of a tier. */
export interface EncodedValue {
  readonly settled: readonly Segment[];
  readonly live: Readonly<Record<Tier, readonly Segment[]>>;
}

/** What an encoding was asked for, to know afterwards what it covers. */
export interface EncodingPlan {
  readonly input: EncodeMinerInput;
  /** The live positions in groups. */
  readonly groups: readonly LiveGroup[];
  readonly summary: SummaryFields | null;
}

/** What is encoded of a miner: settled positions in blocks, which no text is kept of, and live ones in groups. */
export class MinerEncoding {
  readonly #blocks: SettledBlock[];
  /** What the summary needs of each settled position, in the order in which the blocks hold them. */
  readonly #settled: SummarizedPosition[];
  #groups: readonly LiveGroup[] = [];
  #summary: SummaryFields | null = null;

  constructor(blocks: readonly SettledBlock[] = [], settled: readonly SummarizedPosition[] = []) {
    this.#blocks = [...blocks];
    this.#settled = [...settled];
  }

  get hasSettled(): boolean {
    return this.#settled.length > 0;
  }

  /** Unix ms of the last close among the settled positions, -Infinity if there is none. */
  get lastCloseMs(): number {
    return this.#settled.at(-1)?.closeMs ?? -Infinity;
  }

  /** For the order of miners; 1 while it is not known. */
  get thirtyDayReturns(): number {
    return this.#summary?.thirty_day_returns ?? 1;
  }

  /** Unix ms at which it must be done again although nothing was written. */
  get changeMs(): number {
    const stripMs = Math.min(...this.#blocks.map((block) => block.stripMs));
    return Math.min(
      ...this.#groups.map(({ encoded }) => encoded?.changeMs ?? Infinity),
      Math.ceil(stripMs / STRIP_GRID_MS) * STRIP_GRID_MS,
      this.#summary?.changeMs ?? Infinity,
    );
  }

  /** Live positions were encoded by a time that no longer holds. */
  forgetLive(): void {
    this.#groups = [];
  }

  /**
   * What has to be encoded.
   *
   * @param settling live positions that are settled by now, to be appended to the blocks
   * @param live those that remain, in order
   * @param rest the members besides positions; `null` where they are computed
   */
  plan(
    settling: readonly PositionText[],
    live: readonly PositionText[],
    rest: string | null,
    options: EncodeOptions,
  ): EncodingPlan {
    const { now } = options;
    const groups = groupsOf(live, this.#groups, now);
    const all = [...settling, ...live].map(({ facts }) => facts);
    const summary = rest === null ? summaryFields([...this.#settled, ...all], now) : null;
    const last = this.#blocks.at(-1);
    return {
      groups,
      summary,
      input: {
        ...options,
        outdated: [...this.#blocks.entries()].filter(([, block]) => block.stripMs <= now),
        ...(settling.length > 0 && last !== undefined ? { last: [this.#blocks.length - 1, last] } : {}),
        settling: settling.map(toText),
        groups: groups.filter(({ encoded }) => encoded === null).map((group) => group.positions.map(toText)),
        rest: summary === null ? (rest ?? '') : summaryText(summary),
      },
    };
  }

  /** Takes over what was encoded by a plan. Returns the miner's value. */
  take({ input, groups, summary }: EncodingPlan, result: EncodedMiner): EncodedValue {
    for (const [index, block] of result.blocks) this.#blocks[index] = block;
    this.#settled.push(...input.settling.map(({ facts }) => summarized(facts)));
    const encoded = result.groups.values();
    this.#groups = groups.map((group) =>
      group.encoded === null ? { ...group, encoded: encoded.next().value ?? null } : group,
    );
    this.#summary = summary;
    return {
      settled: this.#blocks.map(({ segment }) => segment),
      live: joinGroups(this.#groups, result.tails, this.hasSettled),
    };
  }
}

/** Without what a thread does not need. */
function toText({ text, facts }: PositionText): PositionText {
  return { text, facts };
}
