import { isJsonObject, parseJson } from '@ptn-api/positions';
import type { JsonObject } from '@ptn-api/positions';
import { GENERATION_2025_05, NEW_MINER, rememberUuid, takeSignal } from '@ptn-api/rules';
import type {
  IntakeContext,
  IntakeResult,
  MinerState,
  PriceSource,
  PricesAt,
  ValidatorState,
} from '@ptn-api/rules';

/** Wednesday 2025-05-14 14:00 UTC: every market but that of equities is open. */
export const WEDNESDAY_MS = 1_747_231_200_000;
export const HOTKEY = '5GzrAeiAshBr2yia5i1KqpnewJNzywxVMrSCbjm7U98RmNME';

export function websocketPrice(
  price: number,
  timeMs: number,
  changes: Partial<PriceSource> = {},
): PriceSource {
  return {
    ...{
      source: 'Polygon_ws',
      timespan_ms: 0,
      open: price,
      close: price,
      vwap: price,
      high: price,
      low: price,
    },
    ...{ start_ms: timeMs, websocket: true, lag_ms: 0, bid: 0, ask: 0 },
    ...changes,
  };
}

export function signalOf(text: string): JsonObject {
  const value = parseJson(text);
  if (!isJsonObject(value)) throw new Error(`no signal: ${text}`);
  return value;
}

/** The text of a signal for a pair. */
export function signalText(pair: string, type: string, leverage: number | string): string {
  return `{"trade_pair": {"trade_pair_id": "${pair}"}, "order_type": "${type}", "leverage": ${leverage}}`;
}

export interface SentSignal {
  readonly text: string;
  readonly uuid?: string;
  readonly nowMs?: number;
  readonly hotkey?: string;
  readonly prices?: PricesAt;
}

/** A validator of one test: keeps what intake wants kept. */
export class IntakeDesk {
  validator: ValidatorState;
  readonly uuids = new Set<string>();
  readonly miners = new Map<string, MinerState>();
  /** Files below PTN_ROOT by their path. */
  readonly files = new Map<string, string>();
  readonly context: Partial<IntakeContext>;
  #next = 0;

  constructor(validator: Partial<ValidatorState> = {}, context: Partial<IntakeContext> = {}) {
    this.context = context;
    this.validator = {
      hotkey: '5F1SbSUphHPPVt5yZuqPqWxSmFg4uBRQNCFEFzMwphEeQ5Bg',
      generation: GENERATION_2025_05,
      isStopping: false,
      registeredHotkeys: new Set([HOTKEY]),
      eliminations: new Map(),
      haltedPairs: new Set(),
      processedUuids: this.uuids,
      timestamp: { lastOrderMs: 0 },
      ...validator,
    };
  }

  send({
    text,
    uuid = `order-${this.#next++}`,
    nowMs = WEDNESDAY_MS,
    hotkey = HOTKEY,
    prices,
  }: SentSignal): IntakeResult {
    const miner = this.miners.get(hotkey) ?? NEW_MINER;
    const result = takeSignal(
      this.validator,
      miner,
      { hotkey, signal: signalOf(text), uuid },
      {
        nowMs,
        pricesOf: () => prices ?? { websocket: [websocketPrice(100, nowMs)], rest: [] },
        slippageFeaturesOf: () => ({
          annualizedVolatility: 0.08,
          averageDailyVolume: 100_000,
          baseToUsd: 1.1,
        }),
        newUuid: () => `new-${this.#next++}`,
        ...this.context,
      },
    );
    this.miners.set(hotkey, result.miner);
    if (!result.ok) return result;
    for (const { path, text: written } of result.files.write) this.files.set(path, written);
    for (const path of result.files.remove) this.files.delete(path);
    this.validator = { ...this.validator, timestamp: result.timestamp };
    const uuidKept = result.accepted?.order.order_uuid;
    if (uuidKept !== undefined) rememberUuid(this.uuids, uuidKept, this.validator.generation);
    return result;
  }

  /** The error of a signal; empty where it was taken. */
  errorOf(signal: SentSignal): string {
    return this.send(signal).answer.error_message;
  }
}
