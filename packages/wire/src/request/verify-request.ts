import { isJsonObject, JsonTextError, parseJson, pythonRepr } from '@ptn-api/positions';
import type { JsonValue } from '@ptn-api/positions';
import { bodyHash } from '../body-hash.ts';
import { readFields } from '../fields.ts';
import { SYNAPSES } from '../synapses.ts';
import type { SynapseForm, SynapseName } from '../synapses.ts';
import type { NonceMemory } from './nonce-memory.ts';
import { readHeaders } from './request-headers.ts';
import type { Headers } from './request-headers.ts';
import { senderProblem } from './sender-problem.ts';

const ORDER_UUID = /^[A-Za-z0-9-]{0,64}$/;

export interface ReceivedRequest {
  readonly method: string;
  /** With its query, if it has one. */
  readonly path: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** What a validator knows while it checks a request. */
export interface AxonState {
  /** The validator's own. */
  readonly hotkey: string;
  /** The synapses that it answers. */
  readonly served: readonly SynapseName[];
  readonly isRegistered: (hotkey: string) => boolean;
  /** Remembers the request's nonce where it is accepted. */
  readonly nonces: NonceMemory;
  readonly nowNs: bigint;
  /** A fresh UUID, which names a refusal without a reason, so that the log can say what it was. */
  readonly errorId: string;
}

export interface AcceptedRequest {
  readonly accepted: true;
  readonly synapse: SynapseName;
  /** The hotkey that signed the request: from the verified headers, never from the body. */
  readonly sender: string;
  /** All fields of the body in their order; those that only a validator fills are in their initial state. */
  readonly fields: ReadonlyMap<string, JsonValue>;
  readonly headers: Headers;
}

export interface RefusedRequest {
  readonly accepted: false;
  readonly status: number;
  /** To be sent as JSON. */
  readonly body: Readonly<Record<string, unknown>>;
  /** For the validator's log: also where the sender is given no reason. */
  readonly reason: string;
}

function refusal(status: number, message: string, reason = message): RefusedRequest {
  return { accepted: false, status, body: { message }, reason };
}

function unverified(problem: string): RefusedRequest {
  return refusal(401, `Not Verified with error: ${problem}`);
}

/** As FastAPI answers what does not reach a route. */
function undelivered(status: number, detail: unknown, reason: string): RefusedRequest {
  return { accepted: false, status, body: { detail }, reason };
}

function readBody(bytes: Uint8Array): { readonly value: JsonValue } | RefusedRequest {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undelivered(400, 'There was an error parsing the body', 'the body is not UTF-8');
  }
  try {
    return { value: parseJson(text) };
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    const { problem, position, message } = error;
    const detail = {
      type: 'json_invalid',
      loc: ['body', position],
      msg: 'JSON decode error',
      input: {},
      ctx: { error: problem },
    };
    return undelivered(422, [detail], `the body is no JSON: ${message}`);
  }
}

/** The fields of a body, or why it does not fit, or not to its hash: a text is a reason that the sender is not given. */
function bodyFields(
  form: SynapseForm,
  bytes: Uint8Array,
  hash: string,
): Map<string, JsonValue> | string | RefusedRequest {
  if (bytes.length === 0) return 'the body is empty';
  const body = readBody(bytes);
  if (!('value' in body)) return body;
  if (!isJsonObject(body.value)) return 'the body is no object';
  const fields = readFields(form.fields, body.value);
  if (typeof fields === 'string') return `the body does not fit: ${fields}`;
  if (bodyHash([fields.get(form.hashed) ?? null]) !== hash) return 'the body does not fit to its hash';
  return fields;
}

/**
 * What bittensor's axon 9.0.0 does with a request before the validator's handler sees it, check by check, without what
 * it does wrong: see decision 0022.
 */
export function verifyRequest(request: ReceivedRequest, axon: AxonState): AcceptedRequest | RefusedRequest {
  const [path = ''] = request.path.split('?');
  const [, name = '', ...deeper] = path.split('/');
  const synapse = axon.served.find((served) => served === name);
  if (synapse === undefined) {
    const known = ['Synapse', ...axon.served].map(pythonRepr).join(', ');
    return refusal(404, `Synapse name '${name}' not found. Available synapses [${known}]`);
  }
  const unexplained = (reason: string): RefusedRequest =>
    refusal(500, `Internal Server Error #${axon.errorId}`, reason);
  const headers = readHeaders(request.headers);
  if (typeof headers === 'string') return unexplained(`header ${headers} is missing or no number`);
  const sender = headers.hotkey;
  if (sender === undefined || !axon.isRegistered(sender)) {
    return refusal(403, `Forbidden. Key is blacklisted: ${sender ?? 'None'}.`);
  }
  const problem = senderProblem(headers, sender, axon.hotkey, axon.nonces, axon.nowNs);
  if (problem !== undefined) return unverified(problem);
  if (deeper.length > 0) return undelivered(404, 'Not Found', `nothing is below /${synapse}`);
  if (request.method !== 'POST' && request.method !== 'GET') {
    return undelivered(405, 'Method Not Allowed', `method ${request.method}`);
  }
  const form: SynapseForm = SYNAPSES[synapse];
  const fields = bodyFields(form, request.body, headers.bodyHash);
  if (typeof fields === 'string') return unexplained(fields);
  if (!(fields instanceof Map)) return fields;
  const named = dendriteHotkey(fields);
  if (named !== undefined && named !== sender) {
    return unverified(`Request of ${sender} names ${named} as its sender`);
  }
  const orderUuid = fields.get('miner_order_uuid');
  if (typeof orderUuid === 'string' && !ORDER_UUID.test(orderUuid)) {
    return refusal(400, 'miner_order_uuid may hold letters, digits and dashes, at most 64');
  }
  fields.set('name', synapse);
  for (const { name: field, initial } of form.fields) {
    if (form.answered.includes(field)) fields.set(field, initial);
  }
  return { accepted: true, synapse, sender, fields, headers: request.headers };
}

function dendriteHotkey(fields: ReadonlyMap<string, JsonValue>): string | undefined {
  const dendrite = fields.get('dendrite');
  const hotkey = isJsonObject(dendrite) ? dendrite.get('hotkey') : undefined;
  return typeof hotkey === 'string' ? hotkey : undefined;
}
