import {
  cumulativeDebt,
  debtWeights,
  dynamicMinimum,
  giniCoefficient,
  mainCompetition,
  minerRecord,
  monthlyDebt,
  riskAdjustedPenalty,
  scoreMiners,
  segmentDays,
  SCORING_GENERATIONS,
} from '@ptn-api/scoring';
import type { Bucket, DebtCheckpoint, MinerRecord, ScoredMiners } from '@ptn-api/scoring';
import type { Difference } from '../compare-texts.ts';
import { compareValues } from '../compare-values.ts';
import type { VectorForm } from '../vector-form.ts';
import { jsonForm, ledgerOf, objectsOf } from './scoring-file.ts';
import type { LedgerRows } from './scoring-file.ts';

type ByHotkey<T> = Readonly<Record<string, T>>;

interface Promotions {
  readonly success: readonly string[];
  readonly candidates: readonly string[];
}

interface AutumnFile {
  readonly evaluation_time_ms: number;
  readonly account_sizes: ByHotkey<number | null>;
  readonly ledgers: ByHotkey<Readonly<Record<string, LedgerRows>>>;
  readonly expect: Readonly<Record<string, unknown>> & {
    readonly plain: unknown;
    readonly weighting: unknown;
    readonly promotions_rank_25: Promotions;
    readonly promotions_rank_10: Promotions;
  };
}

const generation = SCORING_GENERATIONS['2025-11'];

function minersOf({ ledgers, account_sizes: sizes }: AutumnFile): MinerRecord[] {
  return Object.entries(ledgers).map(([hotkey, byPair]) =>
    minerRecord({
      hotkey,
      ledgers: new Map(Object.entries(byPair).map(([pair, rows]) => [pair, ledgerOf(rows)])),
      positions: [],
      accountSize: sizes[hotkey] ?? undefined,
    }),
  );
}

function bySegment(
  scored: ScoredMiners,
  value: (segment: ScoredMiners['segments'][number]) => unknown,
): unknown {
  return Object.fromEntries(scored.segments.map((segment) => [segment.segment.name, value(segment)]));
}

function answers(scored: ScoredMiners): unknown {
  const totals = Object.fromEntries([...scored.penalties].map(([hotkey, { total }]) => [hotkey, total]));
  return {
    scores: bySegment(scored, ({ metrics }) => ({
      metrics: Object.fromEntries(metrics.map(({ name, scores }) => [name, Object.fromEntries(scores)])),
      penalties: totals,
    })),
    combined: bySegment(scored, ({ combined }) => Object.fromEntries(combined)),
    softmax: bySegment(scored, ({ shares }) => Object.fromEntries(shares)),
    competitiveness: bySegment(scored, ({ combined }) => giniCoefficient([...combined.values()])),
    final: scored.final,
  };
}

function promotionsOf(scored: ScoredMiners, rank: number, { success, candidates }: Promotions): unknown {
  const members = mainCompetition(scored, rank);
  return {
    success,
    candidates,
    promote: candidates.filter((hotkey) => members.has(hotkey)),
    demote: success.filter((hotkey) => !members.has(hotkey)),
  };
}

function runAutumn(file: AutumnFile, difference: Difference): number {
  const miners = minersOf(file);
  const { evaluation_time_ms: nowMs, expect } = file;
  const score = (isWeighted: boolean): ScoredMiners => scoreMiners(miners, generation, { nowMs, isWeighted });
  const weighted = score(true);
  const days = generation.segments.map((segment) => ({
    name: segment.name,
    counts: miners.map((miner) => segmentDays(miner, segment, generation).length),
  }));
  const minimumOf = (count: number): unknown =>
    Object.fromEntries(days.map(({ name, counts }) => [name, dynamicMinimum(counts.slice(0, count))]));
  const got = {
    dynamic_min_days: minimumOf(miners.length),
    dynamic_min_days_of_first_19: minimumOf(19),
    segmented_trading_days: Object.fromEntries(
      days.map(({ name, counts }) => [
        name,
        Object.fromEntries(miners.map(({ hotkey }, index) => [hotkey, counts[index]])),
      ]),
    ),
    plain: answers(score(false)),
    weighting: answers(weighted),
    risk_adjusted_performance_penalty: Object.fromEntries(
      miners.map((miner) => [
        miner.hotkey,
        Object.fromEntries(days.map(({ name }) => [name, riskAdjustedPenalty(miner, name, generation)])),
      ]),
    ),
    promotions_rank_25: promotionsOf(weighted, 25, expect.promotions_rank_25),
    promotions_rank_10: promotionsOf(weighted, 10, expect.promotions_rank_10),
  };
  compareValues(got, expect, difference, 'autumn');
  return miners.length;
}

interface DebtFile {
  readonly buckets: ByHotkey<Bucket>;
  readonly account_sizes: ByHotkey<number | null>;
  readonly burn_hotkey: string;
  readonly ledgers: ByHotkey<LedgerRows>;
  readonly metagraph?: { readonly emission_sum_per_tempo: number; readonly tao_to_usd_rate: number };
  readonly expect: readonly DebtExpectation[];
  readonly 'expect_when_pnl_is_1e-5_of_it_and_emissions_0'?: readonly DebtExpectation[];
}

interface DebtExpectation {
  readonly now_ms: number;
  readonly weights: readonly (readonly [string, number])[];
}

const SMALL = 1e-5;

function withoutMuch(row: DebtCheckpoint): DebtCheckpoint {
  const { pnl_gain: gain = 0, pnl_loss: loss = 0 } = row;
  return { ...row, pnl_gain: gain * SMALL, pnl_loss: loss * SMALL, chunk_emissions_usd: 0 };
}

function debtForm(file: string, name: string, rules: Parameters<typeof debtWeights>[1]): VectorForm {
  return jsonForm<DebtFile>(file, `weights by debt of ${name}`, (content, difference) => {
    const { buckets, account_sizes: sizes, ledgers, burn_hotkey: burnHotkey, metagraph } = content;
    const emissions = {
      burnHotkey,
      ...(metagraph === undefined
        ? {}
        : { projectedDailyUsd: (metagraph.emission_sum_per_tempo / 360) * 7200 * metagraph.tao_to_usd_rate }),
    };
    const compare = (
      expectations: readonly DebtExpectation[],
      change: (row: DebtCheckpoint) => DebtCheckpoint,
    ): void => {
      const miners = Object.entries(ledgers).map(([hotkey, rows]) => ({
        hotkey,
        bucket: buckets[hotkey] ?? 'unknown',
        accountSize: sizes[hotkey] ?? undefined,
        debt: (objectsOf(rows) as unknown as DebtCheckpoint[]).map(change),
      }));
      for (const { now_ms: nowMs, weights } of expectations) {
        const got = Object.fromEntries(debtWeights(miners, rules, nowMs, emissions));
        compareValues(got, Object.fromEntries(weights), difference, String(nowMs));
      }
    };
    const small = content['expect_when_pnl_is_1e-5_of_it_and_emissions_0'] ?? [];
    compare(content.expect, (row) => row);
    compare(small, withoutMuch);
    return content.expect.length + small.length;
  });
}

export const AUTUMN_FORMS = [
  jsonForm<AutumnFile>(
    'generation_2025_11_scoring.json',
    'asset classes and promotions of 2025-11',
    runAutumn,
  ),
  debtForm('generation_2025_11_debt.json', '2025-11', monthlyDebt),
  debtForm('generation_2025_12_debt.json', '2025-12', cumulativeDebt),
];
