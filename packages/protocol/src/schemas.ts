/**
 * What the answers hold: the OpenAPI document, the tests that check real answers, and the types of position.ts, rest.ts and
 * the client come from here. A schema with an `$id` has that name in the document.
 *
 * Objects may have more members than are named here, as newer validators write them, but what is named is of its type. A
 * number may be written as NaN or Infinity in the checkpoint, which passes byte for byte: JSON does not know them and
 * schemas cannot say.
 */
import { Type } from '@sinclair/typebox';
import type { Static, TNull, TNumber, TSchema, TUnion, TUnsafe } from '@sinclair/typebox';

/**
 * The type of a value that a schema describes, as its readers have it: lists do not change. Types alone: nothing of TypeBox
 * is loaded by who imports it.
 */
export type Described<Schema extends TSchema> = FixedLists<Static<Schema>>;
type FixedLists<Value> = Value extends readonly unknown[]
  ? { readonly [Index in keyof Value]: FixedLists<Value[Index]> }
  : Value extends object
    ? { [Name in keyof Value]: FixedLists<Value[Name]> }
    : Value;

/** A schema by its name. */
function named<Schema extends TSchema>({ $id }: Schema): TUnsafe<Static<Schema>> {
  return Type.Unsafe<Static<Schema>>({ $ref: `${String($id)}#` });
}

export * from './ledger-schemas.ts';

const open = { additionalProperties: true };
const UnixMs = Type.Number({ description: 'Unix ms' });
const Hotkey = Type.String({ description: 'Public key of a miner' });
const TierNumber = Type.Union([Type.Literal(0), Type.Literal(30), Type.Literal(50), Type.Literal(100)]);
const OrderType = Type.Union([Type.Literal('LONG'), Type.Literal('SHORT'), Type.Literal('FLAT')]);

/** Items at fixed places, and any behind them: JSON Schema 2020-12, which OpenAPI 3.1 uses, has another word for it. */
function tuple<Value>(items: readonly TSchema[], description: string): TUnsafe<Value> {
  return Type.Unsafe<Value>({ type: 'array', prefixItems: items, minItems: items.length, description });
}

function numberOrNull(description: string): TUnion<[TNumber, TNull]> {
  return Type.Union([Type.Number(), Type.Null()], { description });
}

export const ErrorAnswer = Type.Object(
  { error: Type.String() },
  { $id: 'Error', description: 'What was wrong' },
);

export const Order = Type.Object(
  {
    order_uuid: Type.String(),
    order_type: OrderType,
    leverage: Type.Number({ description: "Signed, a fraction of the miner's portfolio" }),
    price: Type.Number(),
    bid: Type.Optional(Type.Number()),
    ask: Type.Optional(Type.Number()),
    slippage: Type.Optional(Type.Number({ description: 'Fraction of the price' })),
    processed_ms: UnixMs,
    price_sources: Type.Array(Type.Unknown()),
    src: Type.Optional(
      Type.Integer({
        description:
          'Who placed it. 0: the miner; 6, 9: its limit order, or its stop or target, was filled; others: the validator itself',
      }),
    ),
    value: Type.Optional(numberOrNull('US dollars, signed; since December 2025, as the following')),
    quantity: Type.Optional(numberOrNull('Lots of currencies and metals, coins, or shares, signed')),
    execution_type: Type.Optional(Type.String({ description: 'MARKET, LIMIT or BRACKET' })),
    limit_price: Type.Optional(numberOrNull('Of a limit order')),
    stop_loss: Type.Optional(numberOrNull('A price')),
    take_profit: Type.Optional(numberOrNull('A price')),
    quote_usd_rate: Type.Optional(Type.Number({ description: 'US dollars for 1 of the quote currency' })),
    usd_base_rate: Type.Optional(Type.Number({ description: 'Units of the base currency for 1 US dollar' })),
    realized_pnl: Type.Optional(Type.Number({ description: 'US dollars; since 2026, as the following' })),
    margin_loan: Type.Optional(Type.Number({ description: 'US dollars' })),
    is_hl_taker: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
    bracket_orders: Type.Optional(Type.Union([Type.Array(Type.Unknown()), Type.Null()])),
    stop_price: Type.Optional(numberOrNull('Of a stop order')),
    stop_condition: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    trailing_stop: Type.Optional(Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()])),
  },
  { ...open, $id: 'Order' },
);

