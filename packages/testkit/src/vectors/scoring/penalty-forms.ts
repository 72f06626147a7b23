import {
  challengeWeights,
  martingalePenalty,
  martingaleScore,
  normalizeScores,
  percentiles,
  rankPercentile,
  recentPositions,
  riskProfilePenalty,
  riskProfileScore,
  riskReport,
  scoringPositions,
  sigmoid,
  softmaxOfAll,
  timeWeighted,
} from '@ptn-api/scoring';
import { compareValues, numberOf } from '../compare-values.ts';
import { readBeside } from '../beside.ts';
import { jsonForm } from './scoring-file.ts';
import type { Positions } from './scoring-file.ts';

const DAY_MS = 86_400_000;

interface RiskFile {
  readonly cases: readonly {
    readonly name: string;
    readonly positions: Positions;
    readonly expect: {
      readonly filter_90_days: readonly { readonly evaluation_time_ms: number }[];
    };
  }[];
}

type Scores = readonly (readonly [string, number])[];

interface CombineFile {
  readonly softmax: readonly { readonly scores: readonly number[]; readonly expect: readonly number[] }[];
  readonly percentiles: readonly {
    readonly scores: readonly unknown[];
    readonly expect: readonly unknown[];
  }[];
  readonly normalize: readonly { readonly scores: readonly number[]; readonly expect: unknown }[];
  readonly sigmoid: readonly {
    readonly x: number;
    readonly shift: number;
    readonly spread: number;
    readonly expect: number;
  }[];
  readonly testing_weights: readonly {
    readonly trading_days: Readonly<Record<string, number>>;
    readonly scores: Scores;
    readonly time_weighted: Scores;
    readonly expect: Scores;
  }[];
}

const TEMPERATURE = 0.125;

export const PENALTY_FORMS = [
  jsonForm<RiskFile>('risk_profile.json', 'risk profile of positions', ({ cases }, difference) => {
    for (const { name, positions, expect } of cases) {
      const counted = scoringPositions(positions);
      const got = {
        per_position: positions.map(riskReport),
        risk_profile_score: riskProfileScore(positions),
        risk_profile_penalty: riskProfilePenalty(positions),
        total_duration: counted.reduce((sum, { open_ms, close_ms }) => sum + (close_ms ?? 0) - open_ms, 0),
        filter_duration_uuids: counted.map(({ position_uuid: uuid }) => uuid),
        filter_90_days: expect.filter_90_days.map(({ evaluation_time_ms: nowMs }) => ({
          evaluation_time_ms: nowMs,
          uuids: recentPositions(positions, nowMs, 90 * DAY_MS).map(({ position_uuid: uuid }) => uuid),
        })),
      };
      compareValues(got, expect, difference, name);
    }
    return cases.length;
  }),
  jsonForm<{
    readonly cases: readonly {
      readonly name: string;
      readonly expect: readonly { readonly evaluation_time_ms: number }[];
    }[];
  }>('martingale_2025_02.json', 'martingale penalty of 2025-02', ({ cases }, difference, path) => {
    const sets = new Map(
      (readBeside(path, 'risk_profile.json') as RiskFile).cases.map((c) => [c.name, c.positions]),
    );
    for (const { name, expect } of cases) {
      const positions = sets.get(name);
      if (positions === undefined) throw new Error(`${path}: risk_profile.json has no set ${name}`);
      const got = expect.map(({ evaluation_time_ms }) => ({
        evaluation_time_ms,
        score: martingaleScore(positions),
        penalty: martingalePenalty(positions),
      }));
      compareValues(got, expect, difference, name);
    }
    return cases.length;
  }),
  jsonForm<CombineFile>('combine_parts.json', 'parts of the combination', (file, difference) => {
    for (const [index, { scores, expect }] of file.softmax.entries()) {
      compareValues(softmaxOfAll(scores, TEMPERATURE), expect, difference, `softmax/${index}`);
    }
    for (const [index, { scores, expect }] of file.percentiles.entries()) {
      compareValues(
        percentiles(
          scores.map((score) => numberOf(score) ?? NaN),
          rankPercentile,
        ),
        expect,
        difference,
        `percentiles/${index}`,
      );
    }
    for (const [index, { scores, expect }] of file.normalize.entries()) {
      const named = new Map(scores.map((score, at) => [`m${String(at).padStart(3, '0')}`, score]));
      compareValues(Object.fromEntries(normalizeScores(named)), expect, difference, `normalize/${index}`);
    }
    for (const { x, shift, spread, expect } of file.sigmoid) {
      compareValues(sigmoid(x, shift, spread), expect, difference, `sigmoid/${x}/${shift}`);
    }
    for (const [index, row] of file.testing_weights.entries()) {
      const weighted = timeWeighted(row.scores, new Map(Object.entries(row.trading_days)));
      const weights = challengeWeights(weighted, { min: 1.2e-5, max: 2.4e-5 });
      compareValues(weighted, row.time_weighted, difference, `testing/${index}`);
      compareValues(weights, row.expect, difference, `testing weights/${index}`);
    }
    const parts = [file.softmax, file.percentiles, file.normalize, file.sigmoid, file.testing_weights];
    return parts.reduce((sum, { length }) => sum + length, 0);
  }),
];
