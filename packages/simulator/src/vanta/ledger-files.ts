import { pythonJsonWriter, quote } from '@ptn-api/positions';
import { mapOf, members } from '@ptn-api/validator-files';
import type { Parts } from '@ptn-api/validator-files';
import { totalPenalty } from './vanta-ledgers.ts';
import type { LedgerRow, MinerLedgers } from './vanta-ledgers.ts';
import type { VantaHistory } from './vanta-history.ts';

const FORMAT_VERSION = '1.0';

/** A time as Python's `isoformat` writes it. */
function utcText(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}+00:00`;
}

function sumOf(rows: readonly LedgerRow[], of: (row: LedgerRow) => number): number {
  return rows.reduce((sum, row) => sum + of(row), 0);
}

const taoOf = ({ alpha, rates }: LedgerRow): number => alpha * rates.alphaToTao;
const usdOf = (row: LedgerRow): number => taoOf(row) * row.rates.taoToUsd;
const feesOf = ({ cell }: LedgerRow): number => cell.spread_fee_loss + cell.carry_fee_loss;
/** What the miner holds of what it was paid, after each row: it keeps all of it. */
function alphaHeld(rows: readonly LedgerRow[]): number[] {
  let held = 0;
  return rows.map(({ alpha }) => (held += alpha));
}

/** A ledger file: what is known of it, and a ledger for each miner. */
function ledgerFile(
  { nowMs, ledgers }: VantaHistory,
  extra: readonly (readonly [string, Parts])[],
  textOf: (miner: MinerLedgers) => string,
): Parts {
  return members([
    ['format_version', [quote(FORMAT_VERSION)]],
    ['last_update_ms', [String(nowMs)]],
    ...extra,
    ['ledgers', mapOf(ledgers, (miner) => [miner.hotkey, textOf(miner)])],
  ]);
}

const writeEmissions = pythonJsonWriter({
  fields: {
    hotkey: 'plain',
    coldkey: 'plain',
    total_checkpoints: 'plain',
    cumulative_emissions: 'float',
    cumulative_emissions_tao: 'float',
    cumulative_emissions_usd: 'float',
    checkpoints: {
      items: {
        fields: {
          chunk_start_ms: 'plain',
          chunk_end_ms: 'plain',
          chunk_start_utc: 'plain',
          chunk_end_utc: 'plain',
          chunk_emissions: 'float',
          chunk_emissions_tao: 'float',
          chunk_emissions_usd: 'float',
          avg_alpha_to_tao_rate: 'float',
          avg_tao_to_usd_rate: 'float',
          num_blocks: 'plain',
          block_start: 'plain',
          block_end: 'plain',
          tao_balance_snapshot: 'float',
          alpha_balance_snapshot: 'float',
        },
      },
    },
  },
});

/** Parts of `emissions_ledger.json.gz`. */
export function emissionsFile(history: VantaHistory): Parts {
  return ledgerFile(history, [], ({ hotkey, coldkey, rows }) => {
    const held = alphaHeld(rows);
    return writeEmissions({
      hotkey,
      coldkey,
      total_checkpoints: rows.length,
      cumulative_emissions: sumOf(rows, ({ alpha }) => alpha),
      cumulative_emissions_tao: sumOf(rows, taoOf),
      cumulative_emissions_usd: sumOf(rows, usdOf),
      checkpoints: rows.map((row, index) => ({
        chunk_start_ms: row.startMs,
        chunk_end_ms: row.endMs,
        chunk_start_utc: utcText(row.startMs),
        chunk_end_utc: utcText(row.endMs),
        chunk_emissions: row.alpha,
        chunk_emissions_tao: taoOf(row),
        chunk_emissions_usd: usdOf(row),
        avg_alpha_to_tao_rate: row.rates.alphaToTao,
        avg_tao_to_usd_rate: row.rates.taoToUsd,
        num_blocks: row.rates.blocks,
        block_start: row.rates.blockStart,
        block_end: row.rates.blockEnd,
        tao_balance_snapshot: 0,
        alpha_balance_snapshot: held[index] ?? 0,
      })),
    });
  });
}

const writePenalties = pythonJsonWriter({
  fields: {
    hotkey: 'plain',
    total_checkpoints: 'plain',
    checkpoints: {
      items: {
        fields: {
          last_processed_ms: 'plain',
          drawdown_penalty: 'float',
          risk_profile_penalty: 'float',
          min_collateral_penalty: 'float',
          risk_adjusted_performance_penalty: 'float',
          total_penalty: 'float',
          challenge_period_status: 'plain',
        },
      },
    },
  },
});

/** Parts of `penalty_ledger.json.gz`. */
export function penaltiesFile(history: VantaHistory): Parts {
  const extra = [
    ['accumulated_runtime_seconds', ['0.0']],
    ['last_full_rebuild_ms', [String(history.nowMs)]],
  ] as const;
  return ledgerFile(history, extra, ({ hotkey, rows }) =>
    writePenalties({
      hotkey,
      total_checkpoints: rows.length,
      checkpoints: rows.map((row) => ({
        last_processed_ms: row.endMs,
        drawdown_penalty: row.penalties.drawdown,
        risk_profile_penalty: row.penalties.riskProfile,
        min_collateral_penalty: row.penalties.minCollateral,
        risk_adjusted_performance_penalty: row.penalties.riskAdjusted,
        total_penalty: totalPenalty(row),
        challenge_period_status: row.bucket,
      })),
    }),
  );
}

const writeDebt = pythonJsonWriter({
  fields: {
    hotkey: 'plain',
    total_checkpoints: 'plain',
    summary: { values: 'float' },
    checkpoints: {
      items: {
        fields: {
          timestamp_ms: 'plain',
          timestamp_utc: 'plain',
          emissions: { values: 'float' },
          performance: {
            fields: {
              portfolio_return: 'float',
              realized_pnl: 'float',
              unrealized_pnl: 'float',
              net_pnl: 'float',
              spread_fee_loss: 'float',
              carry_fee_loss: 'float',
              total_fees: 'float',
              max_drawdown: 'float',
              max_portfolio_value: 'float',
              open_ms: 'plain',
              accum_ms: 'plain',
              n_updates: 'plain',
            },
          },
          penalties: {
            fields: {
              drawdown: 'float',
              risk_profile: 'float',
              min_collateral: 'float',
              risk_adjusted_performance: 'float',
              cumulative: 'float',
              challenge_period_status: 'plain',
            },
          },
          derived: { values: 'float' },
        },
      },
    },
  },
});

const scoreOf = (row: LedgerRow): number => row.cell.prev_portfolio_ret * totalPenalty(row);

function debtCheckpoint(row: LedgerRow, held: number): object {
  const { cell, rates, penalties } = row;
  return {
    timestamp_ms: row.endMs,
    timestamp_utc: utcText(row.endMs),
    emissions: {
      chunk_alpha: row.alpha,
      chunk_tao: taoOf(row),
      chunk_usd: usdOf(row),
      avg_alpha_to_tao_rate: rates.alphaToTao,
      avg_tao_to_usd_rate: rates.taoToUsd,
      tao_balance_snapshot: 0,
      alpha_balance_snapshot: held,
    },
    performance: {
      portfolio_return: cell.prev_portfolio_ret,
      realized_pnl: cell.realized_pnl,
      unrealized_pnl: cell.unrealized_pnl,
      net_pnl: cell.realized_pnl + cell.unrealized_pnl,
      spread_fee_loss: cell.spread_fee_loss,
      carry_fee_loss: cell.carry_fee_loss,
      total_fees: feesOf(row),
      max_drawdown: cell.mdd,
      max_portfolio_value: cell.mpv,
      open_ms: cell.open_ms,
      accum_ms: cell.accum_ms,
      n_updates: cell.n_updates,
    },
    penalties: {
      drawdown: penalties.drawdown,
      risk_profile: penalties.riskProfile,
      min_collateral: penalties.minCollateral,
      risk_adjusted_performance: penalties.riskAdjusted,
      cumulative: totalPenalty(row),
      challenge_period_status: row.bucket,
    },
    derived: { return_after_fees: cell.prev_portfolio_ret, weighted_score: scoreOf(row) },
  };
}

/** Parts of `debt_ledger.json.gz`: of each miner what the other three ledgers say. */
export function debtFile(history: VantaHistory): Parts {
  return ledgerFile(history, [], ({ hotkey, rows }) => {
    const held = alphaHeld(rows);
    const last = rows.at(-1);
    return writeDebt({
      hotkey,
      total_checkpoints: rows.length,
      summary: {
        cumulative_emissions_alpha: sumOf(rows, ({ alpha }) => alpha),
        cumulative_emissions_tao: sumOf(rows, taoOf),
        cumulative_emissions_usd: sumOf(rows, usdOf),
        portfolio_return: last?.cell.prev_portfolio_ret ?? 1,
        weighted_score: last === undefined ? 0 : scoreOf(last),
        total_fees: sumOf(rows, feesOf),
      },
      checkpoints: rows.map((row, index) => debtCheckpoint(row, held[index] ?? 0)),
    });
  });
}