export const FeeEvent = Type.Object(
  { fee_type: Type.String(), amount: Type.Number({ description: 'US dollars' }), time_ms: UnixMs },
  open,
);

export const Position = Type.Object(
  {
    miner_hotkey: Hotkey,
    position_uuid: Type.String(),
    open_ms: UnixMs,
    close_ms: Type.Union([Type.Number(), Type.Null()], { description: 'Unix ms; null or 0 while open' }),
    trade_pair: tuple<
      readonly [id: string, display: string, legacyFee: number, minLeverage: number, maxLeverage: number]
    >(
      [Type.String(), Type.String(), Type.Number(), Type.Number(), Type.Number()],
      'id, name, fee, least and greatest leverage',
    ),
    orders: Type.Array(named(Order)),
    position_type: Type.Union([OrderType, Type.Null()]),
    net_leverage: Type.Number(),
    average_entry_price: Type.Number(),
    cumulative_entry_value: Type.Number(),
    realized_pnl: Type.Number(),
    current_return: Type.Number({ description: 'A factor, without fees' }),
    return_at_close: Type.Number({ description: 'A factor, with all fees' }),
    is_closed_position: Type.Boolean(),
    account_size: Type.Optional(Type.Number({ description: 'US dollars; since August 2025' })),
    net_quantity: Type.Optional(
      Type.Number({
        description:
          'Lots of currencies and metals, coins, or shares, signed; since December 2025, as the following',
      }),
    ),
    net_value: Type.Optional(Type.Number({ description: 'US dollars, signed' })),
    unrealized_pnl: Type.Optional(Type.Number({ description: 'US dollars' })),
    fee_history: Type.Optional(
      Type.Array(FeeEvent, {
        description: 'Since 2026, as the following: fees are no part of return_at_close then',
      }),
    ),
    is_hl: Type.Optional(Type.Boolean()),
    is_pro: Type.Optional(Type.Boolean()),
    last_stock_split_date: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    dividend_history: Type.Optional(Type.Array(Type.Unknown())),
    last_price_source: Type.Optional(Type.Unknown()),
    last_quote_usd_conversion: Type.Optional(Type.Number({ description: 'US dollars' })),
  },
  { ...open, $id: 'Position' },
);

export const Miner = Type.Object(
  {
    positions: Type.Array(named(Position)),
    all_time_returns: Type.Number(),
    n_positions: Type.Number(),
    percentage_profitable: Type.Number(),
    thirty_day_returns: Type.Number({
      description:
        'Product of return_at_close of closed positions that were opened in the last 120 days; the name is from when it was 30',
    }),
    tier: TierNumber,
  },
  { ...open, $id: 'Miner' },
);

export const Miners = Type.Record(Type.String(), named(Miner), {
  $id: 'Miners',
  description: 'By hotkey, greatest thirty_day_returns first',
});
export const Hotkeys = Type.Array(Hotkey, { $id: 'Hotkeys' });

export const Changes = Type.Object(
  {
    since: Type.Integer(),
    generation: Type.Integer({ description: 'Ask for changes since this next time' }),
    tier: TierNumber,
    miners: named(Miners),
    gone: Type.Array(Hotkey, { description: 'No longer there' }),
  },
  { $id: 'Changes' },
);

