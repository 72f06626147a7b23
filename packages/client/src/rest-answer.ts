import type { DashboardMap, MinerPositions, MinerPositionsChanges, StreamOrder } from '@ptn-api/protocol';

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

/** One element of the statistics; which fields it has is up to the validator's version. */
export interface MinerStatistics {
  readonly hotkey: string;
  readonly [field: string]: unknown;
}

/** The statistics file. */
export interface StatisticsDocument {
  readonly data: readonly MinerStatistics[];
  readonly [field: string]: unknown;
}

/** A file of the validator that is passed through: its fields are up to the validator's version. */
export type ValidatorDocument = Readonly<Record<string, unknown>>;

/** What `GET /orders` answers. */
export interface OrdersPage {
  readonly messages: readonly StreamOrder[];
  readonly count: number;
  /** Orders that were asked for and are no longer in the log. */
  readonly gap?: { readonly from: number; readonly to: number };
  /** What to ask for orders since next. */
  readonly next: number;
  /** The newest order of the log. */
  readonly current_sequence: number;
  readonly epoch: string;
}

/** What `GET /readyz` answers. */
export interface Readiness {
  readonly isReady: boolean;
  /** Why requests should not be sent to the server now; empty where it is ready. */
  readonly reasons: readonly string[];
}
