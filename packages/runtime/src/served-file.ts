import type { ErrorCode, KeyTier } from '@ptn-api/protocol';
import type * as schemas from '@ptn-api/protocol/schemas';
import type { TSchema } from '@sinclair/typebox';

/** By the types alone: the library behind the schemas takes some 50 ms to load, which few processes need. */
type SchemaName = {
  [Name in keyof typeof schemas]: (typeof schemas)[Name] extends TSchema ? Name : never;
}[keyof typeof schemas];

/** How a file is read that is served as a whole. `json`: as it is. The others are too large, or many. */
export type FileLoader = 'json' | 'checkpoint' | 'miner-copying';

/**
 * How files are read that are served by miner: `members` of one map from hotkeys to values, or `limit-orders`, the folders
 * of the miners' waiting orders.
 */
export type MinersLoader = 'members' | 'limit-orders';

/**
 * What is kept of a miner's value: all of it (`whole`), the last element of a list, as a list (`latest`), the sums of a
 * debt ledger (`debt-summary`), the bucket of the challenge period (`bucket`), or the orders of one status.
 */
export type MinerView = 'whole' | 'latest' | 'debt-summary' | 'bucket' | OrderStatus;

/** Where an order that waits for its price stands. */
export const ORDER_STATUSES = ['unfilled', 'filled', 'cancelled'] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

interface FileOfValidator {
  /** Where it may lie below PTN_ROOT, as text or gzip; a change of any is looked at, and the newest is read. */
  readonly places: readonly [string, ...string[]];
  /** The age from which something is wrong with it; absent where it may be as old as it likes, or missing. */
  readonly maxAgeMs?: number;
}

interface FileRoute {
  readonly route: string;
  /** Keys below this tier do not get it; absent: every key does. */
  readonly minTier?: KeyTier;
  /** What is answered while there is none, and to keys below the tier; by default `PTN_ERR_FILE_…`. */
  readonly notFound?: ErrorCode;
  readonly tierAccess?: ErrorCode;
  /** In the OpenAPI document. */
  readonly summary: string;
  /** By name: only who describes or checks answers loads the schemas. */
  readonly schema: SchemaName;
}

/** A file of the validator that is served as a whole. */
export interface WholeFile extends FileOfValidator, FileRoute {
  readonly load: FileLoader;
}

/** A route that answers from a file that is kept by miner. With `{hotkey}` in it for one miner, else for all. */
export interface MinersRoute extends FileRoute {
  readonly view: MinerView;
  /**
   * The text of the answer. `$member` is the miner's view, `$members` the map of all of them, `$hotkey` the miner,
   * `$miners` and `$items` how many there are, and how many elements they have, `$time` when the file was written.
   */
  readonly answer: string;
  /** A query parameter that has another view shown where it is `true`. */
  readonly viewIf?: { readonly parameter: string; readonly view: MinerView };
  /** A query parameter with a hotkey, which has that miner shown alone. */
  readonly filter?: string;
  /** A query parameter: where it is `true`, only the validator itself can answer. */
  readonly forwardIf?: string;
}

/** A file of the validator, or a folder, that is kept by miner. */
export interface MinersFile extends FileOfValidator {
  readonly load: MinersLoader;
  /** The member of the file that is the map; absent: the file is. */
  readonly within?: string;
  readonly views: readonly [MinerView, ...MinerView[]];
  readonly routes: readonly MinersRoute[];
}

export type ServedFile = WholeFile | MinersFile;

/** Whether a row is one of those that are kept by miner. */
export function isMinersFile(file: ServedFile): file is MinersFile {
  return file.load === 'members' || file.load === 'limit-orders';
}
