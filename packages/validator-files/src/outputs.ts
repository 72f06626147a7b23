import { TIERS } from '@ptn-api/protocol';
import { dashboardMember, takeDashboard } from './dashboard.ts';
import type { MinerPositions } from './dashboard.ts';
import { mapOf } from './text-parts.ts';

/** A file of the outputs. */
export interface OutputFile {
  readonly path: string;
  readonly parts: Iterable<string>;
  readonly isGzip: boolean;
}

/** The dashboard map, and what each tier shows of it, as of `nowMs` (Unix ms). */
export function* outputFiles(miners: readonly MinerPositions[], nowMs: number): Generator<OutputFile> {
  const dashboard = takeDashboard(miners, nowMs);
  yield {
    path: 'validation/outputs/output.json',
    parts: mapOf(dashboard, (miner) => dashboardMember(miner)),
    isGzip: false,
  };
  for (const tier of TIERS) {
    yield {
      path: `validation/outputs/tiered_positions/${tier}/output.json.gz`,
      parts: mapOf(dashboard, (miner) => dashboardMember(miner, { tier, nowMs })),
      isGzip: true,
    };
  }
}
