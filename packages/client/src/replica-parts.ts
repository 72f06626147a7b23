import type { Tier } from '@ptn-api/protocol';
import type { ReplicaHead, StreamedPosition } from './replica-state.ts';
import { PtnRestError } from './rest-error.ts';
import type { ChangesAnswer, PositionsAnswer } from './rest-answer.ts';

/** The requests a replica makes; PtnRestClient has them. */
export interface ReplicaRest {
  positions(options: { readonly tier: Tier; readonly signal: AbortSignal }): Promise<PositionsAnswer>;
  positionsChanges(options: {
    readonly since: number;
    readonly tier: Tier;
    readonly signal: AbortSignal;
  }): Promise<ChangesAnswer>;
}

/** The stream a replica follows; PtnStreamClient is one. */
export interface ReplicaStream {
  /** Resolves at the first subscription, rejects where the server refuses for good. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** What a replica wants of its stream. */
export interface ReplicaStreamWishes {
  /** Every order after it, without a hole; else {@link onGap}. */
  readonly start: { readonly sequence: number; readonly epoch: string };
  readonly onOrders: (orders: readonly StreamedPosition[]) => void;
  /** Orders are missing, or the order log is another one. */
  readonly onGap: () => void;
  /** What the stream came back from or will try again after. */
  readonly onError: (error: Error) => void;
  /** The stream ended by itself and does not come back. */
  readonly onEnd: (error: Error) => void;
}

export interface ReplicaSettings {
  /** How often what has no order event is asked for: returns, corrections, deletions, summaries. 2 s by default. */
  readonly pollMs?: number;
  /** After orders came, it is asked for so soon. 300 ms by default. */
  readonly gatherMs?: number;
  /**
   * Which miners have another value now, and up to which order. The replica is consistent when it is called, and may
   * be read; what it throws ends the replica.
   */
  readonly onChange?: (hotkeys: readonly string[], sequence: number) => void;
  /** What went wrong and is tried again by the replica itself. */
  readonly onError?: (error: Error) => void;
}

export interface ReplicaOptions extends ReplicaSettings {
  readonly rest: ReplicaRest;
  readonly createStream: (wishes: ReplicaStreamWishes) => ReplicaStream;
}

/**
 * The head of an answer of the positions.
 *
 * @throws PtnRestError where a header is missing: the server keeps no order log yet, or something on the way drops it.
 */
export function headOf({ sequence, epoch, generation }: PositionsAnswer | ChangesAnswer): ReplicaHead {
  if (sequence === null || epoch === null || generation === null) {
    throw new PtnRestError(
      'the answer lacks X-Sequence, X-Epoch or X-Generation: the order log is not open yet, or the headers are lost on the way',
      { status: null, code: null, requestId: null, retryAfterMs: null },
    );
  }
  return { sequence, epoch, generation };
}

/** A key that REST does not accept will not be accepted later either. */
export function isRefusal(error: unknown): boolean {
  return error instanceof PtnRestError && (error.status === 401 || error.status === 403);
}

/** What was thrown, as an Error. */
export function asError(error: unknown): Error {
  return error instanceof Error
    ? error
    : new Error('something else than an Error was thrown', { cause: error });
}

/**
 * A worker of the server that lags behind can answer with less than is held already: its streamed orders would be lost.
 *
 * @throws PtnRestError, after which to try again.
 */
export function refuseOlder(head: ReplicaHead, epoch: string, sequence: number): void {
  if (head.epoch !== epoch || head.sequence >= sequence) return;
  throw new PtnRestError(
    `the snapshot is complete up to order ${head.sequence}, ${sequence} is held already: it is read again`,
    { status: null, code: null, requestId: null, retryAfterMs: null },
  );
}
