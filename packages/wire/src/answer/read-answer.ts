import { floatText, isJsonObject, JsonNumber, JsonTextError, parseJson, pythonInt } from '@ptn-api/positions';
import type { JsonValue } from '@ptn-api/positions';
import { readFields } from '../fields.ts';
import { headerText } from '../request/request-headers.ts';
import type { Headers } from '../request/request-headers.ts';
import { SYNAPSES, synapseBody } from '../synapses.ts';
import type { SynapseForm, SynapseName } from '../synapses.ts';

/** How asking a validator went. */
export type Exchange =
  | { readonly kind: 'answered'; readonly status: number; readonly headers: Headers; readonly body: string }
  | { readonly kind: 'timeout'; readonly timeoutMs: number }
  | { readonly kind: 'unreachable'; readonly ip: string; readonly port: number }
  | { readonly kind: 'disconnected'; readonly problem: string };

/** What the one who asked makes of it. */
export interface AnswerRead {
  /** Of HTTP where the validator answered, else 408, 422 or 503; null where an answer gives none. */
  readonly statusCode: number | null;
  readonly statusMessage: string | null;
  /** The synapse's fields: in their initial state where the validator did not fill them. */
  readonly fields: ReadonlyMap<string, JsonValue>;
  /** Whether the fields are the validator's. */
  readonly answered: boolean;
}

const JSON_TYPE = /^(?:application\/|[\w.-]+\/[\w.+-]+?\+)json$/i;

function parsed(headers: Headers, body: string): { readonly value: JsonValue } | string {
  const [type = ''] = (headerText(headers, 'content-type') ?? '').split(';');
  if (!JSON_TYPE.test(type.trim())) return `its content type is ${type === '' ? 'missing' : type.trim()}`;
  try {
    return { value: parseJson(body) };
  } catch (error) {
    if (error instanceof JsonTextError) return error.message;
    throw error;
  }
}

function integer(value: JsonValue | undefined): number | undefined {
  if (value instanceof JsonNumber) return value.value;
  const read = typeof value === 'string' ? pythonInt(value) : undefined;
  return read === undefined ? undefined : Number(read);
}

/** Reads what a validator answered, as bittensor's dendrite 9.0.0 does. */
export function readAnswer(synapse: SynapseName, exchange: Exchange): AnswerRead {
  const untouched = (statusCode: number, statusMessage: string | null): AnswerRead => ({
    statusCode,
    statusMessage,
    fields: synapseBody(synapse, {}),
    answered: false,
  });
  if (exchange.kind === 'timeout') {
    return untouched(408, `Request timeout after ${floatText(exchange.timeoutMs / 1000)} seconds`);
  }
  if (exchange.kind === 'unreachable') {
    return untouched(503, `Service unavailable at ${exchange.ip}:${exchange.port}/${synapse}`);
  }
  if (exchange.kind === 'disconnected') return untouched(503, `Service disconnected: ${exchange.problem}`);
  const { status, headers } = exchange;
  const body = parsed(headers, exchange.body);
  if (typeof body === 'string') return untouched(422, `Failed to parse response: ${body}`);
  if (status !== 200) {
    const message = isJsonObject(body.value) ? body.value.get('message') : undefined;
    return untouched(status, typeof message === 'string' ? message : null);
  }
  if (!isJsonObject(body.value)) return untouched(422, 'Failed to parse response: it is no object');
  const form: SynapseForm = SYNAPSES[synapse];
  const fields = readFields(form.fields, body.value);
  if (typeof fields === 'string') return untouched(422, `Failed to parse response: ${fields}`);
  const axon = fields.get('axon');
  const said = (name: string): JsonValue | undefined =>
    headerText(headers, `bt_header_axon_${name}`) ?? (isJsonObject(axon) ? axon.get(name) : undefined);
  const message = said('status_message');
  return {
    statusCode: integer(said('status_code')) ?? null,
    statusMessage: typeof message === 'string' ? message : null,
    fields,
    answered: true,
  };
}
