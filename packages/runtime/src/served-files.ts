import { isMinersFile } from './served-file.ts';
import type { FileLoader, MinersFile, MinersLoader, ServedFile, WholeFile } from './served-file.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * The validator's files that are served, by name. A further one is a row here, with its schema, a test, and its line in
 * README: who watches, reads, serves, documents and checks it reads this table.
 */
export const SERVED_FILES = {
  eliminations: {
    places: ['validation/eliminations.json'],
    load: 'json',
    route: '/eliminations',
    notFound: 'PTN_ERR_ELIMINATIONS_NOT_FOUND',
    // Written when something changes.
    maxAgeMs: 7 * DAY_MS,
    summary: 'Miners that were eliminated',
    schema: 'Eliminations',
  },
  checkpoint: {
    places: ['runnable/validator_checkpoint.json', 'runnable/validator_checkpoint.json.gz'],
    load: 'checkpoint',
    route: '/validator-checkpoint',
    minTier: 100,
    notFound: 'PTN_ERR_CHECKPOINT_NOT_FOUND',
    tierAccess: 'PTN_ERR_CHECKPOINT_TIER_ACCESS',
    maxAgeMs: HOUR_MS,
    summary: "The validator's checkpoint, for keys of tier 100",
    schema: 'ValidatorFile',
  },
  'miner-copying': {
    places: ['validation/miner_copying.json', 'validation/plagiarism/miners'],
    load: 'miner-copying',
    route: '/miner-copying',
    notFound: 'PTN_ERR_COPYING_NOT_FOUND',
    summary: 'Which miners copy from others',
    schema: 'ValidatorFile',
  },
  'debt-ledger': {
    places: ['validation/debt_ledger.json.gz'],
    load: 'members',
    within: 'ledgers',
    views: ['whole', 'debt-summary'],
    // Written every 12 h, and at each build.
    maxAgeMs: 2 * DAY_MS,
    routes: [
      {
        route: '/debt-ledger',
        view: 'debt-summary',
        answer: '$members',
        notFound: 'PTN_ERR_LEDGER_DEBT_NOT_FOUND',
        summary: 'Debt ledgers of all miners, summed up',
        schema: 'DebtSummaries',
      },
      {
        route: '/debt-ledger/{hotkey}',
        view: 'whole',
        answer: '$member',
        notFound: 'PTN_ERR_LEDGER_DEBT_NOT_FOUND',
        summary: "One miner's debt ledger",
        schema: 'DebtLedger',
      },
    ],
  },
  'emissions-ledger': {
    places: ['validation/emissions_ledger.json.gz'],
    load: 'members',
    within: 'ledgers',
    views: ['whole'],
    maxAgeMs: 2 * DAY_MS,
    routes: [
      {
        route: '/emissions-ledger/{hotkey}',
        view: 'whole',
        answer: '$member',
        notFound: 'PTN_ERR_LEDGER_EMISSIONS_NOT_FOUND',
        summary: "One miner's emissions",
        schema: 'EmissionsLedger',
      },
    ],
  },
  'penalty-ledger': {
    places: ['validation/penalty_ledger.json.gz'],
    load: 'members',
    within: 'ledgers',
    views: ['whole'],
    maxAgeMs: 2 * DAY_MS,
    routes: [
      {
        route: '/penalty-ledger/{hotkey}',
        view: 'whole',
        answer: '$member',
        notFound: 'PTN_ERR_LEDGER_PENALTY_NOT_FOUND',
        summary: "One miner's penalties",
        schema: 'PenaltyLedger',
      },
    ],
  },
  'perf-ledger': {
    places: ['validation/perf_ledgers.json.gz', 'validation/perf_ledgers.json'],
    load: 'members',
    views: ['whole'],
    // Written every 5 minutes.
    maxAgeMs: HOUR_MS,
    routes: [
      {
        route: '/perf-ledger/{hotkey}',
        view: 'whole',
        answer: '{$hotkey: $member}',
        notFound: 'PTN_ERR_LEDGER_PERF_NOT_FOUND',
        summary: "One miner's performance ledgers",
        schema: 'PerfLedger',
      },
    ],
  },
  collateral: {
    places: ['validation/miner_account_sizes.json'],
    load: 'members',
    views: ['whole', 'latest'],
    routes: [
      {
        route: '/collateral/',
        view: 'whole',
        viewIf: { parameter: 'most_recent', view: 'latest' },
        filter: 'hotkey',
        answer:
          '{"status": "success", "data": $members, "miner_count": $miners, "total_records": $items, "timestamp": $time}',
        summary: "Miners' account sizes",
        schema: 'Collateral',
      },
    ],
  },
  'miner-selections': {
    places: ['validation/asset_selections.json'],
    load: 'members',
    views: ['whole'],
    routes: [
      {
        route: '/miner-selections',
        view: 'whole',
        answer: '{"miner_selections": $members, "total_miners": $miners, "timestamp": $time}',
        summary: 'The class of assets that each miner has chosen',
        schema: 'MinerSelections',
      },
    ],
  },
  'challenge-period': {
    places: ['validation/challengeperiod.json'],
    load: 'members',
    views: ['bucket'],
    routes: [
      {
        route: '/challenge-period/{hotkey}',
        view: 'bucket',
        answer: '{"status": "success", "hotkey": $hotkey, "timestamp": $time, "challenge_period": $member}',
        forwardIf: 'history',
        notFound: 'PTN_ERR_MINER_NOT_FOUND',
        summary: 'Where a miner stands in its challenge period',
        schema: 'ChallengePeriod',
      },
    ],
  },
  entities: {
    places: ['validation/entities.json'],
    load: 'members',
    views: ['whole'],
    routes: [
      {
        route: '/entities',
        view: 'whole',
        answer: '{"status": "success", "entities": $members, "entity_count": $miners, "timestamp": $time}',
        minTier: 200,
        tierAccess: 'PTN_ERR_POSITIONS_TIER_ACCESS',
        summary: 'Entities and their subaccounts, for keys of tier 200',
        schema: 'Entities',
      },
      {
        route: '/entity/{hotkey}',
        view: 'whole',
        answer: '{"status": "success", "entity": $member}',
        minTier: 200,
        notFound: 'PTN_ERR_ENTITY_NOT_FOUND',
        tierAccess: 'PTN_ERR_POSITIONS_TIER_ACCESS',
        summary: 'One entity and its subaccounts, for keys of tier 200',
        schema: 'EntityAnswer',
      },
    ],
  },
  'limit-orders': {
    places: ['validation/miners'],
    load: 'limit-orders',
    views: ['unfilled', 'filled', 'cancelled'],
    // In routes/miner-orders.ts, as positions hold filled ones too.
    routes: [],
  },
} as const satisfies Readonly<Record<string, ServedFile>>;

type NamesOf<Loader> = {
  [N in keyof typeof SERVED_FILES]: (typeof SERVED_FILES)[N]['load'] extends Loader ? N : never;
}[keyof typeof SERVED_FILES];

/** Names of files that are served as a whole. */
export type ServedFileName = NamesOf<FileLoader>;
/** Names of files that are kept by miner. */
export type MinersFileName = NamesOf<MinersLoader>;

const rows: readonly (readonly [string, ServedFile])[] = Object.entries(SERVED_FILES);

/** The rows of the files that are served as a whole, with their names. */
export const wholeFiles = rows.filter(([, file]) => !isMinersFile(file)) as readonly (readonly [
  ServedFileName,
  WholeFile,
])[];

/** The rows of the files that are kept by miner, with their names. */
export const minersFiles = rows.filter(([, file]) => isMinersFile(file)) as readonly (readonly [
  MinersFileName,
  MinersFile,
])[];

/** Of which each miner is served by itself. */
export const STATISTICS_FILE = { place: 'runnable/minerstatistics.json', maxAgeMs: HOUR_MS } as const;
