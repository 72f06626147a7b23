/**
 * What today's validators keep of each miner besides positions. As in schemas.ts, objects may have more members than are
 * named here.
 */
import { Type } from '@sinclair/typebox';
import type { TSchema } from '@sinclair/typebox';

const open = { additionalProperties: true };
const UnixMs = Type.Number({ description: 'Unix ms' });
const Text = Type.String();
/** null where the validator wrote NaN. */
const Figure = Type.Union([Type.Number(), Type.Null()]);
const Status = Type.Union([Type.String(), Type.Null()]);

/** An object with these members, and any others; a member may be missing where another generation wrote it. */
function members(named: Readonly<Record<string, TSchema>>, figures: readonly string[] = []): TSchema {
  const all = [...Object.entries(named), ...figures.map((name) => [name, Figure] as const)];
  return Type.Object(Object.fromEntries(all.map(([name, schema]) => [name, Type.Optional(schema)])), open);
}

/** The same for every miner, by hotkey. */
function byHotkey(schema: TSchema, $id?: string): TSchema {
  return Type.Record(Type.String(), schema, { description: 'By hotkey', ...($id !== undefined && { $id }) });
}

/** A schema that has a name in the document. */
function named(name: string): TSchema {
  return Type.Unsafe({ $ref: `${name}#` });
}

const SUMMED = [
  'cumulative_emissions_alpha',
  'cumulative_emissions_tao',
  'cumulative_emissions_usd',
  'portfolio_return',
  'weighted_score',
  'total_fees',
];

export const DebtSummaries = byHotkey(
  members({ hotkey: Text, total_checkpoints: Type.Integer(), latest_checkpoint_ms: UnixMs }, [
    ...SUMMED,
    'net_pnl',
    'realized_pnl',
    'unrealized_pnl',
  ]),
  'DebtSummaries',
);

export const DebtLedger = Type.Object(
  {
    hotkey: Text,
    total_checkpoints: Type.Optional(Type.Integer()),
    summary: Type.Optional(members({}, SUMMED)),
    checkpoints: Type.Array(
      members({
        timestamp_ms: UnixMs,
        timestamp_utc: Text,
        emissions: members({}, [
          'chunk_alpha',
          'chunk_tao',
          'chunk_usd',
          'avg_alpha_to_tao_rate',
          'avg_tao_to_usd_rate',
          'tao_balance_snapshot',
          'alpha_balance_snapshot',
        ]),
        performance: members({}, [
          'portfolio_return',
          'realized_pnl',
          'unrealized_pnl',
          'net_pnl',
          'spread_fee_loss',
          'carry_fee_loss',
          'total_fees',
          'max_drawdown',
          'max_portfolio_value',
          'open_ms',
          'accum_ms',
          'n_updates',
        ]),
        penalties: members({ challenge_period_status: Status }, [
          'drawdown',
          'risk_profile',
          'min_collateral',
          'risk_adjusted_performance',
          'cumulative',
        ]),
        derived: members({}, ['return_after_fees', 'weighted_score']),
      }),
    ),
  },
  { ...open, $id: 'DebtLedger' },
);

export const EmissionsLedger = Type.Object(
  {
    hotkey: Text,
    coldkey: Type.Optional(Status),
    total_checkpoints: Type.Optional(Type.Integer()),
    cumulative_emissions: Type.Optional(Figure),
    cumulative_emissions_tao: Type.Optional(Figure),
    cumulative_emissions_usd: Type.Optional(Figure),
    checkpoints: Type.Array(
      members({ chunk_start_ms: UnixMs, chunk_end_ms: UnixMs, chunk_start_utc: Text, chunk_end_utc: Text }, [
        'chunk_emissions',
        'chunk_emissions_tao',
        'chunk_emissions_usd',
        'avg_alpha_to_tao_rate',
        'avg_tao_to_usd_rate',
        'num_blocks',
        'block_start',
        'block_end',
        'tao_balance_snapshot',
        'alpha_balance_snapshot',
      ]),
    ),
  },
  { ...open, $id: 'EmissionsLedger' },
);

export const PenaltyLedger = Type.Object(
  {
    hotkey: Text,
    total_checkpoints: Type.Optional(Type.Integer()),
    checkpoints: Type.Array(
      members({ last_processed_ms: UnixMs, challenge_period_status: Status }, [
        'drawdown_penalty',
        'risk_profile_penalty',
        'min_collateral_penalty',
        'risk_adjusted_performance_penalty',
        'total_penalty',
      ]),
    ),
  },
  { ...open, $id: 'PenaltyLedger' },
);

