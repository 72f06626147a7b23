/**
 * What the answers hold, for readers. Objects may have more members than are named here: the validator's files are
 * passed on as they are. A number may be written as NaN or
 * Infinity there, which JSON does not know and schemas cannot say.
 */
import { Type } from '@sinclair/typebox';
import type { TSchema } from '@sinclair/typebox';

const open = { additionalProperties: true };
const UnixMs = Type.Number({ description: 'Unix ms' });
const Hotkey = Type.String({ description: 'Public key of a miner' });
const TierNumber = Type.Union([Type.Literal(0), Type.Literal(30), Type.Literal(50), Type.Literal(100)]);

export const ErrorAnswer = Type.Object({ error: Type.String() }, { description: 'What was wrong' });

const Order = Type.Object(
  {
    order_uuid: Type.String(),
    order_type: Type.String({ description: 'LONG, SHORT or FLAT' }),
    leverage: Type.Number(),
    price: Type.Number(),
    processed_ms: UnixMs,
  },
  open,
);

const Position = Type.Object(
  {
    miner_hotkey: Hotkey,
    position_uuid: Type.String(),
    open_ms: UnixMs,
    close_ms: Type.Union([Type.Number(), Type.Null()], { description: 'Unix ms; null while open' }),
    trade_pair: Type.Array(Type.Unknown(), { description: 'id, name, fee, least and greatest leverage' }),
    orders: Type.Array(Order),
    net_leverage: Type.Number(),
    return_at_close: Type.Number(),
    is_closed_position: Type.Boolean(),
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

export const StatisticsMiner = Type.Object({ hotkey: Hotkey }, open);
export const Statistics = Type.Object({ data: Type.Array(StatisticsMiner) }, open);

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
