import type * as schemas from './schemas.ts';
import type { Described } from './schemas.ts';

/**
 * Who placed an order: 0 the miner; 1 automatic flat at elimination (price 0); 2 automatic flat when the pair was
 * dropped; 3 price-filled elimination flat; 4 the position reached its maximum of orders; 6 a limit order of the miner
 * that was filled; 9 its stop or target that was. Validators since 2026 have further ones.
 */
export type OrderSource = 0 | 1 | 2 | 3 | 4 | 6 | 9;

/** One order as stored by the validator. Later generations add fields, which pass through untouched. */
export type Order = Described<typeof schemas.Order>;

export type OrderType = Order['order_type'];

/** One position as stored by the validator. Times are unix ms; returns are factors (1.02 is +2 %). */
export type Position = Described<typeof schemas.Position>;

/** `[id, display name, legacy fee, minimum leverage, maximum leverage]`, as the validator writes a trade pair. */
export type TradePair = Position['trade_pair'];

/** A fee of a position. */
export type FeeEvent = Described<typeof schemas.FeeEvent>;

/** What `/miner-positions/<hotkey>` answers: one value of the dashboard map. */
export type MinerPositions = Described<typeof schemas.Miner>;

/** What `/miner-positions` answers: hotkey to positions, sorted by `thirty_day_returns` descending. */
export type DashboardMap = Readonly<Described<typeof schemas.Miners>>;
