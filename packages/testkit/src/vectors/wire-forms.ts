import { isJsonObject, parseJson, plainValue, pythonStr } from '@ptn-api/positions';
import type { JsonObject, JsonValue } from '@ptn-api/positions';
import {
  NONCE_WINDOW_NS,
  NonceMemory,
  answerRequest,
  bodyHash,
  boolOf,
  decodeAddress,
  readAnswer,
  readHotkeyFile,
  refuseRequest,
  seedOfPhrase,
  signatureProblem,
  verifyRequest,
} from '@ptn-api/wire';
import type { Exchange } from '@ptn-api/wire';
import type { Difference } from './compare-texts.ts';
import { readText } from './read-text.ts';
import { expectEqual, isNamed } from './vector-form.ts';
import type { VectorForm } from './vector-form.ts';

const hex = (bytes: Uint8Array | undefined): string | null =>
  bytes === undefined ? null : `0x${Buffer.from(bytes).toString('hex')}`;

interface KeysFile {
  readonly keys: readonly { readonly ss58: string; readonly public_key: string }[];
  readonly signatures: readonly {
    readonly ss58: string;
    readonly message: string;
    readonly signature: string;
    readonly valid: boolean;
  }[];
  readonly addresses: readonly {
    readonly address: string;
    readonly public_key_if_valid_with_prefix_42: string | null;
  }[];
  readonly hotkey_files: readonly {
    readonly file: Readonly<Record<string, unknown>>;
    readonly hotkey: string;
    readonly can_sign: boolean;
  }[];
  readonly phrase_to_seed: { readonly phrase: string; readonly seed: string };
}

function runKeys(path: string, difference: Difference): number {
  const file = JSON.parse(readText(path)) as KeysFile;
  for (const { ss58, public_key } of file.keys)
    expectEqual(difference, ss58, hex(decodeAddress(ss58)), public_key);
  for (const { ss58, message, signature, valid } of file.signatures) {
    const isValid = signatureProblem(ss58, message, signature) === undefined;
    expectEqual(difference, `${ss58} ${message}`, isValid, valid);
  }
  for (const { address, public_key_if_valid_with_prefix_42: wanted } of file.addresses) {
    expectEqual(difference, address, hex(decodeAddress(address)), wanted);
  }
  for (const { file: hotkeyFile, hotkey, can_sign } of file.hotkey_files) {
    const read = readHotkeyFile(JSON.stringify(hotkeyFile));
    const got = read.ok ? [read.address, read.keypair !== undefined] : [read.reason];
    expectEqual(difference, 'hotkey file', got, [hotkey, can_sign]);
  }
  expectEqual(difference, 'phrase', hex(seedOfPhrase(file.phrase_to_seed.phrase)), file.phrase_to_seed.seed);
  return file.keys.length + file.signatures.length + file.addresses.length + file.hotkey_files.length + 1;
}

interface HashedValue {
  readonly python_str: string;
  readonly body_hash: string;
}

function runBodyHash(path: string, difference: Difference): number {
  const file = JSON.parse(readText(path)) as {
    readonly send_signal: readonly (HashedValue & { readonly signal_json: string })[];
    readonly get_positions_empty: HashedValue;
    readonly get_dash_data_empty: HashedValue;
  };
  const cases = [
    ...file.send_signal,
    { signal_json: '[]', ...file.get_positions_empty },
    { signal_json: '{}', ...file.get_dash_data_empty },
  ];
  for (const { signal_json, python_str, body_hash } of cases) {
    const value = parseJson(signal_json);
    expectEqual(difference, signal_json, [pythonStr(value), bodyHash([value])], [python_str, body_hash]);
  }
  return cases.length;
}

/** Cases that Python answers otherwise, and why they are answered so here; decision 0022 has the reasons at length. */
const ON_PURPOSE: Readonly<
  Record<string, { readonly status: number; readonly begins: string; readonly why: string }>
