import { assetClassOf } from '@ptn-api/positions';
import type { AssetClass } from '@ptn-api/positions';
import type { FeeEvent, Order, Position } from '@ptn-api/protocol';

const HOUR_MS = 3_600_000;

/** Shares of the value that is traded. */
const TRANSACTION_RATES: Readonly<Partial<Record<AssetClass, number>>> = { crypto: 0.0005, equities: 0.0005 };

/** Shares of the value that is held, for each interval. */
const CARRY: Readonly<Partial<Record<AssetClass, { readonly intervalMs: number; readonly rate: number }>>> = {
  crypto: { intervalMs: 8 * HOUR_MS, rate: 0.0001 },
  forex: { intervalMs: 24 * HOUR_MS, rate: 0.0000821918 },
};

function withFee(position: Position, fee: FeeEvent): Position {
  const fees = [...(position.fee_history ?? []), fee];
  return { ...position, fee_history: fees.sort((a, b) => a.time_ms - b.time_ms) };
}

/** The position with the fee for its last order; as it is where its generation keeps no fees. */
export function withTransactionFee(position: Position): Position {
  const order: Order | undefined = position.orders.at(-1);
  const rate = TRANSACTION_RATES[assetClassOf(position.trade_pair[0]) ?? 'forex'] ?? 0;
  const amount = Math.abs(order?.value ?? 0) * rate;
  if (position.fee_history === undefined || order === undefined || amount === 0) return position;
  return withFee(position, { fee_type: 'transaction', amount, time_ms: order.processed_ms });
}

/** The position with the fee for having been held up to `timeMs` (Unix ms); as it is where none is due. */
export function withCarryFee(position: Position, timeMs: number): Position {
  const carry = CARRY[assetClassOf(position.trade_pair[0]) ?? 'indices'];
  if (position.fee_history === undefined || carry === undefined) return position;
  const last = position.fee_history.findLast(({ fee_type: type }) => type === 'carry');
  const fromMs = last?.time_ms ?? position.open_ms;
  const intervals = Math.floor((timeMs - fromMs) / carry.intervalMs);
  const held = Math.abs(position.net_value ?? 0) + (position.unrealized_pnl ?? 0);
  if (intervals < 1 || held <= 0) return position;
  const amount = held * carry.rate * intervals;
  return withFee(position, { fee_type: 'carry', amount, time_ms: fromMs + intervals * carry.intervalMs });
}
