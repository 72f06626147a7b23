import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { isJsonObject, parseJson, plainValue, signRequest } from '@ptn-api/wire';
import type { RequestToSign, SignedRequest } from '@ptn-api/wire';
import type { TestScope } from '@ptn-api/testkit';
import t from 'tap';
import { Axon } from '../dist/validator/axon.js';
import type { AxonReport } from '../dist/validator/axon.js';
import { AxonServer } from '../dist/validator/axon-server.js';
import {
  FailingCalls,
  MINER,
  OTHER,
  SATURDAY_MS,
  STRANGER,
  VALIDATOR,
  WEDNESDAY_MS,
  contentsOf,
  makeValidator,
  signalText,
} from './validator-fixture.ts';
import type { TestValidator } from './validator-fixture.ts';

/** The real time: nonces know nothing of the simulated one. */
const NOW_NS = 1_800_000_000_000_000_000n;
const SECOND_NS = 1_000_000_000n;
const LONG = signalText('BTCUSD', 'LONG', 0.1);

interface TestAxon extends TestValidator {
  readonly axon: Axon;
  readonly reports: AxonReport[];
  clock: { nowMs: number; nowNs: bigint };
}

function makeAxon(scope: TestScope, calls = new FailingCalls()): TestAxon {
  const parts = makeValidator(scope, { calls: calls.calls });
  const clock = { nowMs: WEDNESDAY_MS, nowNs: NOW_NS };
  const reports: AxonReport[] = [];
  const axon = new Axon({
    validator: parts.validator,
    nowMs: () => clock.nowMs,
    nowNs: () => clock.nowNs,
    report: (report) => reports.push(report),
  });
  return { ...parts, axon, clock, reports };
}

let uuids = 0;