> = {
  'signature-first-digit': {
    status: 401,
    begins: 'Not Verified with error: Signature mismatch with ',
    why: 'one text for every signature of the right length that does not fit',
  },
  'age-100s-timeout-header-200': {
    status: 401,
    begins:
      'Not Verified with error: Nonce is too old: acceptable delta is 19.00 seconds but request was 100.00',
    why: 'the timeout is not signed and widens the age limit by 15 s at most',
  },
  'nonce-in-future-1h': {
    status: 401,
    begins:
      'Not Verified with error: Nonce is from the future: acceptable delta is 4.00 seconds but request is 3600.00',
    why: 'nonces that lie ahead could not be forgotten',
  },
  'version-7001-skips-age': {
    status: 401,
    begins: 'Not Verified with error: Nonce is too old: acceptable delta is 16.00 seconds',
    why: 'an unsigned version does not switch the age limit off',
  },
  'version-missing-skips-age': {
    status: 401,
    begins: 'Not Verified with error: Nonce is too old: acceptable delta is 16.00 seconds',
    why: 'an unsigned version does not switch the age limit off',
  },
  'body-dendrite-hotkey-of-other': {
    status: 401,
    begins: 'Not Verified with error: Request of 5',
    why: 'the sender is the one who signed',
  },
};

/** Accepted here and there; what the handler is given differs. */
const HANDED_OVER_OTHERWISE: Readonly<Record<string, string>> = {
  'body-processed-true-and-error-set': 'what a request claims of its own success does not count',
  'body-dendrite-missing': 'the sender is known from the headers, so its order is not refused',
  'body-only-signal-and-uuid': 'the sender is known from the headers, so its order is not refused',
};

interface RequestCase {
  readonly name: string;
  readonly note?: string;
  readonly axon_clock_ns: number;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
  readonly handler_reached: boolean;
}

const FOLLOWS_THE_CASE_BEFORE = /^(?:replayed|seq-[23]-)/;

/** What the handler of the vectors set, taken from the answer; the rest of the answer is compared. */
const SET_BY_HANDLER = ['successfully_processed', 'error_message', 'validator_hotkey', 'order_json'];

function members(value: JsonValue | undefined): JsonObject {
  if (!isJsonObject(value)) throw new Error('an object was expected');
  return value;
}

function withoutTimes(body: JsonValue): unknown {
  return JSON.parse(JSON.stringify(plainValue(body)).replace(/"process_time":[^,}]*/g, '"process_time":0'));
}

function runRequests(path: string, difference: Difference): number {
  const root = members(parseJson(readText(path)));
  const { validator_hotkey, cases } = plainValue(root) as { validator_hotkey: string; cases: RequestCase[] };
  const rows = root.get('cases') as readonly JsonValue[];
  // The file says how many hotkeys are registered: those of the keys file that are not called Nobody.
  const unregistered = cases.find(({ name }) => name === 'signed-by-unregistered');
  let nonces = new NonceMemory(NONCE_WINDOW_NS);
  for (const [index, { name, request, handler_reached }] of cases.entries()) {
    if (!FOLLOWS_THE_CASE_BEFORE.test(name)) nonces = new NonceMemory(NONCE_WINDOW_NS);
    const row = members(rows[index]);
    const clock = row.get('axon_clock_ns');
    const verdict = verifyRequest(
      { ...request, body: Buffer.from(request.body) },
      {
        hotkey: validator_hotkey,
        served: ['SendSignal'],
        isRegistered: (hotkey) =>
          decodeAddress(hotkey) !== undefined &&
          hotkey !== unregistered?.request.headers['bt_header_dendrite_hotkey'],
        nonces,
        nowNs: BigInt((clock as { lexeme: string }).lexeme),
        errorId: '<uuid4>',
      },
    );
    const wanted = members(row.get('response'));
    const wantedBody = wanted.get('body') ?? null;
    const onPurpose = ON_PURPOSE[name];
    if (onPurpose !== undefined) {
      const message = verdict.accepted ? 'accepted' : String(verdict.body['message']);
      expectEqual(difference, name, verdict.accepted || verdict.status, onPurpose.status);
      expectEqual(difference, name, message.slice(0, onPurpose.begins.length), onPurpose.begins);
      difference.expected.push(`${name}: ${onPurpose.why}`);
      continue;
    }
    expectEqual(difference, name, verdict.accepted, handler_reached);
    if (!verdict.accepted) {
      const refused = refuseRequest(request.headers, verdict);
      expectEqual(difference, name, refused.status, plainValue(wanted.get('status') ?? null));
      expectEqual(difference, name, JSON.parse(refused.body), plainValue(wantedBody));
      continue;
    }
    const handedOver = HANDED_OVER_OTHERWISE[name];
    if (handedOver !== undefined) difference.expected.push(`${name}: ${handedOver}`);
    expectEqual(difference, name, verdict.sender, request.headers['bt_header_dendrite_hotkey']);
    expectEqual(
      difference,
      name,
      SET_BY_HANDLER.map((field) => verdict.fields.get(field)),
      [false, '', '', ''],
    );
    const set = SET_BY_HANDLER.map((field) => [field, members(wantedBody).get(field) ?? null] as const);
    const answer = answerRequest(verdict, Object.fromEntries(set), 2);
    expectEqual(difference, name, withoutTimes(parseJson(answer.body)), withoutTimes(wantedBody));
  }
  return cases.length;
}

