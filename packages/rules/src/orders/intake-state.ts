import type { JsonObject, JsonValue } from '@ptn-api/positions';
import type { Position } from '@ptn-api/protocol';
import type { IntakeGeneration } from './generations.ts';
import type { PricesAt } from './price-source.ts';
import type { RequestWindow } from './request-window.ts';
import type { SlippageFeatures } from './slippage-features.ts';

/** What intake must know of the validator. */
export interface ValidatorState {
  readonly hotkey: string;
  readonly generation: IntakeGeneration;
  readonly isStopping: boolean;
  readonly registeredHotkeys: ReadonlySet<string>;
  /** Rows of `eliminations.json` by hotkey. */
  readonly eliminations: ReadonlyMap<string, JsonValue>;
  /** Pairs that are halted besides those of the generation. */
  readonly haltedPairs: ReadonlySet<string>;
  /** See {@link rememberUuid}. */
  readonly processedUuids: ReadonlySet<string>;
  readonly timestamp: OrderTimestamp;
}

/** The time of the last order, which is written to a file now and then. Unix ms; `writtenMs` is absent before that. */
export interface OrderTimestamp {
  readonly lastOrderMs: number;
  readonly writtenMs?: number | undefined;
}

/** What intake must know of one miner: with a few positions, some kilobytes. */
export interface MinerState {
  readonly signals?: RequestWindow | undefined;
  readonly positionRequests?: RequestWindow | undefined;
  readonly dashDataRequests?: RequestWindow | undefined;
  /** By pair id, in the order in which they were opened. */
  readonly openPositions: ReadonlyMap<string, Position>;
}

export const NEW_MINER: MinerState = { openPositions: new Map() };

/** A signal whose sender is verified. */
export interface SignalRequest {
  readonly hotkey: string;
  /** As it was sent. */
  readonly signal: JsonObject;
  /** Of the order; empty where the miner leaves it to the validator. */
  readonly uuid: string;
}

/** What intake reads besides: the outside world at the moment of the order. */
export interface IntakeContext {
  /** Unix ms. */
  readonly nowMs: number;
  /** The prices of a pair now. */
  readonly pricesOf: (pairId: string) => PricesAt;
  /** Volatility and volume of a pair today; `undefined` where they are not known. */
  readonly slippageFeaturesOf: (pairId: string) => SlippageFeatures | undefined;
  /** A new uuid4. */
  readonly newUuid: () => string;
}

/**
 * Keeps the uuid of an accepted order in `uuids`, and drops the oldest beyond the generation's number. A validator that
 * starts should fill the set from the newest orders of its files: else the orders just before could be sent again.
 */
export function rememberUuid(uuids: Set<string>, uuid: string, { rememberedUuids }: IntakeGeneration): void {
  uuids.delete(uuid);
  uuids.add(uuid);
  for (const oldest of uuids) {
    if (uuids.size <= rememberedUuids) return;
    uuids.delete(oldest);
  }
}
