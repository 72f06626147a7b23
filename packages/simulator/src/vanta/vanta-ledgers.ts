import {
  drawdownThresholdPenalty,
  PORTFOLIO,
  riskAdjustedPenalty,
  riskProfilePenalty,
  SCORING_GENERATIONS,
} from '@ptn-api/scoring';
import type { Bucket, Checkpoint, MinerRecord } from '@ptn-api/scoring';
import type { Market } from '../market/market.ts';
import { createRandom } from '../random.ts';
import { hotkeyOf } from '../records/hotkey.ts';
import type { Miner } from '../records/miners.ts';
import { NO_RETURNS } from '../statistics/portfolio.ts';
import type { ReturnSums } from '../statistics/portfolio.ts';
import type { ScoredHistory } from '../statistics/scored-history.ts';
import { WrittenLedgers } from '../statistics/written-cells.ts';
import { assetSelectionOf } from './asset-selection.ts';
import { networkRates } from './network-rates.ts';
import type { NetworkRates } from './network-rates.ts';
import { NO_VANTA_SUMS, vantaCells } from './vanta-cells.ts';
import type { VantaCell, VantaSums } from './vanta-cells.ts';

const generation = SCORING_GENERATIONS['2025-12'];
/** How much more of what the network pays goes to the better ones. */
const SKILL_EXPONENT = 12;

/** What validators since December 2025 keep of twelve hours of a miner. */
export interface LedgerRow {
  readonly startMs: number;
  readonly endMs: number;
  readonly cell: VantaCell;
  readonly rates: NetworkRates;
  /** What the miner was paid. */
  readonly alpha: number;
  readonly penalties: Readonly<Record<'drawdown' | 'riskProfile' | 'minCollateral' | 'riskAdjusted', number>>;
  readonly bucket: Bucket;
}

/** What a validator wrote for good of the ledgers of its miners, by hotkey, and by `<hotkey>/<pair>`. */
export class WrittenHistory {
  readonly cells = new WrittenLedgers<Checkpoint, ReturnSums>(NO_RETURNS);
  readonly vantaCells = new WrittenLedgers<VantaCell, VantaSums>(NO_VANTA_SUMS);
  readonly rows = new WrittenLedgers<LedgerRow, null>(null);
}

/** A miner's ledgers; miners without a position have none. */
export interface MinerLedgers {
  readonly hotkey: string;
  readonly coldkey: string;
  /** Of all pairs, the last one still incomplete. */
  readonly cells: readonly VantaCell[];
  /** Complete ones, oldest first. */
  readonly rows: readonly LedgerRow[];
}

export interface LedgersInput {
  readonly seed: number;
  readonly market: Market;
  readonly miners: readonly Miner[];
  readonly scored: ScoredHistory;
  /** What stays as it is; what is complete now is added to it. */
  readonly written: WrittenHistory;
}

/** The worth of all penalties together. */
export function totalPenalty({ penalties }: LedgerRow): number {
  return Object.values(penalties).reduce((product, penalty) => product * penalty, 1);
}

/** The ledgers of all miners that have one. */
export function vantaLedgers({ seed, market, miners, scored, written }: LedgersInput): MinerLedgers[] {
  const ratesOf = networkRates(seed, market);
  const weights = miners.map(({ skill }) => skill ** SKILL_EXPONENT);
  const sum = weights.reduce((a, b) => a + b, 0);
  const records = new Map(scored.records.map((record) => [record.hotkey, record]));
  return miners.flatMap((miner, index) => {
    const record = records.get(miner.hotkey);
    const ledger = record?.ledgers?.get(PORTFOLIO);
    if (record === undefined || ledger === undefined) return [];
    const { hotkey, accountSize = 1 } = miner;
    const cells = vantaCells(ledger.cps, record.positions, accountSize, written.vantaCells.of(hotkey));
    const complete = cells.filter(({ accum_ms: coveredMs }) => coveredMs === generation.ledger.cellMs);
    const penalties = penaltiesOf(miner, record);
    const past = written.rows.of(hotkey).cells;
    const rows = complete.map((cell, at): LedgerRow => {
      const endMs = cell.last_update_ms;
      const startMs = endMs - cell.accum_ms;
      const rates = ratesOf(startMs, endMs);
      const bucket = scored.bucketAt(miner, endMs);
      const share = bucket === 'MAINCOMP' ? (weights[index] ?? 0) / sum : 0;
      const row = {
        startMs,
        endMs,
        cell,
        rates,
        bucket,
        alpha: rates.alpha * share,
        penalties: penalties(cell),
      };
      return past[at] ?? row;
    });
    past.push(...rows.slice(past.length));
    const coldkey = hotkeyOf(createRandom(`${seed}/coldkey/${hotkey}`).bytes(32));
    return { hotkey, coldkey, cells, rows };
  });
}

/** Penalties at each cell, asked in their order: the drawdown up to it, the others as they are now. */
function penaltiesOf(miner: Miner, record: MinerRecord): (cell: VantaCell) => LedgerRow['penalties'] {
  const riskProfile = riskProfilePenalty(record.scoringPositions);
  const riskAdjusted = riskAdjustedPenalty(record, assetSelectionOf(miner), generation);
  let deepest: VantaCell | undefined;
  return (cell) => {
    if (deepest === undefined || cell.mdd < deepest.mdd) deepest = cell;
    return {
      drawdown: drawdownThresholdPenalty({ cps: [deepest] }),
      riskProfile,
      // Every account is large enough.
      minCollateral: 1,
      riskAdjusted,
    };
  };
}
