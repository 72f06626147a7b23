import { JsonNumber, parseJson } from '@ptn-api/positions';
import type { JsonValue } from '@ptn-api/positions';
import t from 'tap';
import {
  Keypair,
  NONCE_WINDOW_NS,
  NonceMemory,
  SYNAPSES,
  answerRequest,
  boolOf,
  readAnswer,
  refuseRequest,
  seedOfPhrase,
  signRequest,
  verifyRequest,
} from '../dist/index.js';
import type { AcceptedRequest, AxonState, RequestToSign, SignedRequest } from '../dist/index.js';

const root = Keypair.fromSeed(
  seedOfPhrase('bottom drive obey lake curtain smoke basket hold race lonely fit walk'),
);
const [miner, other, validator] = [root.derive('M1'), root.derive('M2'), root.derive('Vali')];
const NOW_NS = 1_747_231_200_000_000_000n;
const SIGNAL = parseJson(
  '{"trade_pair": {"trade_pair_id": "BTCUSD"}, "order_type": "LONG", "leverage": 0.10}',
);

function signed(changes: Partial<RequestToSign> = {}): SignedRequest {
  return signRequest({
    synapse: 'SendSignal',
    fields: { signal: SIGNAL, miner_order_uuid: 'u-1' },
    axon: { ip: '127.0.0.1', port: 8091, hotkey: validator.address },
    keypair: miner,
    nonceNs: NOW_NS,
    uuid: '6f0a2b1c-3310-11f0-9d2e-0242ac120002',
    timeoutMs: 12_000,
    ip: '203.0.113.7',
    ...changes,
  });
}

function axon(changes: Partial<AxonState> = {}): AxonState {
  return {
    hotkey: validator.address,
    served: ['SendSignal', 'GetPositions', 'GetDashData', 'ValidatorCheckpoint'],
    isRegistered: (hotkey) => hotkey === miner.address || hotkey === other.address,
    nonces: new NonceMemory(NONCE_WINDOW_NS),
    nowNs: NOW_NS + 50_000_000n,
    errorId: 'e-1',
    ...changes,
  };
}

function verify(request: Partial<SignedRequest>, state = axon()) {
  const whole = { ...signed(), ...request };
  return verifyRequest({ ...whole, body: Buffer.from(whole.body) }, state);
}

function accepted(request: SignedRequest, state = axon()): AcceptedRequest {
  const verdict = verify(request, state);
  if (!verdict.accepted) throw new Error(verdict.reason);
  return verdict;
}

const statusOf = (verdict: ReturnType<typeof verify>): number => (verdict.accepted ? 200 : verdict.status);

void t.test('what one side signs the other accepts, for every synapse', (t) => {
  for (const synapse of Object.keys(SYNAPSES) as (keyof typeof SYNAPSES)[]) {
    const verdict = accepted(signed({ synapse, fields: {} }));
    t.same([verdict.sender, verdict.synapse], [miner.address, synapse]);
  }
  const { fields } = accepted(signed());
  t.equal(fields.get('miner_order_uuid'), 'u-1');
  t.same(fields.get('repo_version'), 'N/A');
  t.end();
});

void t.test('each changed byte of what is signed is refused', (t) => {
  const request = signed();
  for (const name of ['nonce', 'uuid', 'hotkey', 'signature']) {
    const header = `bt_header_dendrite_${name}`;
    const value = request.headers[header] ?? '';
    const end = value.endsWith('1') ? '2' : '1';
    const headers = { ...request.headers, [header]: value.slice(0, -1) + end };
    t.ok(statusOf(verify({ headers })) >= 401, header);
    t.ok(statusOf(verify({ headers: { ...request.headers, [header]: '' } })) >= 401, `${header} empty`);
  }
  const body = request.body.indexOf('"signal"');
  const end = request.body.indexOf('"repo_version"');
  for (let at = body + 10; at < end - 2; at += 1) {
    const changed = request.body.slice(0, at) + '7' + request.body.slice(at + 1);
    if (changed === request.body) continue;
    t.ok([422, 500].includes(statusOf(verify({ body: changed }))), changed.slice(at - 10, at + 10));
  }
  t.end();
});

void t.test('a request counts once, and its nonce is forgotten when it would be too old', (t) => {
  const nonces = new NonceMemory(NONCE_WINDOW_NS);
  const request = signed();
  t.equal(statusOf(verify(request, axon({ nonces }))), 200);
  t.match(verify(request, axon({ nonces })), { status: 401, reason: /a newer one was last processed/ });
  let nowNs = NOW_NS;
  for (let second = 0; second < 60; second += 1) {
    nowNs += 1_000_000_000n;
    t.equal(statusOf(verify(request, axon({ nonces, nowNs }))), 401, `${second + 1} s later`);
    const uuid = `run-${second}`;
    t.equal(statusOf(verify(signed({ nonceNs: nowNs, uuid }), axon({ nonces, nowNs }))), 200);
  }
  t.ok(nonces.size <= Number(NONCE_WINDOW_NS / 1_000_000_000n) + 1, `${nonces.size} nonces are kept of 61`);
  t.end();
});