export const Score = Type.Object(
  {
    value: Type.Union([Type.Number(), Type.Null()]),
    rank: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
    percentile: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
    overall_contribution: Type.Optional(
      Type.Union([Type.Number(), Type.Null()], { description: 'Percentile times the weight of the metric' }),
    ),
  },
  { ...open, $id: 'Score' },
);
export const Checkpoint = Type.Object(
  {
    last_update_ms: UnixMs,
    gain: Type.Number(),
    loss: Type.Number(),
    prev_portfolio_ret: Type.Number(),
    accum_ms: Type.Number(),
    n_updates: Type.Number(),
    open_ms: Type.Optional(Type.Number({ description: 'ms during which a position was open' })),
    mdd: Type.Optional(Type.Number({ description: 'Greatest drawdown, a factor' })),
    mpv: Type.Optional(Type.Number({ description: 'Highest return, a factor' })),
    prev_portfolio_spread_fee: Type.Optional(Type.Number()),
    prev_portfolio_carry_fee: Type.Optional(Type.Number()),
    spread_fee_loss: Type.Optional(Type.Number()),
    carry_fee_loss: Type.Optional(Type.Number()),
    overall_returns: Type.Optional(Type.Number({ description: 'Of all cells up to this one, a factor' })),
  },
  { ...open, $id: 'Checkpoint' },
);
/** By name; null where the validator wrote NaN. */
const Numbers = Type.Record(Type.String(), Type.Union([Type.Number(), Type.Null()]));
export const StatisticsMiner = Type.Object(
  {
    hotkey: Hotkey,
    challengeperiod: Type.Optional(
      Type.Object(
        {
          status: Type.String(),
          start_time_ms: Type.Optional(Type.Union([UnixMs, Type.Null()])),
          remaining_time_ms: Type.Optional(Type.Number()),
        },
        open,
      ),
    ),
    scores: Type.Optional(Type.Record(Type.String(), named(Score))),
    augmented_scores: Type.Optional(Type.Record(Type.String(), named(Score))),
    weight: Type.Optional(named(Score)),
    daily_returns: Type.Optional(
      Type.Array(Type.Object({ date: Type.String(), value: Type.Number({ description: 'Percent' }) }, open)),
    ),
    volatility: Type.Optional(Numbers),
    drawdowns: Type.Optional(Numbers),
    engagement: Type.Optional(Type.Record(Type.String(), Type.Union([Type.Number(), Type.Boolean()]))),
    risk_profile: Type.Optional(Numbers),
    penalties: Type.Optional(Numbers),
    plagiarism: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
    checkpoints: Type.Optional(Type.Array(named(Checkpoint))),
  },
  { ...open, $id: 'StatisticsMiner' },
);
export const Statistics = Type.Object(
  {
    version: Type.Optional(Type.String()),
    created_timestamp_ms: Type.Optional(UnixMs),
    created_date: Type.Optional(Type.String()),
    constants: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    data: Type.Array(named(StatisticsMiner)),
  },
  { ...open, $id: 'Statistics' },
);

export const Elimination = Type.Object(
  {
    hotkey: Hotkey,
    reason: Type.String(),
    dd: Type.Optional(
      Type.Union([Type.Number(), Type.Null()], {
        description: 'Drawdown in percent; -1 where there is nothing to score',
      }),
    ),
    elimination_initiated_time_ms: Type.Optional(UnixMs),
  },
  { ...open, $id: 'Elimination' },
);
export const Eliminations = Type.Union(
  [
    Type.Object({ eliminations: Type.Optional(Type.Array(named(Elimination))) }, open),
    Type.Array(named(Elimination)),
  ],
  { $id: 'Eliminations' },
);

/** A file of the validator, whose form is the validator's. */
export const ValidatorFile = Type.Union(
  [Type.Record(Type.String(), Type.Unknown()), Type.Array(Type.Unknown())],
  { $id: 'ValidatorFile' },
);

export const OrderMessage = Type.Object(
  {
    sequence: Type.Integer(),
    timestamp: UnixMs,
    data: Type.Object({ position: named(Position) }),
  },
  { ...open, $id: 'OrderMessage' },
);
export const Orders = Type.Object(
  {
    messages: Type.Array(named(OrderMessage), {
      description: 'As they are streamed, see /docs/asyncapi.yaml',
    }),
    count: Type.Integer(),
    gap: Type.Optional(
      Type.Object(
        { from: Type.Integer(), to: Type.Integer() },
        { description: 'Asked for, and no longer in the log' },
      ),
    ),
    next: Type.Integer({ description: 'Ask for orders since this next time' }),
    current_sequence: Type.Integer(),
    epoch: Type.String({ description: 'Identity of the log: another one counts anew' }),
  },
  { ...open, $id: 'Orders' },
);

export const Health = Type.Object({ status: Type.Literal('ok') }, { $id: 'Health' });
export const Ready = Type.Object({ status: Type.Literal('ready') }, { $id: 'Ready' });
export const Unready = Type.Object(
  { status: Type.Literal('degraded'), reasons: Type.Array(Type.String()) },
  { $id: 'Unready' },
);
export const OpenApi = Type.Object({ openapi: Type.String() }, { ...open, $id: 'OpenApi' });
