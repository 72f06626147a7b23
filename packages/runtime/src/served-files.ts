import type { ErrorCode, Tier } from '@ptn-api/protocol';
import type * as schemas from '@ptn-api/protocol/schemas';
import type { TSchema } from '@sinclair/typebox';

const HOUR_MS = 3_600_000;

/** By the types alone: the library behind the schemas takes some 50 ms to load, which few processes need. */
type SchemaName = {
  [Name in keyof typeof schemas]: (typeof schemas)[Name] extends TSchema ? Name : never;
}[keyof typeof schemas];

/** How a file is read. `json`: as a whole, as it is. The others are too large, or many. */
export type FileLoader = 'json' | 'checkpoint' | 'miner-copying';

/** A file of the validator that is served as a whole. */
export interface ServedFile {
  /** Where it may lie below PTN_ROOT; a change of any is noticed. */
  readonly places: readonly [string, ...string[]];
  readonly load: FileLoader;
  readonly route: string;
  /** Keys below this tier do not get it; absent: every key does. */
  readonly minTier?: Tier;
  /** What is answered while there is none, and to keys below the tier; by default `PTN_ERR_FILE_…`. */
  readonly notFound?: ErrorCode;
  readonly tierAccess?: ErrorCode;
  /** The age from which something is wrong with it; absent where it may be as old as it likes, or missing. */
  readonly maxAgeMs?: number;
  /** In the OpenAPI document. */
  readonly summary: string;
  /** By name: only who describes or checks answers loads the schemas. */
  readonly schema: SchemaName;
}

/**
 * The files that are served as a whole, by name. A further one is a row here, with its schema, a test, and its line in
 * README: who watches, reads, serves, documents and checks it reads this table.
 */
export const SERVED_FILES = {
  eliminations: {
    places: ['validation/eliminations.json'],
    load: 'json',
    route: '/eliminations',
    notFound: 'PTN_ERR_ELIMINATIONS_NOT_FOUND',
    // Written when something changes.
    maxAgeMs: 7 * 24 * HOUR_MS,
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
} as const satisfies Readonly<Record<string, ServedFile>>;

export type ServedFileName = keyof typeof SERVED_FILES;

/** The rows with their names. */
export const servedFiles = Object.entries(SERVED_FILES) as readonly (readonly [ServedFileName, ServedFile])[];

/** Of which each miner is served by itself. */
export const STATISTICS_FILE = { place: 'runnable/minerstatistics.json', maxAgeMs: HOUR_MS } as const;
