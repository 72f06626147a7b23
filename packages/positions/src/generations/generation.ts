/** A record of a position, or of an order, as it was parsed. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** One form in which validators have written positions. */
export interface PositionGeneration {
  readonly name: string;
  /** Whether this generation wrote the record. Asked from the newest generation to the oldest; the oldest takes the rest. */
  readonly recognises: (record: JsonRecord, orders: readonly JsonRecord[]) => boolean;
  /**
   * What a tier is shown of a position some of whose orders are younger than 24 h: `cut`, as it stood before them by the
   * rules of `accounting.ts`; `whole`, as it is; `left-out`, nothing, as it cannot be cut and would tell of today.
   */
  readonly delayed: 'cut' | 'whole' | 'left-out';
}
