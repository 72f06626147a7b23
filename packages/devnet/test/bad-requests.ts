import { parseJson } from '@ptn-api/positions';
import type { SignedRequest } from '@ptn-api/wire';
import { NOW_NS, signed } from './axon-fixture.ts';
import { LONG, MINER, OTHER, SATURDAY_MS, UNREGISTERED, signalText } from './validator-fixture.ts';

const SECOND_NS = 1_000_000_000n;

function withHeader(request: SignedRequest, name: string, value: string | undefined): SignedRequest {
  const others = Object.entries(request.headers).filter(([known]) => known !== name);
  return {
    ...request,
    headers: Object.fromEntries(value === undefined ? others : [...others, [name, value]]),
  };
}

/** The text of an order's refusal. */
export const ORDER_ERROR = (text: string): string =>
  `Error processing order for [${MINER.address}] with error [${text}]`;

/** A signal, and the text of its refusal. */
export const REFUSED_SIGNALS: readonly { name: string; signal: string; error: string; atMs?: number }[] = [
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
    name: 'pair that is nested deeply',
    signal: `{"trade_pair": ${'['.repeat(200)}${']'.repeat(200)}}`,
    error: ORDER_ERROR(
      `(SignalException(...), "miner [${MINER.address}] incorrectly sent trade pair. Raw signal: ` +
        `{'trade_pair': ${'['.repeat(200)}${']'.repeat(200)}}")`,
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

const unverified = (text: string): string => `Not Verified with error: ${text}`;
const noHex = unverified('Signature is not a 0x string');

/** A request that is not let in; `message` may be a beginning. */
export const REJECTED: readonly {
  name: string;
  request: () => SignedRequest;
  status: number;
  message: string;
}[] = [
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
    request: () => signed(LONG, { keypair: UNREGISTERED }),
    ...{ status: 403, message: `Forbidden. Key is blacklisted: ${UNREGISTERED.address}.` },
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
