import { createHash, timingSafeEqual } from 'node:crypto';
import { isJsonObject, JsonTextError, parseJson, writeJson } from '@ptn-api/positions';
import type { JsonObject, JsonValue } from '@ptn-api/positions';
import { isSignalName } from '../folder/signal-name.ts';
import { readPtnSignal } from './ptn-signal.ts';
import { PythonError } from './python-values.ts';
import type { ReadSignal } from './signal-fields.ts';
import { UnknownPairError, readVantaSignal } from './vanta-signal.ts';

export const SIGNAL_PATH = '/api/receive-signal';

/** The generations of signals that there are: what a request may hold, and what is written of it. */
export const SIGNAL_GENERATIONS = {
  /** PTN of May 2025. */
  ptn: readPtnSignal,
  /** Vanta of December 2025. */
  vanta: readVantaSignal,
} as const satisfies Readonly<Record<string, (body: JsonObject) => ReadSignal>>;

export type SignalGeneration = keyof typeof SIGNAL_GENERATIONS;

export interface SignalRequest {
  readonly method: string;
  /** With its query, if it has one. */
  readonly path: string;
  readonly contentType: string | undefined;
  readonly body: Uint8Array;
}

export interface SignalAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** To be written before the answer is given. */
  readonly file?: { readonly name: string; readonly content: string };
}

export interface SignalReceiver {
  readonly generation: SignalGeneration;
  /** Of {@link keyDigest}. */
  readonly apiKeyDigest: Buffer;
  readonly createUuid: () => string;
}

const JSON_TYPE = /^application\/(?:json|[^;\s]*\+json)$/i;
const ALLOW = { allow: 'OPTIONS, POST' };

const PAGES = {
  400: ['Bad Request', 'The browser (or proxy) sent a request that this server could not understand.'],
  404: [
    'Not Found',
    'The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.',
  ],
  405: ['Method Not Allowed', 'The method is not allowed for the requested URL.'],
  500: [
    'Internal Server Error',
    'The server encountered an internal error and was unable to complete your request. Either the server is overloaded or there is an error in the application.',
  ],
} as const;

function page(status: keyof typeof PAGES, headers: Readonly<Record<string, string>> = {}): SignalAnswer {
  const [title, text] = PAGES[status];
  return {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', ...headers },
    body: `<!doctype html>\n<html lang=en>\n<title>${status} ${title}</title>\n<h1>${title}</h1>\n<p>${text}</p>\n`,
  };
}

/** JSON as Flask writes it, with a line end. */
function answer(status: number, member: 'error' | 'message', text: string): SignalAnswer {
  const body = `${JSON.stringify({ [member]: text })}\n`;
  return { status, headers: { 'content-type': 'application/json' }, body };
}

/** What a key is compared by: digests of one length, which say nothing of where two keys begin to differ. */
export function keyDigest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

function parsed(body: Uint8Array): { readonly value: JsonValue } | undefined {
  try {
    return { value: parseJson(new TextDecoder('utf-8', { fatal: true }).decode(body)) };
  } catch (error) {
    if (error instanceof JsonTextError || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** What `"api_key" in body` comes to where the body is no object: it may hold the words, or hold nothing at all. */
function answerOtherBody(body: JsonValue, generation: SignalGeneration): SignalAnswer {
  if (body === null && generation === 'vanta') return answer(400, 'error', 'Invalid message');
  const isContainer = typeof body === 'string' || Array.isArray(body);
  if (!isContainer || body.includes('api_key')) return page(500);
  return answer(401, 'error', 'Missing or invalid Authorization header');
}

function readSignal(body: JsonObject, generation: SignalGeneration): ReadSignal | SignalAnswer {
  try {
    return SIGNAL_GENERATIONS[generation](body);
  } catch (error) {
    if (error instanceof UnknownPairError) return answer(401, 'error', 'Invalid trade pair');
    if (!(error instanceof PythonError)) throw error;
    const prefix = error.isValueError
      ? 'improperly formatted signal received.'
      : 'error storing signal on miner.';
    return answer(400, 'error', `${prefix} ${error.message}`);
  }
}

/**
 * What the signals server answers, as the Python one does: texts, statuses and the order of checks. The file of an
 * answer must be on disk before it is given.
 */
export function receiveSignal(request: SignalRequest, receiver: SignalReceiver): SignalAnswer {
  if (request.path.split('?')[0] !== SIGNAL_PATH) return page(404);
  if (request.method === 'OPTIONS') {
    return { status: 200, headers: { 'content-type': 'text/html; charset=utf-8', ...ALLOW }, body: '' };
  }
  if (request.method === 'HEAD') return { ...page(405, ALLOW), body: '' };
  if (request.method !== 'POST') return page(405, ALLOW);
  const type = request.contentType?.split(';')[0]?.trim() ?? '';
  if (!JSON_TYPE.test(type)) return answer(400, 'error', 'Request must be JSON');
  const body = parsed(request.body)?.value;
  if (body === undefined) return page(400);
  if (!isJsonObject(body)) return answerOtherBody(body, receiver.generation);
  const key = body.get('api_key');
  if (key === undefined) return answer(401, 'error', 'Missing or invalid Authorization header');
  if (typeof key !== 'string' || !timingSafeEqual(keyDigest(key), receiver.apiKeyDigest)) {
    return answer(401, 'error', 'Invalid API key');
  }
  const signal = readSignal(body, receiver.generation);
  if ('status' in signal) return signal;
  const name = signal.uuid ?? receiver.createUuid();
  if (!isSignalName(name)) {
    const text = 'order_uuid may hold letters, digits and dashes, at most 64.';
    return answer(400, 'error', `improperly formatted signal received. ${text}`);
  }
  return {
    ...answer(200, 'message', `Signal ${signal.text} received successfully`),
    file: { name, content: writeJson(signal.content) },
  };
}
