import { readPosition } from '@ptn-api/positions';
import { answerPositions, NEW_MINER, rememberUuid, GENERATION_2025_05 } from '@ptn-api/rules';
import t from 'tap';
import { HOTKEY, IntakeDesk, signalOf, signalText, WEDNESDAY_MS, websocketPrice } from './intake-desk.ts';

const LONG = signalText('BTCUSD', 'LONG', '0.1');
const own = (error: string): string => `Error processing order for [${HOTKEY}] with error [${error}]`;
const signalError = (text: string): string => own(`(SignalException(...), ${text})`);

void t.test('an accepted order comes with its files, all written before the answer', (t) => {
  const desk = new IntakeDesk();
  const opened = desk.send({ text: LONG, uuid: 'first' });
  const open = `validation/miners/${HOTKEY}/positions/BTCUSD/open/first`;
  t.ok(opened.ok);
  t.strictSame([...desk.files.keys()], [open, 'validation/timestamp.json']);
  t.equal(desk.files.get('validation/timestamp.json'), `{"timestamp": ${WEDNESDAY_MS}}`);
  const read = readPosition(desk.files.get(open) ?? '');
  t.match(read, { ok: true, facts: { positionUuid: 'first', isClosed: false, generation: '2025' } });
  const closed = desk.send({ text: signalText('BTCUSD', 'FLAT', 0), nowMs: WEDNESDAY_MS + 10_000 });
  t.ok(closed.ok);
  t.strictSame([...desk.files.keys()], ['validation/timestamp.json', open.replace('open', 'closed')]);
  t.equal(desk.miners.get(HOTKEY)?.openPositions.size, 0);
  t.end();
});

void t.test('the time stamp is written once an hour, and never goes back', (t) => {
  const desk = new IntakeDesk();
  const flat = signalText('BTCUSD', 'FLAT', 0);
  const written = (nowMs: number): boolean => {
    const result = desk.send({ text: flat, nowMs });
    return result.ok && result.files.write.length === 1;
  };
  t.equal(written(WEDNESDAY_MS), true);
  t.equal(written(WEDNESDAY_MS + 3_600_000), false);
  t.equal(written(WEDNESDAY_MS + 3_600_001), true);
  written(WEDNESDAY_MS);
  t.equal(desk.validator.timestamp.lastOrderMs, WEDNESDAY_MS + 3_600_001);
  t.end();
});

void t.test('senders that may not trade are refused and leave nothing', (t) => {
  const unknown = new IntakeDesk().send({ text: LONG, hotkey: '5Unknown' });
  t.match(unknown, { ok: false, isForbidden: true });
  t.equal(unknown.answer.error_message, 'Forbidden. Key is blacklisted: 5Unknown.');
  t.equal(unknown.miner, NEW_MINER);
  const row = signalOf(`{"hotkey": "${HOTKEY}", "dd": 0.1, "reason": "it's over"}`);
  const desk = new IntakeDesk({ eliminations: new Map([[HOTKEY, row]]) });
  t.equal(
    desk.errorOf({ text: LONG }),
    `This miner hotkey ${HOTKEY} has been eliminated and cannot participate in this subnet. Try again after ` +
      `re-registering. elimination_info {'hotkey': '${HOTKEY}', 'dd': 0.1, 'reason': "it's over"}`,
  );
  t.match(new IntakeDesk({ isStopping: true }).errorOf({ text: LONG }), /^Validator is restarting/);
  t.equal(desk.files.size, 0);
  t.end();
});

