import { createHash } from 'node:crypto';
import { JsonNumber } from '@ptn-api/positions';
import type { JsonObject, JsonValue } from '@ptn-api/positions';
import type { Position, TradePair } from '@ptn-api/protocol';
import { PAIRS, isMarketOpen, leverageBounds, portfolioCap, portfolioLeverage } from '@ptn-api/rules';
import type { IntakeGeneration } from '@ptn-api/rules';
import { Keypair } from '@ptn-api/wire';
import { chooseAction, createRandom, followUpSize, openingSize } from '@ptn-api/simulator';
import type { OrderSize, Random } from '@ptn-api/simulator';
import type { Prices } from '../validator/prices.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A little more than validators want between two orders of a position. */
const MIN_PAUSE_MS = 11_000;
/** Least and most orders of a trader in a day, on average; most are nearer to the least. */
const ORDERS_A_DAY = { least: 3, most: 30 };
/** From this share of the greatest portfolio leverage on it only closes positions. */
const FULL_SHARE = 0.9;
const CLOSING: OrderSize = { type: 'FLAT', leverage: 0 };
/** How many hours ahead a trader guesses. */
const HOURS_AHEAD = { least: 0.5, most: 48 };

export interface TraderOptions {
  readonly seed: number;
  /** The same seed and index are the same trader, with the same key. */
  readonly index: number;
  readonly generation: IntakeGeneration;
  readonly prices: Prices;
  /** What is not of its own choice. */
  readonly character?: Partial<TraderCharacter> | undefined;
}

/** What becomes of a trader, in the long run. */
export interface TraderCharacter {
  /** How often it guesses right where a price goes, 0 to 1. */
  readonly skill: number;
  /** How much larger than usual ones its first orders are; below 1 it also adds less to a position. */
  readonly appetite: number;
}

interface TradedPair {
  readonly id: string;
  readonly record: TradePair;
}

/** A number from a range, whose logarithm is evenly spread. */
function logarithmic(random: Random, { least, most }: { least: number; most: number }): number {
  return least * (most / least) ** random.next();
}

/** Pairs that have prices: of crypto and forex, one of crypto if there is one, so that there is always a market. */
function choosePairs(random: Random, generation: IntakeGeneration, { pairIds }: Prices): TradedPair[] {
  const known = [...PAIRS.values()].filter(({ id }) => generation.pairs.has(id) && pairIds.includes(id));
  const pick = (assetClass: string, share: number): typeof known =>
    known.filter((pair) => pair.assetClass === assetClass && random.chance(share));
  const crypto = pick('crypto', 0.4);
  const [first = known[0]] = known.filter(({ assetClass }) => assetClass === 'crypto');
  return [...(crypto.length === 0 && first !== undefined ? [first] : crypto), ...pick('forex', 0.15)];
}

/** A simulated miner: decides by chance and by a skill of its own when to send which signal. */
export class Trader {
  readonly keypair: Keypair;
  readonly #prices: Prices;
  readonly #random: Random;
  readonly #pairs: readonly TradedPair[];
  readonly #character: TraderCharacter;
  readonly #aheadMs: number;
  readonly #pauseMs: number;
  #nextMs: number | undefined;

  constructor({ seed, index, generation, prices, character }: TraderOptions) {
    const name = `${seed}/trader/${index}`;
    this.keypair = Keypair.fromSeed(createHash('sha256').update(`${name}/key`).digest());
    const random = createRandom(name);
    this.#random = random;
    this.#prices = prices;
    this.#pairs = choosePairs(random, generation, prices);
    const skill = random.between(0.35, 0.65);
    this.#aheadMs = logarithmic(random, HOURS_AHEAD) * HOUR_MS;
    this.#pauseMs = DAY_MS / logarithmic(random, ORDERS_A_DAY);
    const appetite = logarithmic(random, { least: 0.5, most: 6 });
    this.#character = { skill, appetite, ...character };
  }

  get hotkey(): string {
    return this.keypair.address;
  }

  /**
   * The signal that it sends now, or nothing: most of the time it waits.
   *
   * @param nowMs Unix ms.
   * @param open its open positions by pair id.
   */
  decide(nowMs: number, open: ReadonlyMap<string, Position>): JsonObject | undefined {
    const isDue = this.#nextMs !== undefined && nowMs >= this.#nextMs;
    if (isDue || this.#nextMs === undefined) {
      this.#nextMs = nowMs + Math.max(this.#random.exponential(this.#pauseMs), MIN_PAUSE_MS);
    }
    if (!isDue) return undefined;
    const pairs = this.#pairs.filter(({ id }) => canTrade(id, nowMs));
    if (pairs.length === 0) return undefined;
    const pair = this.#random.pick(pairs);
    const position = open.get(pair.id);
    if (portfolioLeverage(open.values()) >= portfolioCap(nowMs) * FULL_SHARE) {
      const held = pairs.filter(({ id }) => open.has(id));
      return held.length === 0 ? undefined : signalOf(this.#random.pick(held).id, CLOSING);
    }
    return signalOf(pair.id, position === undefined ? this.#opening(pair, nowMs) : this.#followUp(position));
  }

  #opening({ id, record }: TradedPair, nowMs: number): OrderSize {
    const { type, leverage } = openingSize(this.#random, record, this.#guess(id, nowMs));
    const [, , , minLeverage, maxLeverage] = record;
    const size = Math.min(Math.max(Math.abs(leverage) * this.#character.appetite, minLeverage), maxLeverage);
    return { type, leverage: size };
  }

  #followUp(position: Position): OrderSize {
    const size = followUpSize(this.#random, position, chooseAction(this.#random, position));
    const isAdding = size.leverage * position.net_leverage > 0;
    return isAdding ? { ...size, leverage: size.leverage * Math.min(1, this.#character.appetite) } : size;
  }

  #guess(pairId: string, nowMs: number): 1 | -1 {
    const [now, later] = [nowMs, nowMs + this.#aheadMs].map((timeMs) => {
      const { websocket, rest } = this.#prices.at(pairId, timeMs, Infinity);
      return (websocket[0] ?? rest[0])?.close;
    });
    const isRight = this.#random.chance(this.#character.skill);
    if (now === undefined || later === undefined) return isRight ? 1 : -1;
    return later > now === isRight ? 1 : -1;
  }
}

function canTrade(pairId: string, nowMs: number): boolean {
  const pair = PAIRS.get(pairId);
  return pair !== undefined && isMarketOpen(pair, nowMs) && (leverageBounds(pair, nowMs)?.max ?? 0) > 0;
}

function signalOf(pairId: string, { type, leverage }: OrderSize): JsonObject {
  return new Map<string, JsonValue>([
    ['trade_pair', new Map([['trade_pair_id', pairId]])],
    ['order_type', type],
    ['leverage', JsonNumber.float(Number(Math.abs(leverage).toFixed(4)))],
  ]);
}
