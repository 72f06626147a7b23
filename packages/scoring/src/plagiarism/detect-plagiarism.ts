import type { Position } from '@ptn-api/protocol';
import { rasterOf, statesByPair } from './position-states.ts';
import type { PositionState } from './position-states.ts';
import { following, laggedCosine } from './similarity.ts';

const FOLLOW_THRESHOLD = 0.75;
const REPORTING_THRESHOLD = 0.8;
/** Copying several miners at once is searched for among this many of the most similar. */
const COMBINATIONS = [
  ['two', 2],
  ['three', 3],
] as const;

export type PlagiarismEventType = 'follow' | 'lag' | 'single' | (typeof COMBINATIONS)[number][0];

export interface PlagiarismEvent {
  readonly type: PlagiarismEventType;
  readonly score: number;
}

export interface PlagiarismVictim {
  readonly victim: string;
  readonly victim_trade_pair: string;
  readonly events: readonly PlagiarismEvent[];
}

/** What `validation/plagiarism/miners/<hotkey>.json` says, besides its id and time. */
export interface PlagiarismReport {
  readonly plagiarist: string;
  /** 0 to 1. */
  readonly overall_score: number;
  readonly trade_pairs: Readonly<
    Record<string, { readonly plagiarist_trade_pair: string; readonly victims: readonly PlagiarismVictim[] }>
  >;
}

const NO_RASTER = new Float64Array(0);

interface Trader {
  readonly hotkey: string;
  readonly states: readonly PositionState[];
  readonly raster: Float64Array;
}

interface Suspicion {
  readonly pair: string;
  readonly victim: PlagiarismVictim;
  readonly follow: number;
  /** The highest of the similarities. */
  readonly score: number;
}

/** @param others all other miners, also those that did not trade the pair: they may be among the most similar, with 0. */
function suspicionsOf(pair: string, suspect: Trader, others: readonly Trader[]): Suspicion[] {
  const compared = others.map((victim) => {
    if (victim.states.length === 0) return { victim, follow: 0, single: 0, lagScore: 0 };
    const { follow, lag } = following(suspect.states, victim.states);
    const single = laggedCosine(suspect.raster, victim.raster, lag);
    const reverse = laggedCosine(victim.raster, suspect.raster, following(victim.states, suspect.states).lag);
    return { victim, follow, single, lagScore: reverse > 0 ? single / reverse : 0 };
  });
  const ranked = [...compared].sort((a, b) => b.single - a.single);
  const combined = COMBINATIONS.filter(([, count]) => ranked.length >= count).map(([type, count]) => {
    const best = ranked.slice(0, count);
    return { type, best, score: best.reduce((sum, { single }) => sum + single, 0) / count };
  });
  return compared.map((one) => {
    const { victim, follow, single, lagScore } = one;
    const several = combined
      .filter(({ best }) => best.includes(one))
      .map(({ type, score }): PlagiarismEvent => ({ type, score }));
    const events: PlagiarismEvent[] = [
      { type: 'follow', score: follow },
      { type: 'lag', score: lagScore },
      { type: 'single', score: single },
      ...several,
    ];
    const score = Math.max(0, single, ...several.map((event) => event.score));
    return { pair, victim: { victim: victim.hotkey, victim_trade_pair: pair, events }, follow, score };
  });
}

function reportOf(plagiarist: string, suspicions: readonly Suspicion[]): PlagiarismReport {
  const followed = suspicions.filter(({ follow }) => follow >= FOLLOW_THRESHOLD);
  const worst = followed.reduce<Suspicion | undefined>(
    (highest, one) => (one.score >= (highest?.score ?? 0) ? one : highest),
    undefined,
  );
  const certain = followed.filter(({ score }) => score >= REPORTING_THRESHOLD);
  const isSuspected = worst !== undefined && worst.score !== 0;
  const reported = certain.length === 0 && isSuspected ? [worst] : certain;
  const pairs = [...new Set(reported.map(({ pair }) => pair))].map((pair): [string, unknown] => [
    pair,
    {
      plagiarist_trade_pair: pair,
      victims: reported.filter((one) => one.pair === pair).map(({ victim }) => victim),
    },
  ]);
  return {
    plagiarist,
    overall_score: worst?.score ?? 0,
    trade_pairs: Object.fromEntries(pairs) as PlagiarismReport['trade_pairs'],
  };
}

/**
 * Who copies whose positions: reports on all miners that traded within 10 days of `nowMs` (Unix ms), by hotkey.
 *
 * @param positions by hotkey, of all miners that are not eliminated.
 */
export function detectPlagiarism(
  positions: ReadonlyMap<string, readonly Position[]>,
  nowMs: number,
): PlagiarismReport[] {
  const states = new Map(
    [...positions.keys()]
      .sort()
      .map((hotkey) => [hotkey, statesByPair(positions.get(hotkey) ?? [], nowMs)] as const)
      .filter(([, byPair]) => byPair.size > 0),
  );
  const pairs = [...new Set([...states.values()].flatMap((byPair) => [...byPair.keys()]))].sort();
  const traders = new Map(
    pairs.map((pair) => [
      pair,
      [...states].map(([hotkey, byPair]): Trader => {
        const own = byPair.get(pair) ?? [];
        return { hotkey, states: own, raster: own.length === 0 ? NO_RASTER : rasterOf(own, nowMs) };
      }),
    ]),
  );
  return [...states].map(([hotkey, byPair]) => {
    const suspicions = pairs.flatMap((pair) => {
      const own = traders.get(pair)?.find((trader) => trader.hotkey === hotkey);
      const others = traders.get(pair)?.filter((trader) => trader.hotkey !== hotkey) ?? [];
      return own === undefined || !byPair.has(pair) ? [] : suspicionsOf(pair, own, others);
    });
    return reportOf(hotkey, suspicions);
  });
}