void t.test('pairs that are not there, in every form a signal can name them', (t) => {
  for (const pair of [
    '{"trade_pair_id": "FOO"}',
    '"BTCUSD"',
    '["trade_pair_id"]',
    'null',
    '1',
    '{"trade_pair_id": 1}',
  ]) {
    const text = `{"trade_pair": ${pair}, "order_type": "LONG", "leverage": 0.1}`;
    t.match(new IntakeDesk().errorOf({ text }), 'incorrectly sent trade pair. Raw signal: {', pair);
  }
  for (const id of ['constructor', '__proto__', 'btcusd', 'ADAUSD']) {
    t.match(new IntakeDesk().errorOf({ text: signalText(id, 'LONG', 1) }), 'incorrectly sent trade pair', id);
  }
  t.equal(
    new IntakeDesk().errorOf({
      text: `{"trade_pair": 1.0, "x": [true, null, 10000000000000000000000, "\\u0000é"]}`,
    }),
    signalError(
      `"miner [${HOTKEY}] incorrectly sent trade pair. Raw signal: ` +
        `{'trade_pair': 1.0, 'x': [True, None, 10000000000000000000000, '\\\\x00é']}"`,
    ),
  );
  t.end();
});

void t.test('leverages that are no leverages', (t) => {
  const range = (shown: string): string =>
    own(
      '1 validation error for Order\n  Value error, Order leverage must be between 0.001 and 500, provided - ',
    ) + shown;
  const error = (type: string, leverage: string): string =>
    new IntakeDesk().errorOf({ text: signalText('BTCUSD', type, leverage) });
  for (const [sent, shown] of [
    ['NaN', 'nan'],
    ['Infinity', 'inf'],
    ['-Infinity', '-inf'],
    ['1e400', 'inf'],
    ['501', '501'],
    ['0.0009', '0.0009'],
    ['false', 'False'],
    ['1' + '0'.repeat(30), '1' + '0'.repeat(30)],
  ] as const) {
    t.ok(
      error('SHORT', sent).startsWith(`${range('').slice(0, -1)}lev [${shown}] and order_type [SHORT]`),
      sent,
    );
  }
  t.equal(error('LONG', '"1"'), own("bad operand type for abs(): 'str'"));
  t.equal(error('LONG', '{}'), own("bad operand type for abs(): 'dict'"));
  t.equal(error('LONG', '[1]'), own("bad operand type for abs(): 'list'"));
  t.end();
});

void t.test('the leverage of a FLAT decides nothing, but must be a number', (t) => {
  const error = (leverage: string): string => {
    const desk = new IntakeDesk();
    desk.send({ text: LONG });
    return desk.errorOf({ text: signalText('BTCUSD', 'FLAT', leverage), nowMs: WEDNESDAY_MS + 10_000 });
  };
  for (const taken of ['0', '-7', '1e300', 'true', '"0.5"', '" 1e2 "', '"1_000."', '".5"'])
    t.equal(error(taken), '', taken);
  t.match(
    error('NaN'),
    'Input should be a finite number [type=finite_number, input_value=nan, input_type=float]',
  );
  t.match(error('1e400'), 'input_value=inf');
  t.match(error('"-Infinity"'), "[type=finite_number, input_value='-Infinity', input_type=str]");
  t.match(
    error('1' + '0'.repeat(400)),
    /float_type, input_value=1000000000000000000000000\.\.\.0{24}, input_type=int/,
  );
  t.match(
    error(`"${'😀'.repeat(40)}"`),
    `input_value='${'😀'.repeat(6)}...${'😀'.repeat(5)}', input_type=str`,
  );
  t.match(error(`"${'y'.repeat(48)}"`), `input_value='${'y'.repeat(48)}', input_type=str`);
  t.match(
    error(`"${'y'.repeat(49)}"`),
    `input_value='${'y'.repeat(24)}...${'y'.repeat(23)}', input_type=str`,
  );
  t.match(
    error('"x"'),
    "unable to parse string as a number [type=float_parsing, input_value='x', input_type=str]",
  );
  t.match(error('[]'), 'Input should be a valid number [type=float_type, input_value=[], input_type=list]');
  t.end();
});

