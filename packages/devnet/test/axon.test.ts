import t from 'tap';
import { parseJson } from '@ptn-api/positions';
import { NOW_NS, ask, makeAxon, signed } from './axon-fixture.ts';
import type { Answer } from './axon-fixture.ts';
import { ORDER_ERROR, REFUSED_SIGNALS, REJECTED } from './bad-requests.ts';
import {
  FailingCalls,
  LONG,
  MINER,
  OTHER,
  VALIDATOR,
  WEDNESDAY_MS,
  contentsOf,
  signalText,
} from './validator-fixture.ts';

const SECOND_NS = 1_000_000_000n;

void t.test('a refused signal is answered with its text, and changes nothing', (t) => {
  for (const { name, signal, error, atMs = WEDNESDAY_MS } of REFUSED_SIGNALS) {
    const axon = makeAxon(t);
    axon.prices.prices.set('XAUUSD', 3300);
    axon.clock.nowMs = atMs;
    const { status, body } = ask(axon, signed(signal));
    t.equal(status, 200, name);
    t.equal(body['error_message'], error, name);
    t.match(body, { successfully_processed: false, validator_hotkey: VALIDATOR.address, order_json: '' });
    t.strictSame(contentsOf(axon.root), {}, name);
    t.strictSame(axon.validator.positionsOf(MINER.address), []);
    t.match(axon.reports, [{ synapse: 'SendSignal', sender: MINER.address, status: 200 }]);
  }
  t.end();
});

void t.test('who is not to be believed is not let in, and the log says why', (t) => {
  for (const { name, request, status, message } of REJECTED) {
    const axon = makeAxon(t);
    const answer = ask(axon, request());
    t.equal(answer.status, status, name);
    t.equal(String(answer.body['message']).slice(0, message.length), message, name);
    t.strictSame(contentsOf(axon.root), {}, name);
    t.equal(axon.reports.length, 1);
    t.not(axon.reports[0]?.problem, '', name);
    t.equal(axon.reports[0]?.fault, undefined, 'which is no fault of the validator');
  }
  t.end();
});

void t.test('a request counts once', (t) => {
  const axon = makeAxon(t);
  const request = signed(LONG);
  t.match(ask(axon, request), { status: 200, body: { successfully_processed: true } });
  for (const seconds of [0n, 1n, 15n, 30n]) {
    axon.clock.nowNs = NOW_NS + seconds * SECOND_NS;
    t.equal(ask(axon, request).status, 401, `replayed after ${seconds} s`);
  }
  t.equal(Object.keys(contentsOf(axon.root)).length, 1);
  t.end();
});

void t.test('what a request claims of its own success is not believed', (t) => {
  const axon = makeAxon(t);
  const request = signed(signalText('BTCUSD', 'long', 0.1));
  const body = request.body
    .replace('"successfully_processed": false', '"successfully_processed": true')
    .replace('"order_json": ""', '"order_json": "x"');
  t.not(body, request.body);
  t.match(ask(axon, { ...request, body }).body, { successfully_processed: false, order_json: '' });
  t.end();
});

void t.test('of two orders at once on one pair the second is too soon', (t) => {
  const axon = makeAxon(t);
  t.match(ask(axon, signed(LONG)).body, { successfully_processed: true });
  const { body } = ask(axon, signed(LONG));
  t.equal(
    body['error_message'],
    ORDER_ERROR(
      "(SignalException(...), 'Order for trade pair [BTCUSD] was placed too soon after the previous order. Last " +
        'order was placed at [2025-05-14 14:00:00] and current order was placed at [2025-05-14 14:00:00].' +
        "Please wait 10.0 seconds before placing another order.')",
    ),
  );
  t.equal(axon.validator.openOf(MINER.address).get('BTCUSD')?.orders.length, 1);
  t.end();
});

void t.test('the eleventh signal within a minute is refused', (t) => {
  const axon = makeAxon(t);
  for (let sent = 0; sent < 10; sent += 1) ask(axon, signed('{}'));
  axon.clock.nowMs += 10_000;
  t.equal(
    ask(axon, signed(LONG)).body['error_message'],
    'Rate limited. Please wait 50.0 seconds before sending another signal. SendSignal',
  );
  t.end();
});

