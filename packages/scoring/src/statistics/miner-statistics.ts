import { hotkeysIn } from '../challenge/buckets.ts';
import type { BucketEntry, ChallengeState } from '../challenge/buckets.ts';
import { cumulativeCells, dailyReturnRows } from '../daily-returns.ts';
import { maxDrawdown } from '../drawdown.ts';
import type { Generation } from '../generations/generation.ts';
import { PORTFOLIO } from '../ledger/checkpoint.ts';
import { annualVolatility } from '../metrics/averages.ts';
import { downsideVolatility } from '../metrics/metrics.ts';
import type { MinerRecord } from '../miner-record.ts';
import { riskPenaltyOfScore, riskProfileScore, riskReport } from '../penalties/risk-profile.ts';
import type { RiskReport } from '../penalties/risk-profile.ts';
import { penaltiesOf, segmentDays } from '../score-miners.ts';
import type { Weights } from '../weights/weigh-rule.ts';
import { shownMetrics } from './metric-scores.ts';
import type { ShownMetrics } from './metric-scores.ts';
import { rankAll } from './ranked-value.ts';
import type { RankedValue } from './ranked-value.ts';
import { validatorConstants } from './validator-constants.ts';

const MAX_VOLATILITY = 100;

export interface StatisticsInput {
  /** Unix ms. */
  readonly nowMs: number;
  readonly generation: Generation;
  /** Of the validator, such as `6.0.0`. */
  readonly version: string;
  readonly state: ChallengeState;
  /** In the order in which equal ones are ranked. */
  readonly miners: readonly MinerRecord[];
  readonly weights: Weights;
  /** By hotkey: the overall scores of the plagiarism reports. */
  readonly plagiarism: ReadonlyMap<string, number>;
  readonly withCheckpoints: boolean;
  readonly withRiskReport?: boolean;
  /** Whether metrics are shown however few days there are. */
  readonly bypassConfidence?: boolean;
}

/** One miner of the file, members in the order in which validators write them. */
export interface MinerStatistics {
  readonly hotkey: string;
  readonly challengeperiod: Readonly<Record<string, unknown>>;
  /** All days alike. */
  readonly scores: ShownMetrics;
  /** Later days weigh more. */
  readonly augmented_scores: ShownMetrics;
  readonly daily_returns: readonly { readonly date: string; readonly value: number }[];
  readonly volatility: { readonly annual: number; readonly annual_downside: number };
  readonly drawdowns: { readonly max_drawdown: number };
  readonly plagiarism: number | null;
  readonly engagement: Readonly<Record<string, number | boolean>>;
  readonly risk_profile: { readonly risk_profile_score: number; readonly risk_profile_penalty: number };
  readonly penalties: Readonly<Record<string, number>>;
  readonly weight: RankedValue;
  readonly risk_profile_report?: Readonly<Record<string, RiskReport>>;
  readonly checkpoints?: ReturnType<typeof cumulativeCells>;
}

/** `minerstatistics.json`. */
export interface MinerStatisticsFile {
  readonly version: string;
  readonly created_timestamp_ms: number;
  /** `YYYY-MM-DD HH:MM:SS`, UTC. */
  readonly created_date: string;
  readonly data: readonly MinerStatistics[];
  readonly constants: Readonly<Record<string, number | string>>;
}

function challengeRow(
  { bucket, startMs }: BucketEntry,
  nowMs: number,
  { challenge }: Generation,
): Record<string, unknown> {
  if (bucket === 'MAINCOMP') return { status: 'success', start_time_ms: startMs };
  const remainingMs = Math.max((startMs ?? nowMs) + challenge.challengeMs - nowMs, 0);
  return { status: 'testing', start_time_ms: startMs, remaining_time_ms: remainingMs };
}

function engagementOf(
  { ledgers, scoringPositions: positions }: MinerRecord,
  tradingDays: number,
  minimumDays: number,
): Record<string, number | boolean> {
  const cells = ledgers?.get(PORTFOLIO)?.cps ?? [];
  const profitable = positions.filter(({ return_at_close: worth }) => worth > 1).length;
  return {
    n_checkpoints: cells.filter(({ open_ms: openMs }) => openMs > 0).length,
    n_positions: positions.length,
    position_duration: positions.reduce(
      (sum, { open_ms, close_ms }) => sum + (close_ms ?? open_ms) - open_ms,
      0,
    ),
    checkpoint_durations: cells.reduce((sum, { open_ms: openMs }) => sum + openMs, 0),
    minimum_days_boolean: tradingDays >= minimumDays,
    percentage_profitable: positions.length === 0 ? 0 : profitable / positions.length,
  };
}

