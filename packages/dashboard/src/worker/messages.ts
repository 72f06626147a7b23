import type { MinerPositions } from '@ptn-api/protocol';
import type { MinerRow } from '../model/miners.ts';
import type { EliminationRow, StatisticsRow } from '../model/statistics.ts';
import type { TapeRow } from '../model/tape.ts';

/** From the page to its worker. */
export type ToWorker =
  | { readonly type: 'start'; readonly apiKey: string; readonly restUrl: string; readonly wsUrl: string }
  /** Which miner is wanted with all positions, now and after every change. */
  | { readonly type: 'watch'; readonly hotkey: string | null };

type ConnectionState = 'connecting' | 'connected' | 'interrupted';

export interface ServerState {
  readonly connection: ConnectionState;
  /** Every order up to it is in what the page shows. */
  readonly sequence: number | null;
  readonly epoch: string | null;
  readonly generation: number | null;
  /** How far the server's clock is ahead of this computer's, in ms. */
  readonly clockOffsetMs: number;
  /** `null` until the server has said so. */
  readonly isReady: boolean | null;
  readonly reasons: readonly string[];
  /** When positions last changed, by this computer's clock; `null` until they did. */
  readonly changedMs: number | null;
  readonly lastFault: { readonly message: string; readonly atMs: number } | null;
}

/** From the worker to the page. */
export type FromWorker =
  /** The key is good and the first snapshot is there. */
  | { readonly type: 'started' }
  /** Final: the worker has stopped. `message` is shown to the reader; `isKeyRefused`: another key is needed. */
  | { readonly type: 'failed'; readonly message: string; readonly isKeyRefused: boolean }
  | { readonly type: 'miners'; readonly rows: readonly MinerRow[] }
  | { readonly type: 'miner'; readonly hotkey: string; readonly miner: MinerPositions | null }
  | { readonly type: 'orders'; readonly rows: readonly TapeRow[] }
  /** `writtenMs`: when the validator wrote them, Unix ms; `null` where it does not say. */
  | {
      readonly type: 'statistics';
      readonly rows: readonly StatisticsRow[];
      readonly writtenMs: number | null;
    }
  | { readonly type: 'eliminations'; readonly rows: readonly EliminationRow[] }
  | { readonly type: 'state'; readonly state: ServerState };
