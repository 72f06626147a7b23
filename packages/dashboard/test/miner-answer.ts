export const HOTKEY = '5GzrAeiAshBr2yia5i1KqpnewJNzywxVMrSCbjm7U98RmNME';

export const order = {
  order_type: 'LONG',
  leverage: 0.1,
  price: 103000,
  processed_ms: 1747231140000,
  order_uuid: 'o1',
  price_sources: [
    {
      source: 'Polygon_ws',
      timespan_ms: 0,
      open: 1,
      close: 2,
      high: 3,
      low: 0.5,
      start_ms: 1747231139800,
      lag_ms: 200,
    },
  ],
};
export const position = {
  miner_hotkey: HOTKEY,
  position_uuid: 'p1',
  open_ms: 1747231140000,
  close_ms: 0,
  trade_pair: ['BTCUSD', 'BTC/USD', 0.003, 0.01, 0.5],
  orders: [order],
  current_return: 1,
  net_leverage: 0.1,
  return_at_close: 1.02,
  average_entry_price: 103000,
  position_type: 'LONG',
  is_closed_position: false,
};
const element = {
  hotkey: HOTKEY,
  challengeperiod: { status: 'testing', start_time_ms: 1746000000000, remaining_time_ms: 5000 },
  scores: {
    calmar: { value: 1.5, rank: 3, percentile: 0.8, overall_contribution: 0.16 },
    omega: { value: 2, rank: 1, percentile: 1, overall_contribution: 0.2 },
    return: { value: 10, rank: 2, percentile: 0.9, overall_contribution: 0 },
  },
  drawdowns: { max_drawdown: 0.97 },
  engagement: { n_positions: 4, checkpoint_durations: 7200000 },
  penalties: { total: 0.99, drawdown_threshold: 1, risk_profile: 0.99 },
  weight: { value: 0.01, rank: 3, percentile: 0.8 },
  checkpoints: [
    { last_update_ms: 1746100000000, overall_returns: 1.01, mdd: 0.99 },
    { last_update_ms: 1746000000000, overall_returns: 1, mdd: 1 },
  ],
};
export const minerAnswer = {
  timestamp: 1747231140000,
  statistics: {
    created_timestamp_ms: 1747231200000,
    data: [element],
    constants: { CHALLENGE_PERIOD_PERCENTILE_THRESHOLD: 0.75, SCORING_RETURN_WEIGHT: 0 },
  },
  challengeperiod: { testing: { [HOTKEY]: 1746000000000 }, success: {} },
  positions: {
    [HOTKEY]: {
      positions: [position],
      thirty_day_returns: 1.001,
      all_time_returns: 1.002,
      n_positions: 2,
      percentage_profitable: 1,
    },
  },
};

type Left = readonly [
  hasStatistics: boolean,
  metrics: number,
  points: number,
  positions: number,
  orders: number,
];

const NOTHING: Left = [false, 0, 0, 0, 0];
const withElement = (changes: object) => ({
  ...minerAnswer,
  statistics: { ...minerAnswer.statistics, data: [{ ...element, ...changes }] },
});
export const withPositions = (positions: unknown) => ({
  ...minerAnswer,
  positions: { [HOTKEY]: { positions } },
});
const many = <Item>(count: number, item: (index: number) => Item): Item[] =>
  Array.from({ length: count }, (_, index) => item(index));

/** Odd answers, with what is left of each. */
export const ODD_ANSWERS: readonly (readonly [name: string, data: unknown, left: Left])[] = [
  ['null', null, NOTHING],
  ['a text', 'x', NOTHING],
  ['a number', 1, NOTHING],
  ['a list', [minerAnswer], NOTHING],
  ['nothing', {}, NOTHING],
  ['null everywhere', { timestamp: null, statistics: null, challengeperiod: null, positions: null }, NOTHING],
  ['texts everywhere', { timestamp: 'x', statistics: 'x', challengeperiod: 'x', positions: 'x' }, NOTHING],
  ['statistics without data', { ...minerAnswer, statistics: {} }, [false, 0, 0, 1, 1]],
  ['data that is no list', { ...minerAnswer, statistics: { data: element } }, [false, 0, 0, 1, 1]],
  [
    'statistics of others',
    { ...minerAnswer, statistics: { data: [null, 1, 'x', [], { hotkey: 'other' }] } },
    [false, 0, 0, 1, 1],
  ],
  [
    'positions of others',
    { ...minerAnswer, positions: { other: minerAnswer.positions[HOTKEY] } },
    [true, 3, 2, 0, 0],
  ],
  ['positions that are null', withPositions(null), [true, 3, 2, 0, 0]],
  ['positions that are an object', withPositions({ p1: position }), [true, 3, 2, 0, 0]],
  ['positions that are none', withPositions([null, 1, 'x', [], {}]), [true, 3, 2, 0, 0]],
  ['a position without orders', withPositions([{ ...position, orders: undefined }]), [true, 3, 2, 1, 0]],
  ['orders that are null', withPositions([{ ...position, orders: null }]), [true, 3, 2, 1, 0]],
  ['orders that are no orders', withPositions([{ ...position, orders: [null, 1, 'x'] }]), [true, 3, 2, 1, 3]],
  ['a position twice', withPositions([position, position]), [true, 3, 2, 1, 1]],
  ['positions without names', withPositions([{ open_ms: 1 }, { open_ms: 2 }]), [true, 3, 2, 2, 0]],
  [
    '20,000 positions',
    withPositions(many(20_000, (index) => ({ ...position, position_uuid: `p${index}` }))),
    [true, 3, 2, 20_000, 20_000],
  ],
  [
    '20,000 orders',
    withPositions([
      { ...position, orders: many(20_000, (index) => ({ ...order, order_uuid: `o${index}` })) },
    ]),
    [true, 3, 2, 1, 20_000],
  ],
  [
    'metrics of a later validator',
    withElement({ scores: { pnl: { value: 5 }, luck: { value: 1 }, omega: 'x' } }),
    [true, 3, 2, 1, 1],
  ],
  ['scores that are a list', withElement({ scores: [1, 2] }), [true, 0, 2, 1, 1]],
  ['no scores', withElement({ scores: undefined }), [true, 0, 2, 1, 1]],
  ['checkpoints that are null', withElement({ checkpoints: null }), [true, 3, 0, 1, 1]],
  [
    'checkpoints without times',
    withElement({ checkpoints: [{ overall_returns: 1 }, null, 'x'] }),
    [true, 3, 0, 1, 1],
  ],
  [
    'checkpoints at one time',
    withElement({ checkpoints: many(10, () => element.checkpoints[0]) }),
    [true, 3, 1, 1, 1],
  ],
  [
    'checkpoints of NaN',
    withElement({ checkpoints: [{ last_update_ms: 1e12, overall_returns: 'NaN', mdd: 'NaN' }] }),
    [true, 3, 0, 1, 1],
  ],
  [
    'checkpoints of no time',
    withElement({
      checkpoints: [
        { last_update_ms: 1e300, overall_returns: 1 },
        { last_update_ms: -1, overall_returns: 1 },
      ],
    }),
    [true, 3, 0, 1, 1],
  ],
  [
    'checkpoints of other validators',
    withElement({ checkpoints: [{ last_update_ms: 1e12, prev_portfolio_ret: 1.1 }] }),
    [true, 3, 1, 1, 1],
  ],
  [
    '20,000 checkpoints',
    withElement({
      checkpoints: many(20_000, (index) => ({ last_update_ms: 1e12 + index * 1000, overall_returns: 1 })),
    }),
    [true, 3, 20_000, 1, 1],
  ],
];
