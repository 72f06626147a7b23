import { comparePositions } from '@ptn-api/positions';
import type { Position } from '@ptn-api/protocol';
import type { Elimination } from '@ptn-api/scoring';
import { pairsOf } from '../market/market.ts';
import type { MarketPair } from '../market/market.ts';
import { hasAccountSize, hasEntities } from '../generation.ts';
import type { Generation } from '../generation.ts';
import { createRandom } from '../random.ts';
import type { Random } from '../random.ts';
import { hotkeyOf } from './hotkey.ts';
import { subaccountAt, syntheticHotkey } from './subaccount.ts';
import type { Subaccount } from './subaccount.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A simulated miner and everything it did. */
export interface Miner {
  readonly hotkey: string;
  /** Where it trades for an entity, as some do since 2026. */
  readonly subaccount: Subaccount | undefined;
  readonly joinedMs: number;
  /** The form of its records. */
  readonly generation: Generation;
  /** The pairs it trades; at least one of crypto, so that it can act at any time. */
  readonly pairs: readonly MarketPair[];
  /** How often it guesses the direction right. */
  readonly skill: number;
  /** The median time it holds a position. */
  readonly holdingMs: number;
  /** US dollars; absent in the 2025 generation. */
  readonly accountSize: number | undefined;
  /** 0 to 1: how much it seems to copy. */
  readonly plagiarism: number;
  /** In no particular order. */
  readonly closed: Position[];
  /** By trade pair: a miner has at most one open position of a pair. */
  readonly open: Map<string, Position>;
  elimination: Elimination | undefined;
}

export interface MinerOptions {
  readonly seed: number;
  readonly index: number;
  readonly generation: Generation;
  /** The history's beginning and end, Unix ms. */
  readonly fromMs: number;
  readonly nowMs: number;
}

function pickSome<T>(random: Random, items: readonly T[], count: number): T[] {
  const rest = [...items];
  const picked: T[] = [];
  while (picked.length < count && rest.length > 0) {
    picked.push(...rest.splice(random.integer(rest.length), 1));
  }
  return picked;
}

/** A new miner without positions. */
export function createMiner(options: MinerOptions): Miner {
  const { seed, index, generation, fromMs, nowMs } = options;
  const random = createRandom(`${seed}/miner/${index}`);
  const ofClass = (assetClass: MarketPair['assetClass']): MarketPair[] =>
    pairsOf(generation).filter((pair) => pair.assetClass === assetClass);
  const joinedMs = Math.floor(fromMs + (nowMs - fromMs) * 0.6 * random.next() ** 2);
  const subaccount = hasEntities(generation) ? subaccountAt(seed, index) : undefined;
  const ownHotkey = hotkeyOf(random.bytes(32));
  return {
    hotkey: subaccount === undefined ? ownHotkey : syntheticHotkey(subaccount),
    subaccount,
    joinedMs,
    generation,
    pairs: [
      ...pickSome(random, ofClass('crypto'), 1 + random.integer(3)),
      ...pickSome(random, ofClass('forex'), 1 + random.integer(6)),
      ...pickSome(random, ofClass('equities'), random.integer(3)),
    ],
    skill: random.between(0.44, 0.6),
    holdingMs: 20 * MINUTE_MS * ((3 * DAY_MS) / (20 * MINUTE_MS)) ** random.next(),
    accountSize: hasAccountSize(generation) ? random.pick([25_000, 50_000, 100_000, 250_000]) : undefined,
    plagiarism: random.chance(0.85) ? 0 : Number(random.between(0.2, 0.98).toFixed(4)),
    closed: [],
    open: new Map(),
    elimination: undefined,
  };
}

function placeOf({ open_ms: openMs, close_ms: closeMs, position_uuid: positionUuid }: Position) {
  return { openMs, closeMs, positionUuid };
}

/** All positions of a miner in the order of the dashboard: closed ones as they closed, then open ones. */
export function positionsOf(miner: Miner): Position[] {
  const positions = [...miner.closed, ...miner.open.values()];
  return positions.sort((a, b) => comparePositions(placeOf(a), placeOf(b)));
}