void t.test('an order that cannot be stored is refused, and the validator goes on', (t) => {
  const calls = new FailingCalls();
  const axon = makeAxon(t, calls);
  calls.fails = () => true;
  t.match(ask(axon, signed(LONG)), {
    status: 200,
    body: {
      successfully_processed: false,
      error_message: ORDER_ERROR('The validator could not store the order (ENOSPC). Please try again.'),
    },
  });
  calls.fails = () => false;
  t.match(ask(axon, signed(LONG)).body, { successfully_processed: true, error_message: '' });
  t.end();
});

void t.test('whatever goes wrong in a handler, the next request is answered', (t) => {
  const axon = makeAxon(t);
  axon.prices.at = () => {
    throw new TypeError('no such source');
  };
  const { status, body } = ask(axon, signed(LONG));
  t.equal(status, 500);
  t.match(body['message'], /^Internal Server Error #[0-9a-f-]{36}$/);
  t.match(axon.reports[0]?.problem, /^no such source \(answered as error #/);
  t.ok(axon.reports[0]?.fault instanceof TypeError);
  t.equal(ask(axon, signed('{}')).status, 200);
  t.end();
});

void t.test('an accepted order is answered as Python prints it', (t) => {
  const axon = makeAxon(t);
  const { body } = ask(axon, signed(LONG, { fields: { signal: parseJson(LONG), miner_order_uuid: 'one' } }));
  t.equal(
    body['order_json'],
    "{'trade_pair_id': 'BTCUSD', 'order_type': 'LONG', 'leverage': 0.1, 'price': 100000.0, 'bid': 0.0, " +
      "'ask': 0.0, 'slippage': 0, 'processed_ms': 1747231200000, 'price_sources': [PriceSource(" +
      "source='Polygon_ws', timespan_ms=0, open=100000.0, close=100000.0, vwap=100000.0, high=100000.0, " +
      'low=100000.0, start_ms=1747231199500, websocket=True, lag_ms=500, bid=0.0, ask=0.0)], ' +
      "'order_uuid': 'one', 'src': 0}",
  );
  t.match(body, { miner_order_uuid: 'one', axon: { status_code: 200, status_message: 'Success' } });
  t.end();
});

void t.test('a miner gets its own open positions, with the numbers of the files', (t) => {
  const axon = makeAxon(t);
  ask(axon, signed(LONG));
  const positions = { synapse: 'GetPositions', fields: { version: parseJson('1') } } as const;
  const request = signed('{}', positions);
  const { body } = axon.axon.answer({ ...request, body: Buffer.from(request.body) });
  const [file = ''] = Object.values(contentsOf(axon.root));
  t.ok(body.includes(`"positions": [${file}]`), body);
  const other = ask(axon, signed('{}', { ...positions, keypair: OTHER })).body;
  t.equal(other['successfully_processed'], true);
  t.strictSame(other['positions'], []);
  t.match(ask(axon, signed('{}', positions)).body, {
    successfully_processed: false,
    error_message: 'Rate limited. Please wait 240.0 seconds before sending another signal. GetPositions',
  });
  t.end();
});

void t.test('a miner gets what its dashboard shows', (t) => {
  const axon = makeAxon(t);
  const asked = (): Answer => ask(axon, signed('{}', { synapse: 'GetDashData', fields: {} }));
  t.equal(
    asked().body['error_message'],
    `Error in GetData for [${MINER.address}] with error [[Errno 2] No such file or directory: ` +
      "'runnable/minerstatistics.json'].",
  );
  ask(axon, signed(LONG));
  const row = (hotkey: string): string => `{"hotkey": "${hotkey}", "weight": {"value": 1.0}}`;
  axon.folder.write(
    'runnable/minerstatistics.json',
    `{"version": 6, "data": [${row(OTHER.address)}, ${row(MINER.address)}], "constants": {"A": 1.0}}`,
  );
  axon.folder.write('validation/challengeperiod.json', `{"testing": {"${MINER.address}": 1}, "success": {}}`);
  axon.clock.nowMs += 61_000;
  t.match(asked().body, {
    successfully_processed: true,
    error_message: '',
    data: {
      timestamp: WEDNESDAY_MS,
      statistics: { version: 6, data: [{ hotkey: MINER.address }], constants: { A: 1 } },
      challengeperiod: { testing: { [MINER.address]: 1 }, success: {} },
      positions: { [MINER.address]: { positions: [{ close_ms: 0 }], n_positions: 0 } },
    },
  });
  axon.folder.write('runnable/minerstatistics.json', '{"data": [');
  axon.clock.nowMs += 61_000;
  t.match(asked(), { status: 500, body: { message: /^Internal Server Error #/ } });
  t.end();
});
