import { challengeBuckets } from '@ptn-api/scoring';
import type { ChallengeState } from '@ptn-api/scoring';
import { challengeText, writePlainMaps } from '@ptn-api/validator-files';
import type { Parts } from '@ptn-api/validator-files';
import { hasEntities, hasQuantities } from '../generation.ts';
import type { Generation } from '../generation.ts';
import type { Miner } from '../records/miners.ts';
import { accountSizesText } from './account-sizes.ts';
import { assetSelectionsText } from './asset-selection.ts';
import { entitiesText } from './entities.ts';
import { debtFile, emissionsFile, penaltiesFile } from './ledger-files.ts';
import { perfLedgersFile } from './perf-ledgers.ts';
import type { VantaHistory } from './vanta-history.ts';

/** A file that validators write besides positions, outputs, statistics, eliminations and checkpoint. */
export interface VantaFile {
  /** Below PTN_ROOT; gzip where it says so. */
  readonly path: string;
  readonly generations: readonly Generation[];
  readonly parts: (history: VantaHistory) => Parts;
}

const ALL: readonly Generation[] = ['quantity', '2026'];

function bucketsText(state: ChallengeState): string {
  return writePlainMaps(challengeBuckets(state));
}

/** Who is where in the challenge period, as `challengeperiod.json` and the checkpoint of a generation have it. */
export function challengePeriodText(generation: Generation, state: ChallengeState): string {
  return hasQuantities(generation) ? bucketsText(state) : challengeText(state);
}

/** What the checkpoint of a generation has besides, as JSON by name. */
export function checkpointMembers(generation: Generation, miners: readonly Miner[]): [string, string][] {
  if (!hasQuantities(generation)) return [];
  return [
    ['miner_account_sizes', accountSizesText(miners)],
    ['asset_selections', assetSelectionsText(miners)],
    ...(hasEntities(generation) ? [['entities', entitiesText(miners)] as [string, string]] : []),
  ];
}

/** Which file which generations write; the limit orders, a file each, are in `limit-orders.ts`. */
export const VANTA_FILES: readonly VantaFile[] = [
  {
    path: 'validation/challengeperiod.json',
    generations: ALL,
    parts: ({ scored }) => [bucketsText(scored.challenge)],
  },
  {
    path: 'validation/miner_account_sizes.json',
    generations: ALL,
    parts: ({ miners }) => [accountSizesText(miners)],
  },
  {
    path: 'validation/asset_selections.json',
    generations: ALL,
    parts: ({ miners }) => [assetSelectionsText(miners)],
  },
  { path: 'validation/entities.json', generations: ['2026'], parts: ({ miners }) => [entitiesText(miners)] },
  { path: 'validation/penalty_ledger.json.gz', generations: ALL, parts: penaltiesFile },
  { path: 'validation/emissions_ledger.json.gz', generations: ALL, parts: emissionsFile },
  { path: 'validation/debt_ledger.json.gz', generations: ALL, parts: debtFile },
  {
    path: 'validation/perf_ledgers.json.gz',
    generations: ['quantity'],
    parts: (history) => perfLedgersFile(history, true),
  },
  {
    path: 'validation/perf_ledgers.json.gz',
    generations: ['2026'],
    parts: (history) => perfLedgersFile(history, false),
  },
];
