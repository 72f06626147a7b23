import type { Generation } from '../generations/generation.ts';
import { annualReturnPercent } from '../metrics/metrics.ts';
import type { Metric } from '../metrics/metrics.ts';
import type { MinerRecord } from '../miner-record.ts';
import { metricInput, segmentDays, segmentTerms } from '../score-miners.ts';
import { rankAdded, rankAll } from './ranked-value.ts';
import type { RankedValue } from './ranked-value.ts';

/** A metric of a miner as `minerstatistics` shows it. */
export interface ShownMetric extends RankedValue {
  /** Percentile times the weight of the metric. */
  readonly overall_contribution: number;
}

export type ShownMetrics = Readonly<Record<string, ShownMetric>>;

/** The metrics in the order of the file; those that a generation does not weigh count for nothing. */
const SHOWN_FIRST = ['omega', 'sharpe', 'sortino', 'statistical_confidence', 'calmar'];

function shownRows({ metrics }: Generation): { name: string; weight: number; metric: Metric }[] {
  const place = (name: string): number => {
    const index = SHOWN_FIRST.indexOf(name);
    return index === -1 ? SHOWN_FIRST.length : index;
  };
  const scored = [...metrics].sort((a, b) => place(a.name) - place(b.name));
  return [...scored, { name: 'return', weight: 0, metric: annualReturnPercent }];
}

/**
 * The metrics of all miners by hotkey. All take part, whatever their penalties: members of the main competition are ranked among all, a
 * miner in the challenge period among the members and itself.
 */
export function shownMetrics(
  members: readonly MinerRecord[],
  newcomers: readonly MinerRecord[],
  generation: Generation,
  options: { readonly isWeighted: boolean; readonly bypassConfidence: boolean },
): Map<string, ShownMetrics> {
  const miners = [...members, ...newcomers];
  const [segment] = generation.segments;
  if (segment === undefined) return new Map();
  const days = miners.map((miner) => segmentDays(miner, segment, generation));
  const terms = segmentTerms(generation, segment, generation.minimumDays(days.map(({ length }) => length)));
  const inputs = miners.map((miner, index) => metricInput(miner, days[index] ?? [], segment, terms, options));
  const shown = miners.map((): Record<string, ShownMetric> => ({}));
  for (const { name, weight, metric } of shownRows(generation)) {
    const values = inputs.map(metric);
    const ofAll = rankAll(values);
    const ofMembers = Float64Array.from(values.slice(0, members.length)).sort();
    for (const [index, own] of shown.entries()) {
      const isMember = index < members.length;
      const ranked = isMember ? (ofAll[index] as RankedValue) : rankAdded(values[index] as number, ofMembers);
      own[name] = { ...ranked, overall_contribution: ranked.percentile * weight };
    }
  }
  return new Map(miners.map(({ hotkey }, index) => [hotkey, shown[index] as ShownMetrics]));
}
