import type { ScoredMiners } from '../scored-miners.ts';

/** The score that the `rank`-th best of a segment has; 0 where there are not as many. */
export function scoreOfRank(combined: ReadonlyMap<string, number>, rank: number): number {
  const sorted = Float64Array.from(combined.values()).sort();
  return sorted[sorted.length - rank] ?? 0;
}

/**
 * Who is in the main competition: whoever has a combined score above 0 that reaches the `rank`-th best of a segment.
 *
 * @param scored the main competition and the candidates together.
 */
export function mainCompetition(scored: ScoredMiners, rank: number): Set<string> {
  const members = new Set<string>();
  for (const { combined } of scored.segments) {
    const threshold = scoreOfRank(combined, rank);
    for (const [hotkey, score] of combined) if (score > 0 && score >= threshold) members.add(hotkey);
  }
  return members;
}
