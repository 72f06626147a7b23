import type { DashboardMap, MinerPositions, MinerPositionsChanges } from '@ptn-api/protocol';
import type * as schemas from '@ptn-api/protocol/schemas';
import type { Described } from '@ptn-api/protocol/schemas';

/** An answer of the REST API. `value` may be kept and shown again for a 304: read it, do not change it. */
export interface RestAnswer<Value> {
  readonly value: Value;
  /** `X-Sequence`: the value holds every order of the stream up to it. `null` where the server does not say. */
  readonly sequence: number | null;
  /** `X-Epoch`: the order log that `sequence` belongs to. */
  readonly epoch: string | null;
  /** `X-Generation`: what to ask for changes since. */
  readonly generation: number | null;
  /** The server said that the value is the same as in the last answer. */
  readonly isNotModified: boolean;
}

export type PositionsAnswer = RestAnswer<DashboardMap>;
export type MinerAnswer = RestAnswer<MinerPositions>;
export type ChangesAnswer = RestAnswer<MinerPositionsChanges>;

/** Members that newer versions of the validator write, besides those that are known. */
type Further = Readonly<Record<string, unknown>>;

/** One element of the statistics; which members it has is up to the validator's version. */
export type MinerStatistics = Described<typeof schemas.StatisticsMiner> & Further;

/** The statistics file. */
export type StatisticsDocument = Omit<Described<typeof schemas.Statistics>, 'data'> & {
  readonly data: readonly MinerStatistics[];
} & Further;

/** The file of eliminations, in either of its forms. */
export type EliminationsDocument = Described<typeof schemas.Eliminations>;

/** A file of the validator that is passed through: its form is up to the validator's version. */
export type ValidatorDocument = Described<typeof schemas.ValidatorFile>;

/** What `GET /orders` answers. */
export type OrdersPage = Described<typeof schemas.Orders>;

/** What `GET /readyz` answers. */
export interface Readiness {
  readonly isReady: boolean;
  /** Why requests should not be sent to the server now; empty where it is ready. */
  readonly reasons: readonly string[];
}