function signed(signal: string, changes: Partial<RequestToSign> = {}): SignedRequest {
  uuids += 1;
  return signRequest({
    synapse: 'SendSignal',
    fields: { signal: parseJson(signal), miner_order_uuid: `order-${uuids}` },
    axon: { ip: '127.0.0.1', port: 8091, hotkey: VALIDATOR.address },
    keypair: MINER,
    nonceNs: NOW_NS,
    uuid: `run-${uuids}`,
    timeoutMs: 12_000,
    ip: '127.0.0.1',
    ...changes,
  });
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

function ask({ axon }: TestAxon, request: SignedRequest): Answer {
  const answer = axon.answer({ ...request, body: Buffer.from(request.body) });
  return { status: answer.status, body: plainValue(parseJson(answer.body)) as Answer['body'] };
}

function withHeader(request: SignedRequest, name: string, value: string | undefined): SignedRequest {
  const others = Object.entries(request.headers).filter(([known]) => known !== name);
  return {
    ...request,
    headers: Object.fromEntries(value === undefined ? others : [...others, [name, value]]),
  };
}

const ORDER_ERROR = (text: string): string =>
  `Error processing order for [${MINER.address}] with error [${text}]`;

/** A signal, and the text of its refusal. */
const REFUSED_SIGNALS: readonly { name: string; signal: string; error: string; atMs?: number }[] = [
  {
    name: 'unknown pair',
    signal: signalText('BTCEUR', 'LONG', 0.1),
    error: ORDER_ERROR(
      `(SignalException(...), "miner [${MINER.address}] incorrectly sent trade pair. Raw signal: ` +
        "{'trade_pair': {'trade_pair_id': 'BTCEUR'}, 'order_type': 'LONG', 'leverage': 0.1}\")",
    ),
  },
  {
    name: 'pair as text',
    signal: '{"trade_pair": "BTCUSD", "order_type": "LONG", "leverage": 0.1}',
    error: ORDER_ERROR(
      `(SignalException(...), "miner [${MINER.address}] incorrectly sent trade pair. Raw signal: ` +
        "{'trade_pair': 'BTCUSD', 'order_type': 'LONG', 'leverage': 0.1}\")",
    ),
  },
  {
    name: 'empty signal',
    signal: '{}',
    error: ORDER_ERROR(
      `(SignalException(...), 'miner [${MINER.address}] incorrectly sent trade pair. Raw signal: {}')`,
    ),
  },
  {
    name: 'lower-case type',
    signal: signalText('BTCUSD', 'long', 0.1),
    error: ORDER_ERROR(
      "No matching order type found for value 'long'. Please check the input and try again.",
    ),
  },
  { name: 'no leverage', signal: LONG.replace('"leverage"', '"size"'), error: ORDER_ERROR("'leverage'") },
  { name: 'no type', signal: LONG.replace('"order_type"', '"type"'), error: ORDER_ERROR("'order_type'") },
  {
    name: 'leverage as text',
    signal: signalText('BTCUSD', 'LONG', '"0.1"'),
    error: ORDER_ERROR("bad operand type for abs(): 'str'"),
  },
  ...(
    [
      ['NaN', 'nan'],
      ['Infinity', 'inf'],
      ['-Infinity', '-inf'],
      ['1e308', '1e+308'],
      ['1e400', 'inf'],
      ['501', '501'],
      ['0.0005', '0.0005'],
      ['0', '0'],
      ['9'.repeat(400), '9'.repeat(400)],
    ] as const
  ).map(([leverage, shown]) => ({
    name: `leverage ${leverage.slice(0, 9)}`,
    signal: signalText('BTCUSD', 'LONG', leverage),
    error: ORDER_ERROR(
      '1 validation error for Order\n  Value error, Order leverage must be between 0.001 and 500, provided - ' +
        `lev [${shown}] and order_type [LONG] (<enum 'OrderType'>) [type=value_error, ` +
        "input_value={'trade_pair': <TradePair... 'bid': 0.0, 'ask': 0.0}, input_type=dict]\n" +
        '    For further information visit https://errors.pydantic.dev/2.13/v/value_error',
    ),
  })),
  {
    name: 'negative LONG',
    signal: signalText('BTCUSD', 'LONG', -0.1),
    error: ORDER_ERROR(
      '1 validation error for Order\nleverage\n  Value error, Leverage must be positive for LONG orders. ' +
        '[type=value_error, input_value=-0.1, input_type=float]\n' +
        '    For further information visit https://errors.pydantic.dev/2.13/v/value_error',
    ),
  },
  {
    name: 'below the least of the pair',
    signal: signalText('EURUSD', 'LONG', 0.05),
    error: ORDER_ERROR(
      `Miner ${MINER.address} attempted to set EURUSD position leverage below min_position_leverage 0.1`,
    ),
  },
  {
    name: 'paused pair',
    signal: signalText('XAUUSD', 'LONG', 1),
    error: ORDER_ERROR(
      `Miner ${MINER.address} attempted to exceed max leverage 5 for trade pair XAUUSD. Ignoring order.`,
    ),
  },
  {
    name: 'closed market',
    signal: signalText('EURUSD', 'LONG', 1),
    error:
      'Market for trade pair [EURUSD] is likely closed or this validator is having issues fetching live price. ' +
      'Please try again later.',
    atMs: SATURDAY_MS,
  },
  {
    name: 'indices, which are never open',
    signal: signalText('SPX', 'FLAT', 0),
    error:
      'Market for trade pair [SPX] is likely closed or this validator is having issues fetching live price. ' +
      'Please try again later.',
  },
  {
    name: 'no price',
    signal: signalText('SOLUSD', 'LONG', 0.1),
    error: ORDER_ERROR(
      `(SignalException(...), "Ignoring order for [${MINER.address}] due to no live prices being found for ` +
        "trade_pair [{'trade_pair_id': 'SOLUSD', 'trade_pair': 'SOL/USD', 'fees': 0.001, 'min_leverage': 0.01, " +
        "'max_leverage': 0.5, 'trade_pair_category': <TradePairCategory.CRYPTO: 'crypto'>}]. Please try again.\")",
    ),
  },
];

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

const unverified = (text: string): string => `Not Verified with error: ${text}`;
const noHex = unverified('Signature is not a 0x string');

/** A request that is not let in; `message` may be a beginning. */
const REJECTED: readonly { name: string; request: () => SignedRequest; status: number; message: string }[] = [
  {
    name: 'unsigned',
    request: () => withHeader(signed(LONG), 'bt_header_dendrite_signature', undefined),
    ...{ status: 401, message: noHex },
  },
  {
    name: 'empty signature',
    request: () => withHeader(signed(LONG), 'bt_header_dendrite_signature', ''),
    ...{ status: 401, message: noHex },
  },
  {
    name: 'signature of another request',
    request: () => {
      const { headers } = signed(LONG, { nonceNs: NOW_NS - 1n });
      return withHeader(
        signed(LONG),
        'bt_header_dendrite_signature',
        headers['bt_header_dendrite_signature'],
      );
    },
    ...{ status: 401, message: unverified(`Signature mismatch with ${NOW_NS}.${MINER.address}.`) },
  },
  {
    name: 'for another validator',
    request: () => signed(LONG, { axon: { ip: '127.0.0.1', port: 1, hotkey: OTHER.address } }),
    ...{ status: 401, message: unverified('Signature mismatch with ') },
  },
  {
    name: 'nobody in the network',
    request: () => signed(LONG, { keypair: STRANGER }),
    ...{ status: 403, message: `Forbidden. Key is blacklisted: ${STRANGER.address}.` },
  },
  {
    name: 'no hotkey',
    request: () => withHeader(signed(LONG), 'bt_header_dendrite_hotkey', undefined),
    ...{ status: 403, message: 'Forbidden. Key is blacklisted: None.' },
  },
  {
    name: 'in the name of another, who did not sign',
    request: () => withHeader(signed(LONG), 'bt_header_dendrite_hotkey', OTHER.address),
    ...{ status: 401, message: unverified('Signature mismatch with ') },
  },
  {
    name: 'another name in the body',
    request: () => {
      const request = signed(LONG);
      return { ...request, body: request.body.replace(MINER.address, OTHER.address) };
    },
    ...{
      status: 401,
      message: unverified(`Request of ${MINER.address} names ${OTHER.address} as its sender`),
    },
  },
  {
    name: 'another name in the body, which is no header',
    request: () => {
      const request = signed(LONG);
      return { ...request, body: request.body.replace(MINER.address, '5\\u20ac\\r\\nx: y') };
    },
    ...{ status: 401, message: unverified(`Request of ${MINER.address} names 5€\r\nx: y as its sender`) },
  },
  {
    name: 'old nonce',
    request: () => signed(LONG, { nonceNs: NOW_NS - 16n * SECOND_NS }),
    ...{
      status: 401,
      message: unverified(
        'Nonce is too old: acceptable delta is 16.00 seconds but request was 16.00 seconds old',
      ),
    },
  },
  {
    name: 'nonce in ms',
    request: () => signed(LONG, { nonceNs: NOW_NS / 1_000_000n }),
    ...{
      status: 401,
      message: unverified('Nonce is too old: acceptable delta is 16.00 seconds but request'),
    },
  },
  {
    name: 'future nonce',
    request: () => signed(LONG, { nonceNs: NOW_NS + 5n * SECOND_NS }),
    ...{
      status: 401,
      message: unverified(
        'Nonce is from the future: acceptable delta is 4.00 seconds but request is 5.00 seconds ahead',
      ),
    },
  },
  {
    name: 'no nonce',
    request: () => withHeader(signed(LONG), 'bt_header_dendrite_nonce', undefined),
    ...{ status: 401, message: unverified('Missing Nonce') },
  },
  {
    name: 'a nonce that is no number',
    request: () => withHeader(signed(LONG), 'bt_header_dendrite_nonce', '1e18'),
    ...{ status: 500, message: 'Internal Server Error #' },
  },
  {
    name: 'no hash',
    request: () => withHeader(signed(LONG), 'computed_body_hash', undefined),
    ...{ status: 500, message: 'Internal Server Error #' },
  },
  {
    name: 'another signal than was signed',
    request: () => {
      const request = signed(LONG);
      return { ...request, body: request.body.replace('"leverage": 0.1', '"leverage": 0.2') };
    },
    ...{ status: 500, message: 'Internal Server Error #' },
  },
  {
    name: 'a list for a signal',
    request: () => signed('[]'),
    ...{ status: 500, message: 'Internal Server Error #' },
  },
  {
    name: 'a signal that is nested deeply',
    request: () => signed(`{"trade_pair": ${'['.repeat(200)}${']'.repeat(200)}}`),
    ...{ status: 500, message: 'Internal Server Error #' },
  },
  {
    name: 'an uuid that is a path',
    request: () => signed(LONG, { fields: { signal: parseJson(LONG), miner_order_uuid: '../../x' } }),
    ...{ status: 400, message: 'miner_order_uuid may hold letters, digits and dashes, at most 64' },
  },
  {
    name: 'unknown synapse',
    request: () => ({ ...signed(LONG), path: '/SendSignals' }),
    ...{
      status: 404,
      message:
        "Synapse name 'SendSignals' not found. Available synapses " +
        "['Synapse', 'SendSignal', 'GetPositions', 'GetDashData']",
    },
  },
];

void t.test('who is not to be believed is not let in, and the log says why', (t) => {
  for (const { name, request, status, message } of REJECTED) {
    const axon = makeAxon(t);
    const answer = ask(axon, request());
    t.equal(answer.status, status, name);
    t.equal(String(answer.body['message']).slice(0, message.length), message, name);
    t.strictSame(contentsOf(axon.root), {}, name);
    t.equal(axon.reports.length, 1);
    t.not(axon.reports[0]?.problem, '', name);
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
  t.match(axon.reports[0]?.problem, /^no such source \(the sender was told error #/);
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
  t.match(ask(axon, signed('{}', { ...positions, keypair: OTHER })).body, {
    successfully_processed: true,
    positions: [],
  });
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

interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

function overHttp(port: number, request: SignedRequest, method = 'POST'): Promise<HttpAnswer> {
  const { path, headers, body } = request;
  return new Promise((resolve, reject) => {
    const framed = { ...headers, 'content-length': Buffer.byteLength(body) };
    const sent = httpRequest({ host: '127.0.0.1', port, path, method, headers: framed }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: text });
      });
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

async function listen(scope: TestScope, { axon }: TestAxon): Promise<{ port: number; faults: unknown[] }> {
  const faults: unknown[] = [];
  const server = new AxonServer(axon, (error) => faults.push(error));
  scope.teardown(() => server.close());
  return { port: await server.listen('127.0.0.1', 0), faults };
}

void t.test('all of it over HTTP', async (t) => {
  const axon = makeAxon(t);
  const { port, faults } = await listen(t, axon);
  const accepted = await overHttp(port, signed(LONG));
  t.equal(accepted.status, 200);
  t.ok(isJsonObject(parseJson(accepted.body)));
  t.match(JSON.parse(accepted.body), { successfully_processed: true });
  t.equal((await overHttp(port, signed('{}'), 'GET')).status, 200, 'GET has a body as well');
  t.strictSame(await overHttp(port, signed('{}'), 'PUT'), {
    status: 405,
    body: '{"detail":"Method Not Allowed"}',
  });
  const big = signed(`{"trade_pair": "${'x'.repeat(1_000_000)}"}`);
  t.strictSame(await overHttp(port, big), {
    status: 413,
    body: '{"message":"The body of a request may have 262144 bytes at most"}',
  });
  for (const { name, request, status } of REJECTED) {
    t.equal((await overHttp(port, request())).status, status, name);
  }
  t.strictSame(faults, []);
  t.end();
});

void t.test('who sends without an end, or goes away, is left alone', async (t) => {
  const axon = makeAxon(t);
  const { port, faults } = await listen(t, axon);
  const head = 'POST /SendSignal HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n';
  const endless = connect(port, '127.0.0.1');
  const gone = connect(port, '127.0.0.1');
  gone.write(`${head}5\r\nhello\r\n`, () => gone.destroy());
  const chunk = `100000\r\n${'x'.repeat(1_048_576)}\r\n`;
  endless.on('error', () => undefined);
  endless.write(head);
  const closed = new Promise((resolve) => endless.once('close', resolve));
  const write = (): void => {
    if (!endless.destroyed) endless.write(chunk, write);
  };
  write();
  await closed;
  t.ok(endless.bytesWritten > 16 * 1_048_576);
  t.equal((await overHttp(port, signed(LONG))).status, 200);
  t.strictSame(faults, []);
});
