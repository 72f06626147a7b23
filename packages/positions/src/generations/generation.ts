import type { Member } from '../json/slice.ts';

/** A record of a position, or of an order, as it was parsed. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** A position that `readPosition` accepted. */
export type PositionRecord = JsonRecord & {
  readonly position_uuid: string;
  readonly trade_pair: readonly unknown[];
  readonly orders: readonly JsonRecord[];
};

/** A record with the text that it was parsed from. */
export interface RecordText {
  readonly text: string;
  readonly record: PositionRecord;
  /** Of the text, those that count. */
  readonly members: ReadonlyMap<string, Member>;
}

/** JSON texts by the name of the member they belong to. */
export type MemberTexts = ReadonlyMap<string, string>;

/** What a record holds after some of its orders. */
export type Rebuild =
  | {
      readonly ok: true;
      /** Members of the position that follow from the orders, in the order in which the validator writes them. */
      readonly members: MemberTexts;
      /** By the index of the order: its members that the validator writes anew. */
      readonly orders: ReadonlyMap<number, MemberTexts>;
      /** An order that the validator adds behind them. */
      readonly added: string | null;
      /** False where the trade pair had to be judged by the fee in the record. */
      readonly isPairKnown: boolean;
    }
  | { readonly ok: false; readonly reason: string };

/**
 * Rebuilds one record again and again.
 *
 * @param kept indexes of at least one order, rising.
 * @param isPast whether something of this time (Unix ms) may be in it.
 */
export type Rebuilder = (kept: readonly number[], isPast: (timeMs: number) => boolean) => Rebuild;

/** How records of a generation are brought to the state after some of their orders. */
export interface CutRules {
  /**
   * What a position and its orders may hold there. Any other member stands in today's file and may show something of
   * today: a newer validator writes it, or a miner's own program.
   */
  readonly positionMembers: ReadonlySet<string>;
  readonly orderMembers: ReadonlySet<string>;
  readonly rebuilder: (input: RecordText) => Rebuilder;
  /**
   * Times (Unix ms) of what stands beside the orders and is cut as they are: the position changes when one of them
   * passes the cutoff. Infinity for what is never known to be past.
   */
  readonly entryTimesMs?: (record: JsonRecord) => readonly number[];
  /** That of it which is past, as texts of the record's members: where all orders are shown. */
  readonly pastEntries?: (input: RecordText, isPast: (timeMs: number) => boolean) => MemberTexts;
}

/** One form in which validators have written positions. */
export type PositionGeneration = {
  readonly name: string;
  /** Whether this generation wrote the record. Asked from the newest generation to the oldest; the oldest takes the rest. */
  readonly recognises: (record: JsonRecord, orders: readonly JsonRecord[]) => boolean;
  /**
   * Whether a position is delayed by its youngest order, wherever that stands. Validators up to December 2025 go by the close,
   * or by the last order in the list, and show an earlier one with it that is younger.
   */
  readonly delayedByYoungest?: true;
  /** The fee in the trade pair of a message of the order stream, where it is another than in the record. */
  readonly streamedFee?: (tradePair: readonly unknown[]) => number | undefined;
} & (
  | {
      /**
       * What a tier is shown of a position some of whose orders are younger than 24 h: `cut`, as it stood before them;
       * `whole`, as it is; `left-out`, nothing, as it cannot be cut and would show something of today.
       */
      readonly delayed: 'cut';
      readonly rules: CutRules;
    }
  | { readonly delayed: 'whole' | 'left-out' }
);