/** The part of a miner that depends on no other. */
function ownStatistics(
  miner: MinerRecord,
  { generation, withCheckpoints, withRiskReport = false }: StatisticsInput,
): Omit<
  MinerStatistics,
  'hotkey' | 'challengeperiod' | 'scores' | 'augmented_scores' | 'plagiarism' | 'weight'
> {
  const { segments, minimumDays: minimumDaysOf } = generation;
  const ledger = miner.ledgers?.get(PORTFOLIO);
  const days = segments.flatMap((segment) => [segmentDays(miner, segment, generation)])[0] ?? [];
  const minimumDays = minimumDaysOf([days.length]);
  const [segment] = segments;
  const daysInYear = segment?.daysInYear ?? 365;
  const returns = days.map(({ logReturn }) => logReturn);
  const downside = downsideVolatility({
    returns,
    pnl: [],
    drawdown: 1,
    isWeighted: false,
    bypassConfidence: true,
    terms: { ...generation.metricTerms, daysInYear, minimumDays },
  });
  const riskScore = riskProfileScore(miner.scoringPositions);
  const { byName, total } = penaltiesOf(miner, miner.scoringPositions, generation);
  return {
    daily_returns: dailyReturnRows(days),
    volatility: {
      annual: Math.min(annualVolatility(returns, daysInYear), MAX_VOLATILITY),
      annual_downside: Math.min(downside, MAX_VOLATILITY),
    },
    drawdowns: { max_drawdown: maxDrawdown(ledger ?? { cps: [] }) },
    engagement: engagementOf(miner, days.length, minimumDays),
    risk_profile: {
      risk_profile_score: riskScore,
      risk_profile_penalty: riskPenaltyOfScore(riskScore),
    },
    penalties: { ...byName, total },
    ...(withRiskReport
      ? {
          risk_profile_report: Object.fromEntries(
            miner.scoringPositions.map((position) => [position.position_uuid, riskReport(position)]),
          ),
        }
      : {}),
    ...(withCheckpoints ? { checkpoints: ledger === undefined ? [] : cumulativeCells(ledger) } : {}),
  };
}

/** The file that a validator writes of its miners: those that have a weight, the highest first. */
export function minerStatistics(input: StatisticsInput): MinerStatisticsFile {
  const { nowMs, generation, version, state, weights, plagiarism, bypassConfidence = false } = input;
  const inBucket = (...buckets: Parameters<typeof hotkeysIn>[1][]): MinerRecord[] => {
    const hotkeys = new Set(hotkeysIn(state, ...buckets));
    return input.miners.filter(({ hotkey }) => hotkeys.has(hotkey));
  };
  const members = inBucket('MAINCOMP');
  const newcomers = inBucket('CHALLENGE', 'PROBATION');
  const shown = [false, true].map((isWeighted) =>
    shownMetrics(members, newcomers, generation, { isWeighted, bypassConfidence }),
  );
  const ranked = rankAll(weights.map(([, weight]) => weight));
  const records = new Map([...members, ...newcomers].map((miner) => [miner.hotkey, miner]));
  const rows = weights.flatMap(([hotkey], index): MinerStatistics[] => {
    const miner = records.get(hotkey);
    const entry = state.get(hotkey);
    if (miner === undefined || entry === undefined) return [];
    const { daily_returns, volatility, drawdowns, ...rest } = ownStatistics(miner, input);
    const { engagement, risk_profile, penalties, ...onRequest } = rest;
    return [
      {
        hotkey,
        challengeperiod: challengeRow(entry, nowMs, generation),
        scores: shown[0]?.get(hotkey) ?? {},
        augmented_scores: shown[1]?.get(hotkey) ?? {},
        daily_returns,
        volatility,
        drawdowns,
        plagiarism: plagiarism.get(hotkey) ?? null,
        engagement,
        risk_profile,
        penalties,
        weight: ranked[index] as RankedValue,
        ...onRequest,
      },
    ];
  });
  return {
    version,
    created_timestamp_ms: nowMs,
    created_date: new Date(nowMs).toISOString().slice(0, 19).replace('T', ' '),
    data: rows.sort((a, b) => a.weight.rank - b.weight.rank),
    constants: validatorConstants(generation, version),
  };
}