const Ledger = Type.Object(
  {
    initialization_time_ms: Type.Optional(UnixMs),
    max_return: Type.Optional(Figure),
    target_cp_duration_ms: Type.Optional(Figure),
    target_ledger_window_ms: Type.Optional(Figure),
    last_known_prices: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    cps: Type.Array(
      members({ last_update_ms: UnixMs }, [
        'prev_portfolio_ret',
        'prev_portfolio_realized_pnl',
        'prev_portfolio_unrealized_pnl',
        'prev_portfolio_spread_fee',
        'prev_portfolio_carry_fee',
        'accum_ms',
        'open_ms',
        'n_updates',
        'gain',
        'loss',
        'spread_fee_loss',
        'carry_fee_loss',
        'mdd',
        'mpv',
        'realized_pnl',
        'unrealized_pnl',
      ]),
    ),
  },
  open,
);

/** One ledger in 2026, before that one for each pair and `portfolio` for all of them. */
export const PerfLedger = byHotkey(Type.Union([Ledger, Type.Record(Type.String(), Ledger)]), 'PerfLedger');

export const Collateral = Type.Object(
  {
    status: Type.Literal('success'),
    data: byHotkey(
      Type.Array(
        members({ update_time_ms: UnixMs, valid_date_timestamp: UnixMs }, [
          'account_size',
          'account_size_theta',
        ]),
      ),
    ),
    miner_count: Type.Integer(),
    total_records: Type.Integer(),
    timestamp: UnixMs,
  },
  { $id: 'Collateral' },
);

export const MinerSelections = Type.Object(
  {
    miner_selections: byHotkey(Text),
    total_miners: Type.Integer(),
    timestamp: UnixMs,
  },
  { $id: 'MinerSelections' },
);

export const ChallengePeriod = Type.Object(
  {
    status: Type.Literal('success'),
    hotkey: Text,
    timestamp: UnixMs,
    challenge_period: Type.Object({ bucket: Status, start_time_ms: Figure }, open),
  },
  { $id: 'ChallengePeriod' },
);

const Subaccount = members({
  subaccount_id: Type.Integer(),
  subaccount_uuid: Text,
  synthetic_hotkey: Text,
  status: Text,
});
const Entity = members({ entity_hotkey: Text, subaccounts: Type.Record(Type.String(), Subaccount) });

export const Entities = Type.Object(
  {
    status: Type.Literal('success'),
    entities: byHotkey(Entity),
    entity_count: Type.Integer(),
    timestamp: UnixMs,
  },
  { $id: 'Entities' },
);
export const EntityAnswer = Type.Object(
  { status: Type.Literal('success'), entity: Entity },
  { $id: 'EntityAnswer' },
);

export const LimitOrder = Type.Object(
  {
    trade_pair: Type.Array(Type.String(), { description: 'id, name' }),
    order_type: Text,
    processed_ms: UnixMs,
    limit_price: Figure,
    price: Figure,
    leverage: Figure,
    value: Figure,
    quantity: Figure,
    src: Type.Integer({ description: '5 and 8: unfilled; 6 and 9: filled; 7 and 10: cancelled' }),
    execution_type: Status,
    order_uuid: Text,
    stop_loss: Figure,
    take_profit: Figure,
  },
  { ...open, $id: 'LimitOrder' },
);
const LimitOrders = Type.Array(named('LimitOrder'));

/** `filled`: of limit orders, or the orders of positions. */
function byStatus(filled: TSchema, $id?: string): TSchema {
  return Type.Object(
    {
      unfilled: Type.Optional(LimitOrders),
      filled: Type.Optional(filled),
      cancelled: Type.Optional(LimitOrders),
    },
    { additionalProperties: false, ...($id !== undefined && { $id }) },
  );
}

export const MinerLimitOrders = Type.Union([LimitOrders, byStatus(LimitOrders)], { $id: 'MinerLimitOrders' });
export const MinerOrders = byStatus(Type.Array(named('Order')), 'MinerOrders');

export const ApiHealth = Type.Object(
  {
    status: Type.Literal('healthy'),
    service: Text,
    timestamp_ms: UnixMs,
  },
  { $id: 'ApiHealth' },
);
