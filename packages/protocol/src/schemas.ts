/**
 * What the answers hold. Objects may have more members than are named here, as newer validators write them, but what is named
 * is of its type. A number may be written as NaN or Infinity in the checkpoint, which passes byte for byte: JSON does not know
 * them and schemas cannot say.
 */
import { Type } from '@sinclair/typebox';
import type { TSchema } from '@sinclair/typebox';

const open = { additionalProperties: true };
const UnixMs = Type.Number({ description: 'Unix ms' });
const Hotkey = Type.String({ description: 'Public key of a miner' });
const TierNumber = Type.Union([Type.Literal(0), Type.Literal(30), Type.Literal(50), Type.Literal(100)]);
const OrderType = Type.Union([Type.Literal('LONG'), Type.Literal('SHORT'), Type.Literal('FLAT')]);

/** Items at fixed places, and any behind them: JSON Schema 2020-12, which OpenAPI 3.1 uses, has another word for it. */
function tuple(items: readonly TSchema[], description: string): TSchema {
  return Type.Unsafe({ type: 'array', prefixItems: items, minItems: items.length, description });
}

export const ErrorAnswer = Type.Object({ error: Type.String() }, { description: 'What was wrong' });

const Order = Type.Object(
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
    src: Type.Optional(Type.Integer({ description: '0: the miner; others: the validator itself' })),
  },
  open,
);

const Position = Type.Object(
  {
    miner_hotkey: Hotkey,
    position_uuid: Type.String(),
    open_ms: UnixMs,
    close_ms: Type.Union([Type.Number(), Type.Null()], { description: 'Unix ms; null while open' }),
    trade_pair: tuple(
      [Type.String(), Type.String(), Type.Number(), Type.Number(), Type.Number()],
      'id, name, fee, least and greatest leverage',
    ),
    orders: Type.Array(Order),
    position_type: Type.Union([OrderType, Type.Null()]),
    net_leverage: Type.Number(),
    average_entry_price: Type.Number(),
    cumulative_entry_value: Type.Number(),
    realized_pnl: Type.Number(),
    current_return: Type.Number({ description: 'A factor, without fees' }),
    return_at_close: Type.Number({ description: 'A factor, with all fees' }),
    is_closed_position: Type.Boolean(),
    account_size: Type.Optional(Type.Number({ description: 'US dollars' })),
  },
  open,
);

export const Miner = Type.Object(
  {
    positions: Type.Array(Position),
    all_time_returns: Type.Number(),
    n_positions: Type.Number(),
    percentage_profitable: Type.Number(),
    thirty_day_returns: Type.Number({
      description:
        'Product of return_at_close of closed positions that were opened in the last 120 days; the name is from when it was 30',
    }),
    tier: TierNumber,
  },
  open,
);

export const Miners = Type.Record(Type.String(), Miner, {
  description: 'By hotkey, greatest thirty_day_returns first',
});
export const Hotkeys = Type.Array(Hotkey);

export const Changes = Type.Object({
  since: Type.Integer(),
  generation: Type.Integer({ description: 'Ask for changes since this next time' }),
  tier: TierNumber,
  miners: Miners,
  gone: Type.Array(Hotkey, { description: 'No longer there' }),
});

const Score = Type.Object(
  {
    value: Type.Union([Type.Number(), Type.Null()]),
    rank: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
    percentile: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
  },
  open,
);
const Checkpoint = Type.Object(
  {
    last_update_ms: UnixMs,
    gain: Type.Number(),
    loss: Type.Number(),
    prev_portfolio_ret: Type.Number(),
    accum_ms: Type.Number(),
    n_updates: Type.Number(),
    open_ms: Type.Optional(Type.Number({ description: 'ms during which a position was open' })),
    mdd: Type.Optional(Type.Number({ description: 'Greatest drawdown, a factor' })),
  },
  open,
);
/** By name; null where the validator wrote NaN. */
const Numbers = Type.Record(Type.String(), Type.Union([Type.Number(), Type.Null()]));
export const StatisticsMiner = Type.Object(
  {
    hotkey: Hotkey,
    challengeperiod: Type.Optional(
      Type.Object({ status: Type.String(), start_time_ms: Type.Optional(UnixMs) }, open),
    ),
    scores: Type.Optional(Type.Record(Type.String(), Score)),
    augmented_scores: Type.Optional(Type.Record(Type.String(), Score)),
    weight: Type.Optional(Score),
    daily_returns: Type.Optional(
      Type.Array(Type.Object({ date: Type.String(), value: Type.Number() }, open)),
    ),
    volatility: Type.Optional(Numbers),
    drawdowns: Type.Optional(Numbers),
    engagement: Type.Optional(Type.Record(Type.String(), Type.Union([Type.Number(), Type.Boolean()]))),
    risk_profile: Type.Optional(Numbers),
    penalties: Type.Optional(Numbers),
    plagiarism: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
    checkpoints: Type.Optional(Type.Array(Checkpoint)),
  },
  open,
);
export const Statistics = Type.Object(
  {
    version: Type.Optional(Type.String()),
    created_timestamp_ms: Type.Optional(UnixMs),
    created_date: Type.Optional(Type.String()),
    constants: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    data: Type.Array(StatisticsMiner),
  },
  open,
);

const Elimination = Type.Object(
  {
    hotkey: Hotkey,
    reason: Type.String(),
    dd: Type.Optional(Type.Union([Type.Number(), Type.Null()], { description: 'Drawdown, a fraction' })),
    elimination_initiated_time_ms: Type.Optional(UnixMs),
  },
  open,
);
export const Eliminations = Type.Union([
  Type.Object({ eliminations: Type.Optional(Type.Array(Elimination)) }, open),
  Type.Array(Elimination),
]);

/** A file of the validator, whose form is the validator's. */
export const ValidatorFile = Type.Union([Type.Object({}, open), Type.Array(Type.Unknown())]);

const OrderMessage = Type.Object(
  {
    sequence: Type.Integer(),
    timestamp: UnixMs,
    data: Type.Object({ position: Position }),
  },
  open,
);
export const Orders = Type.Object(
  {
    messages: Type.Array(OrderMessage, { description: 'As they are streamed, see /docs/asyncapi.yaml' }),
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
  open,
);

export const Health = Type.Object({ status: Type.Literal('ok') });
export const Ready = Type.Object({ status: Type.Literal('ready') });
export const Unready = Type.Object({ status: Type.Literal('degraded'), reasons: Type.Array(Type.String()) });
export const OpenApi = Type.Object({ openapi: Type.String() }, open) satisfies TSchema;
