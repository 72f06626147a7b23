import { PAIRS } from '../trade-pairs.ts';
import type { RequestLimit } from './request-window.ts';
import { slippageV1, slippageV2 } from './slippage.ts';
import type { SlippageModel } from './slippage.ts';

/** What of the rules of orders changed from one generation of validators to the next. */
export interface OrderGeneration {
  readonly name: string;
  /** Ids of the pairs that are known. */
  readonly pairs: ReadonlySet<string>;
  readonly slippage: SlippageModel;
}

/** A generation whose intake is known as well. */
export interface IntakeGeneration extends OrderGeneration {
  readonly signalLimit: RequestLimit;
  readonly positionsLimit: RequestLimit;
  readonly dashDataLimit: RequestLimit;
  /** Between two orders of an open position. */
  readonly cooldownMs: number;
  /** Orders in all open positions of a miner, beyond which only FLAT is taken. */
  readonly maxOpenOrders: number;
  /** US dollars of leverage 1. */
  readonly capitalUsd: number;
  /** Uuids of accepted orders that are remembered, of all miners together. */
  readonly rememberedUuids: number;
  /** Pairs whose orders are refused although they are known. */
  readonly haltedPairs: ReadonlySet<string>;
  /** `timestamp.json` is not written more often than this. */
  readonly timestampEveryMs: number;
  /** Age up to which the price of a websocket is used without asking for candles. */
  readonly websocketMaxAgeMs: number;
  /** Age up to which the price of an order is corrected. */
  readonly priceCorrectionMs: number;
}

const LATER_PAIRS: ReadonlySet<string> = new Set(['ADAUSD', 'TAOUSD']);
const MINUTE_MS = 60_000;

/** Validators of May 2025. */
export const GENERATION_2025_05: IntakeGeneration = {
  name: '2025-05',
  pairs: new Set([...PAIRS.keys()].filter((id) => !LATER_PAIRS.has(id))),
  slippage: slippageV1,
  signalLimit: { maxRequests: 10, windowMs: MINUTE_MS },
  positionsLimit: { maxRequests: 1, windowMs: 4 * MINUTE_MS },
  dashDataLimit: { maxRequests: 1, windowMs: MINUTE_MS },
  cooldownMs: 10_000,
  maxOpenOrders: 200,
  capitalUsd: 100_000,
  rememberedUuids: 1000,
  haltedPairs: new Set(['SPX', 'DJI', 'NDX', 'VIX', 'FTSE', 'GDAXI']),
  timestampEveryMs: 60 * MINUTE_MS,
  websocketMaxAgeMs: 8000,
  priceCorrectionMs: 5 * MINUTE_MS,
};

/** Validators of November 2025, as far as it is known what they computed: their intake differs, too. */
export const GENERATION_2025_11: OrderGeneration = {
  name: '2025-11',
  pairs: new Set(PAIRS.keys()),
  slippage: slippageV2,
};
