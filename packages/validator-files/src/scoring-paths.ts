/** The files that scoring writes, below PTN_ROOT; outputs and tiers are in `outputs.ts`. */
export const SCORING_PATHS = {
  challenge: 'validation/challengeperiod.json',
  ledgers: 'validation/perf_ledgers.json',
  liquidations: 'validation/perf_ledger_eliminations.json',
  /** In place of the chain, which validators set their weights on. */
  weights: 'validation/weights.json',
  /** A folder with a file for each miner. */
  plagiarism: 'validation/plagiarism/miners',
  statistics: 'runnable/minerstatistics.json',
  checkpoint: 'runnable/validator_checkpoint.json',
} as const;
