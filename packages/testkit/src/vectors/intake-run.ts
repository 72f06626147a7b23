import type { JsonObject } from '@ptn-api/positions';
import type { Position } from '@ptn-api/protocol';
import { NEW_MINER, rememberUuid, takeSignal } from '@ptn-api/rules';
import type {
  IntakeContext,
  IntakeResult,
  MinerState,
  PriceSource,
  PricesAt,
  SlippageFeatures,
  ValidatorState,
} from '@ptn-api/rules';
import { pairOf } from './pair-of.ts';

/** Volatility and volume as the recording describes them in words; the figures below are these. */
export const RECORDED_FEATURES =
  'every day: adv 100000 lots and vol 0.08 for forex, adv 40000000 shares and vol 0.4 for equities; ' +
  'base currency to USD: EUR 1.1 GBP 1.3 AUD 0.65 CAD 0.72 CHF 1.2 NZD 0.6 XAU 3200';
const BASE_TO_USD: Readonly<Record<string, number>> = {
  ...{ EUR: 1.1, GBP: 1.3, AUD: 0.65, CAD: 0.72, CHF: 1.2, NZD: 0.6, XAU: 3200, USD: 1 },
};

/** Volatility and volume of a pair on every day of the recording. */
export function recordedFeaturesOf(pairId: string): SlippageFeatures {
  return pairOf(pairId).assetClass === 'equities'
    ? { annualizedVolatility: 0.4, averageDailyVolume: 40_000_000 }
    : { annualizedVolatility: 0.08, averageDailyVolume: 100_000, baseToUsd: BASE_TO_USD[pairId.slice(0, 3)] };
}

/** One request of a recorded case. */
export interface IntakeStep {
  readonly at_ms: number;
  readonly hotkey: string;
  readonly method?: 'GetPositions';
  readonly version?: number;
  readonly signal?: { readonly trade_pair?: { readonly trade_pair_id?: string } };
  readonly miner_order_uuid?: string;
  readonly price_sources?: Readonly<Record<string, PriceSource>>;
  readonly answer: Readonly<Record<string, unknown>>;
  readonly files_removed?: readonly string[];
}

/** One validator from its start on. */
export class IntakeRun {
  readonly #state: ValidatorState;
  readonly #uuids = new Set<string>();
  readonly #miners = new Map<string, MinerState>();
  readonly accepted: Position[] = [];
  #timestamp: ValidatorState['timestamp'] = { lastOrderMs: 0 };
  #made = 0;

  constructor(state: Omit<ValidatorState, 'processedUuids' | 'timestamp'>) {
    this.#state = { ...state, processedUuids: this.#uuids, timestamp: this.#timestamp };
  }

  minerOf(hotkey: string): MinerState {
    return this.#miners.get(hotkey) ?? NEW_MINER;
  }

  get validator(): ValidatorState {
    return { ...this.#state, timestamp: this.#timestamp };
  }

  keep(hotkey: string, miner: MinerState): void {
    this.#miners.set(hotkey, miner);
  }

  take(
    { at_ms: nowMs, hotkey, miner_order_uuid: uuid = '' }: IntakeStep,
    signal: JsonObject,
    prices: PricesAt,
  ): IntakeResult {
    const context: IntakeContext = {
      nowMs,
      pricesOf: () => prices,
      slippageFeaturesOf: recordedFeaturesOf,
      newUuid: () => `new-uuid-${this.#made++}`,
    };
    const result = takeSignal(this.validator, this.minerOf(hotkey), { hotkey, signal, uuid }, context);
    this.keep(hotkey, result.miner);
    if (!result.ok) return result;
    this.#timestamp = result.timestamp;
    if (result.accepted !== undefined) {
      rememberUuid(this.#uuids, result.accepted.order.order_uuid, this.#state.generation);
      this.accepted.push(result.accepted.position);
    }
    return result;
  }
}
