import { floatText, isJsonObject, JsonNumber, writeJson } from '@ptn-api/positions';
import type { JsonObject, JsonValue } from '@ptn-api/positions';
import { headerText } from '../request/request-headers.ts';
import type { Headers } from '../request/request-headers.ts';
import type { AcceptedRequest, RefusedRequest } from '../request/verify-request.ts';

export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The request's own headers, which an answer repeats, with what the axon says of itself. */
function answerHeaders(request: Headers, axon: Readonly<Record<string, string>>): Record<string, string> {
  const repeated = [
    'name',
    'timeout',
    'bt_header_axon_ip',
    'bt_header_axon_port',
    'bt_header_axon_hotkey',
    'bt_header_dendrite_ip',
    'bt_header_dendrite_version',
    'bt_header_dendrite_nonce',
    'bt_header_dendrite_uuid',
    'bt_header_dendrite_hotkey',
    'bt_header_dendrite_signature',
    'header_size',
    'total_size',
    'computed_body_hash',
  ].flatMap((name) => {
    const text = headerText(request, name);
    return text === undefined ? [] : [[name, text] as const];
  });
  return { ...Object.fromEntries(repeated), ...axon, 'content-type': 'application/json' };
}

// What cannot stand in a header: a message may quote the body.
const NO_HEADER_TEXT = /[^\x20-\x7e]/g;

function statusHeaders(status: number, message: string): Record<string, string> {
  return {
    bt_header_axon_status_code: String(status),
    bt_header_axon_status_message: message.replace(NO_HEADER_TEXT, '?'),
  };
}

/**
 * The answer to a request that reached its handler: the request's fields, with those that the handler sets. The order
 * may have been refused all the same: `successfully_processed` says so.
 *
 * @param set fields of the synapse, such as `successfully_processed`.
 * @param processMs how long the handler took.
 */
export function answerRequest(
  request: AcceptedRequest,
  set: Readonly<Record<string, JsonValue>>,
  processMs: number,
): WireAnswer {
  const seconds = JsonNumber.float(processMs / 1000);
  const asked = request.fields.get('axon');
  const axon: JsonObject = new Map<string, JsonValue>([
    ...(isJsonObject(asked) ? asked : []),
    ['status_code', new JsonNumber('200')],
    ['status_message', 'Success'],
    ['process_time', seconds],
  ]);
  const body = writeJson(new Map([...request.fields, ['axon', axon], ...Object.entries(set)]));
  return {
    status: 200,
    headers: answerHeaders(request.headers, {
      ...statusHeaders(200, 'Success'),
      bt_header_axon_process_time: floatText(seconds.value),
      total_size: String(Buffer.byteLength(body)),
    }),
    body,
  };
}

/** The answer to a request that did not reach its handler. */
export function refuseRequest(request: Headers, refused: RefusedRequest): WireAnswer {
  const { message } = refused.body;
  return {
    status: refused.status,
    headers: answerHeaders(
      request,
      typeof message === 'string' ? statusHeaders(refused.status, message) : {},
    ),
    body: JSON.stringify(refused.body),
  };
}
