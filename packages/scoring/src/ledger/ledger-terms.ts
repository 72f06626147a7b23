/** How ledgers of a generation are divided. */
export interface LedgerTerms {
  /** Length of a cell. */
  readonly cellMs: number;
  /** Older cells are dropped: those that all together cover more than this. */
  readonly windowMs: number;
}