interface DendriteCase {
  readonly name: string;
  readonly server_sends: string;
  readonly result: {
    readonly successfully_processed: boolean;
    readonly validator_hotkey: string;
    readonly error_message: string;
    readonly order_json: string;
    readonly dendrite_status_code: number;
    readonly dendrite_status_message: string | null;
  };
}

/** Texts that name internals of Python's libraries are compared as far as they are bittensor's own. */
const INTERNAL = /^(Failed to parse response: )(?:0, message=|\d+ validation error|\S+ argument after)/;

function exchangeOf({ name, server_sends, result }: DendriteCase): Exchange {
  if (name === 'timeout') return { kind: 'timeout', timeoutMs: 1000 };
  if (name === 'reset') return { kind: 'disconnected', problem: 'Server disconnected' };
  if (name === 'closed-port') {
    const port = /:(\d+)\//.exec(result.dendrite_status_message ?? '')?.[1];
    return { kind: 'unreachable', ip: '127.0.0.1', port: Number(port) };
  }
  const [head = '', ...body] = server_sends.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  return {
    kind: 'answered',
    status: Number(statusLine.split(' ')[1]),
    headers: Object.fromEntries(
      lines.map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
    ),
    body: body.join('\r\n\r\n'),
  };
}

function runDendriteResults(path: string, difference: Difference): number {
  const { cases } = JSON.parse(readText(path)) as { cases: DendriteCase[] };
  for (const item of cases) {
    const { statusCode, statusMessage, fields } = readAnswer('SendSignal', exchangeOf(item));
    const { result } = item;
    const prefix = INTERNAL.exec(result.dendrite_status_message ?? '')?.[1];
    expectEqual(
      difference,
      item.name,
      [
        boolOf(fields.get('successfully_processed')),
        ...['validator_hotkey', 'error_message', 'order_json'].map((name) => fields.get(name)),
        statusCode,
        prefix === undefined ? statusMessage : statusMessage?.slice(0, prefix.length),
      ],
      [
        result.successfully_processed,
        result.validator_hotkey,
        result.error_message,
        result.order_json,
        result.dendrite_status_code,
        prefix ?? result.dendrite_status_message,
      ],
    );
    if (prefix !== undefined) difference.expected.push(`${item.name}: the reason is said in other words`);
  }
  return cases.length;
}

const form = (file: string, name: string, run: VectorForm['run']): VectorForm => ({
  name,
  recognises: (path) => isNamed(path, 'wire', file),
  run,
});

/** What miners and validators say to each other. */
export const WIRE_FORMS: readonly VectorForm[] = [
  form('keys.json', 'keys, addresses and signatures', runKeys),
  form('body_hash.json', 'hashes of bodies', runBodyHash),
  form('requests.json', 'requests as a validator answers them', runRequests),
  form('dendrite_results.json', 'answers as a miner reads them', runDendriteResults),
];
