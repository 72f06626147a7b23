import type * as schemas from './schemas.ts';
import type { Described } from './schemas.ts';

/** Body of every error answer. */
export type ErrorBody = Described<typeof schemas.ErrorAnswer>;

/**
 * Body of `GET /miner-positions/changes`: everything that changed after generation `since` is in `miners`, or in `gone`
 * where it is no longer there.
 */
export type MinerPositionsChanges = Described<typeof schemas.Changes>;