void t.test('two fields that are wrong are both named', (t) => {
  const prices = { websocket: [websocketPrice(-5, WEDNESDAY_MS)], rest: [] };
  const error = new IntakeDesk().errorOf({ text: signalText('BTCUSD', 'LONG', '-0.1'), prices });
  t.match(error, /2 validation errors for Order\nleverage\n {2}Value error, Leverage must be positive/);
  t.match(
    error,
    /\nprice\n {2}Value error, Price must be greater than 0 \[type=value_error, input_value=-5.0/,
  );
  t.end();
});

void t.test('order types are read to the letter', (t) => {
  for (const [type, shown] of [
    ['"long"', 'long'],
    ['"LONG "', 'LONG '],
    ['null', 'None'],
    ['1.0', '1.0'],
    [`["a"]`, "['a']"],
  ] as const) {
    const text = `{"trade_pair": {"trade_pair_id": "BTCUSD"}, "leverage": 0.1, "order_type": ${type}}`;
    t.equal(
      new IntakeDesk().errorOf({ text }),
      own(`No matching order type found for value '${shown}'. Please check the input and try again.`),
    );
  }
  t.end();
});

void t.test('uuids that are no names for files are refused, and those of accepted orders too', (t) => {
  for (const uuid of ['../x', 'a/b', 'a b', '.', 'é', 'a\u0000', 'a'.repeat(65), 'a\n']) {
    const desk = new IntakeDesk();
    t.match(
      desk.errorOf({ text: LONG, uuid }),
      /^The uuid of an order must have 1 to 64/,
      JSON.stringify(uuid),
    );
    t.match(desk.errorOf({ text: signalText('BTCUSD', 'FLAT', 0), uuid }), /^The uuid of an order/);
    t.equal(desk.files.size, 0);
  }
  const desk = new IntakeDesk({ registeredHotkeys: new Set([HOTKEY, 'other']) });
  t.equal(desk.errorOf({ text: LONG, uuid: 'a'.repeat(64) }), '');
  t.match(desk.errorOf({ text: LONG, uuid: 'a'.repeat(64), hotkey: 'other' }), 'has already been processed');
  t.end();
});

void t.test('the oldest uuids are forgotten', (t) => {
  const uuids = new Set<string>();
  const generation = { ...GENERATION_2025_05, rememberedUuids: 2 };
  for (const uuid of ['a', 'b', 'a', 'c']) rememberUuid(uuids, uuid, generation);
  t.strictSame([...uuids], ['a', 'c']);
  t.end();
});

void t.test('two orders at once on one pair: the second one waits', (t) => {
  const desk = new IntakeDesk();
  t.equal(desk.errorOf({ text: LONG }), '');
  t.equal(
    desk.errorOf({ text: LONG }),
    signalError(
      "'Order for trade pair [BTCUSD] was placed too soon after the previous order. Last order was placed at " +
        '[2025-05-14 14:00:00] and current order was placed at [2025-05-14 14:00:00].Please wait 10.0 seconds ' +
        "before placing another order.'",
    ),
  );
  t.match(
    desk.errorOf({ text: LONG, nowMs: WEDNESDAY_MS - 5000 }),
    'Please wait 15.0 seconds',
    'a clock set back',
  );
  t.equal(desk.miners.get(HOTKEY)?.openPositions.get('BTCUSD')?.orders.length, 1);
  t.end();
});

void t.test('markets that are closed, pairs that are halted', (t) => {
  const saturday = WEDNESDAY_MS + 3 * 86_400_000;
  const euro = signalText('EURUSD', 'LONG', 1);
  t.match(
    new IntakeDesk().errorOf({ text: euro, nowMs: saturday }),
    /^Market for trade pair \[EURUSD\] is likely/,
  );
  const desk = new IntakeDesk({ haltedPairs: new Set(['EURUSD']) });
  t.equal(
    desk.errorOf({ text: euro }),
    'Trade pair [EURUSD] has been temporarily halted. Please try again with a different trade pair.',
  );
  t.end();
});

void t.test('a pair is not traded before its class was', (t) => {
  const nowMs = Date.UTC(2024, 0, 3, 15);
  t.equal(
    new IntakeDesk().errorOf({ text: signalText('NVDA', 'LONG', 1), nowMs }),
    own('Trade pair NVDA is not traded at this time'),
  );
  t.end();
});

void t.test('without a usable price there is no order', (t) => {
  const none = { websocket: [], rest: [] };
  t.match(
    new IntakeDesk().errorOf({ text: LONG, prices: none }),
    'due to no live prices being found for trade_pair',
  );
  for (const broken of [{ open: NaN }, { close: Infinity }, { vwap: NaN }, { bid: NaN }, { start_ms: NaN }]) {
    const prices = { websocket: [websocketPrice(100, WEDNESDAY_MS, broken)], rest: [] };
    t.match(new IntakeDesk().errorOf({ text: LONG, prices }), 'no live prices', JSON.stringify(broken));
  }
  const rest = [websocketPrice(101, WEDNESDAY_MS, { websocket: false, timespan_ms: 1000 })];
  const broken = { websocket: [websocketPrice(NaN, WEDNESDAY_MS)], rest };
  const filled = new IntakeDesk().send({ text: LONG, prices: broken });
  t.match(
    filled,
    { ok: true, accepted: { order: { price: 101 } } },
    'a source that is broken hides no other',
  );
  t.end();
});

void t.test('what slippage cannot be computed from refuses the order', (t) => {
  const quoted = { websocket: [websocketPrice(1.1, WEDNESDAY_MS, { bid: 1.1, ask: 1.1001 })], rest: [] };
  const send = (pair: string, features: object | undefined): string =>
    new IntakeDesk({}, { slippageFeaturesOf: () => features as never }).errorOf({
      text: signalText(pair, 'LONG', 1),
      prices: quoted,
    });
  t.equal(
    send('EURUSD', undefined),
    own('No volatility and volume of EURUSD are known for the day of the order'),
  );
  const features = { annualizedVolatility: 0.1, averageDailyVolume: 1e5 };
  t.equal(send('EURUSD', features), own('No price in USD of the base currency of EURUSD is known'));
  t.equal(send('USDJPY', features), '', 'a pair that begins with USD needs none');
  t.equal(send('USDJPY', { ...features, averageDailyVolume: -1 }), own('Slippage of USDJPY is not a number'));
  t.end();
});

void t.test('requests are counted, those that are refused for their number are not', (t) => {
  const desk = new IntakeDesk();
  const flat = signalText('BTCUSD', 'FLAT', 0);
  for (let index = 0; index < 10; index++) t.equal(desk.errorOf({ text: flat }), '');
  t.equal(
    desk.errorOf({ text: flat, nowMs: WEDNESDAY_MS + 123 }),
    'Rate limited. Please wait 59.877 seconds before sending another signal. SendSignal',
  );
  t.equal(desk.errorOf({ text: flat, nowMs: WEDNESDAY_MS + 60_001 }), '');
  t.end();
});

void t.test('a miner asks for its positions', (t) => {
  const desk = new IntakeDesk();
  desk.send({ text: LONG });
  const state = desk.miners.get(HOTKEY) ?? NEW_MINER;
  const ask = (hotkey: string): ReturnType<typeof answerPositions> =>
    answerPositions(desk.validator, state, { hotkey, version: 1 }, WEDNESDAY_MS);
  t.match(ask(HOTKEY), {
    isForbidden: false,
    answer: { successfully_processed: true, positions: { length: 1 } },
  });
  t.match(ask('5Unknown'), {
    isForbidden: true,
    answer: { successfully_processed: false, positions: { length: 0 } },
  });
  const stopping = { ...desk.validator, isStopping: true };
  const { answer } = answerPositions(stopping, state, { hotkey: HOTKEY, version: 1 }, WEDNESDAY_MS);
  t.match(answer.error_message, /^Validator is restarting/);
  t.end();
});
