export { checkpointParts } from './checkpoint-text.ts';
export { eliminationText } from './elimination-text.ts';
export { CELL_FIELDS, ledgersFile, ledgerText } from './ledger-texts.ts';
export { outputFiles } from './outputs.ts';
export { readAccountSizes } from './read-account-sizes.ts';
export { readChallenge } from './read-challenge.ts';
export type { ChallengeReading } from './read-challenge.ts';
export { readEliminations } from './read-eliminations.ts';
export { isObject, readJsonFile } from './read-json.ts';
export { readLedgers } from './read-ledgers.ts';
export { inDashboardOrder, readPositionRecord, readPositions } from './read-positions.ts';
export type { PositionsReading } from './read-positions.ts';
export { SCORING_PATHS } from './scoring-paths.ts';
export {
  challengeText,
  eliminationsText,
  plagiarismText,
  statisticsFile,
  weightsText,
} from './scoring-texts.ts';
export { writePlagiarism, writePlainMaps } from './shapes.ts';
export { enclosed, mapOf, members } from './text-parts.ts';
export type { Parts } from './text-parts.ts';