void t.test('a spoiled body uses its nonce up; a bad signature does not', (t) => {
  const nonces = new NonceMemory(NONCE_WINDOW_NS);
  const request = signed();
  const headers = { ...request.headers, bt_header_dendrite_signature: other.sign('x') };
  t.equal(statusOf(verify({ ...request, headers }, axon({ nonces }))), 401);
  t.equal(statusOf(verify({ ...request, body: '{}' }, axon({ nonces }))), 500);
  t.equal(statusOf(verify(request, axon({ nonces }))), 401);
  t.end();
});

void t.test('times that an unsigned header asks for count up to a limit', (t) => {
  const age = (timeout: string, ageSeconds: number): number => {
    const headers = { ...signed().headers, timeout };
    return statusOf(verify({ headers }, axon({ nowNs: NOW_NS + BigInt(ageSeconds) * 1_000_000_000n })));
  };
  t.same([age('12.0', 15), age('12.0', 16)], [200, 401]);
  t.same([age('1e9', 18), age('inf', 18), age('inf', 19)], [200, 200, 401]);
  for (const timeout of ['nan', '-5', '0']) t.same([age(timeout, 3), age(timeout, 4)], [200, 401], timeout);
  t.equal(age('x', 0), 500);
  const ahead = (seconds: bigint): number =>
    statusOf(verify(signed({ nonceNs: NOW_NS + seconds * 1_000_000_000n })));
  t.same([ahead(4n), ahead(5n)], [200, 401]);
  t.end();
});

void t.test('a body that names another sender, or an order by a path, is refused', (t) => {
  const { body } = signed();
  t.match(verify({ body: body.replace(miner.address, other.address) }), { status: 401, reason: /names 5/ });
  const ofOrder = (uuid: string): number =>
    statusOf(verify(signed({ fields: { signal: SIGNAL, miner_order_uuid: uuid } })));
  t.equal(ofOrder(''), 200);
  t.equal(ofOrder('a'.repeat(64)), 200);
  for (const uuid of ['../x', 'a/b', 'a.b', 'a\u0000', 'a'.repeat(65), 'ä'])
    t.equal(ofOrder(uuid), 400, uuid);
  t.equal(ofOrder('a'.repeat(257)), 500, 'longer than the field');
  t.end();
});

void t.test('a refusal without a reason has an id for the log', (t) => {
  const request = signed();
  const verdict = verify({ ...request, body: request.body.replace(': 0.1}', ': 0.2}') });
  t.match(verdict, { accepted: false, status: 500, reason: 'the body does not fit to its hash' });
  if (verdict.accepted) throw new Error('accepted');
  const answer = refuseRequest(request.headers, verdict);
  t.equal(answer.body, '{"message":"Internal Server Error #e-1"}');
  t.equal(answer.headers['bt_header_axon_status_code'], '500');
  t.equal(answer.headers['bt_header_dendrite_uuid'], request.headers['bt_header_dendrite_uuid']);
  const odd = verify({ body: request.body.replace(miner.address, '5\\u20ac\\r\\nx: y') });
  if (odd.accepted) throw new Error('accepted');
  const refused = refuseRequest(request.headers, odd);
  t.match(refused.body, 'names 5€\\r\\nx: y as its sender', 'what a message quotes');
  t.match(refused.headers['bt_header_axon_status_message'], /names 5\?\?\?x: y as its sender$/);
  t.match(verify({ body: '\ud800' }), { status: 422 }, 'a replacement character is no JSON');
  const bytes = Uint8Array.of(0x22, 0xff, 0x22);
  t.match(verifyRequest({ ...request, body: bytes }, axon()), {
    status: 400,
    reason: 'the body is not UTF-8',
  });
  t.end();
});

void t.test('an answer is read as it was given', (t) => {
  const verdict = accepted(signed());
  const set: Record<string, JsonValue> = {
    successfully_processed: true,
    validator_hotkey: validator.address,
    order_json: "{'leverage': 0.1}",
  };
  const { status, headers, body } = answerRequest(verdict, set, 12.5);
  const read = readAnswer('SendSignal', { kind: 'answered', status, headers, body });
  t.match(read, { statusCode: 200, statusMessage: 'Success', answered: true });
  t.equal(boolOf(read.fields.get('successfully_processed')), true);
  t.equal(read.fields.get('order_json'), "{'leverage': 0.1}");
  t.same(
    read.fields.get('signal'),
    new Map([...(SIGNAL as Map<string, JsonValue>), ['leverage', new JsonNumber('0.1')]]),
  );
  t.match(body, /"process_time": 0\.0125/);
  t.end();
});

void t.test('an answer that says nothing of its status is an answer all the same', (t) => {
  const headers = { 'content-type': 'application/json; charset=utf-8' };
  const read = readAnswer('SendSignal', {
    kind: 'answered',
    status: 200,
    headers,
    body: '{"order_json":"x"}',
  });
  t.match(read, { statusCode: null, statusMessage: null, answered: true });
  const missing = readAnswer('SendSignal', { kind: 'answered', status: 200, headers: {}, body: '{}' });
  t.match(missing, { statusCode: 422, answered: false, statusMessage: /content type is missing/ });
  const long = `{"error_message":"${'x'.repeat(4097)}"}`;
  t.match(readAnswer('SendSignal', { kind: 'answered', status: 200, headers, body: long }), {
    statusCode: 422,
  });
  t.end();
});
