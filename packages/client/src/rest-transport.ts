import { errorCodeOf, PtnRestError, retryAfterMsOf } from './rest-error.ts';
import type { RestAnswer } from './rest-answer.ts';

/** Timers above it fire at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export interface RestTransportOptions {
  /** Where the API answers; a path in it stands before every route: `https://host/api`. */
  readonly url: string;
  readonly apiKey: string;
  /** By default the `fetch` of Node or the browser. */
  readonly fetch?: typeof globalThis.fetch;
  /** From the request to the last byte of the answer. 30 s by default. */
  readonly timeoutMs?: number;
  /** Answers kept to be revalidated, the least recently used is dropped. 16 by default; 0 for none. */
  readonly keptAnswers?: number;
}

export interface RestRequest {
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Keep the answer and ask next time only whether it has changed. */
  readonly isKept?: boolean;
  /** The API key is sent unless this is false. */
  readonly needsKey?: boolean;
  /** Statuses besides 2xx whose body is an answer and no error. */
  readonly accepts?: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

interface Kept {
  readonly etag: string;
  readonly value: unknown;
}

interface Received {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** GET requests of JSON with a time limit, the key and revalidation. Does not try again: that is the caller's. */
export class RestTransport {
  readonly #base: string;
  readonly #apiKey: string;
  readonly #fetch: typeof globalThis.fetch;
  readonly #timeoutMs: number;
  readonly #keptAnswers: number;
  /** By URL, least recently used first. */
  readonly #kept = new Map<string, Kept>();

  /** @throws TypeError or RangeError naming the option that cannot be used. */
  constructor(options: RestTransportOptions) {
    const { url, apiKey, timeoutMs = 30_000, keptAnswers = 16 } = options;
    this.#base = baseOf(url);
    // A header cannot carry anything else, and fetch would name the whole header in its error.
    if (typeof apiKey !== 'string' || !/^[\x21-\x7e]+$/.test(apiKey)) {
      throw new TypeError('apiKey must be a text of visible ASCII characters without spaces');
    }
    if (!(timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS)) {
      throw new RangeError(`timeoutMs must be above 0 and at most ${MAX_TIMEOUT_MS}`);
    }
    if (!Number.isInteger(keptAnswers) || keptAnswers < 0) {
      throw new RangeError('keptAnswers must be a whole number of at least 0');
    }
    this.#apiKey = apiKey;
    // Browsers refuse a fetch that is called as the method of another object.
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.#timeoutMs = timeoutMs;
    this.#keptAnswers = keptAnswers;
  }

  /**
   * @throws PtnRestError where there is no usable answer.
   * @throws the reason of `signal` where it was aborted.
   */
  async get<Value>(request: RestRequest): Promise<RestAnswer<Value>> {
    const { path, query = {}, isKept = false, accepts = [] } = request;
    const search = new URLSearchParams(query).toString();
    const url = `${this.#base}${path}${search === '' ? '' : `?${search}`}`;
    const kept = isKept ? this.#kept.get(url) : undefined;
    const received = await this.#receive(url, request, kept?.etag);
    const { status, headers, text } = received;
    const isNotModified = status === 304 && kept !== undefined;
    if (!isNotModified && !(status >= 200 && status < 300) && !accepts.includes(status)) {
      throw refusal(path, received);
    }
    const value = isNotModified ? kept.value : parse(path, received, text);
    const etag = headers.get('etag');
    if (isKept && etag !== null) this.#keep(url, { etag, value });
    return {
      value: value as Value,
      sequence: numberIn(headers, 'x-sequence'),
      epoch: headers.get('x-epoch'),
      generation: numberIn(headers, 'x-generation'),
      isNotModified,
    };
  }

  #keep(url: string, kept: Kept): void {
    this.#kept.delete(url);
    this.#kept.set(url, kept);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#keptAnswers) break;
      this.#kept.delete(oldest);
    }
  }

  async #receive(url: string, request: RestRequest, etag: string | undefined): Promise<Received> {
    const { path, needsKey = true, signal } = request;
    signal?.throwIfAborted();
    // One controller of our own: signals joined by AbortSignal.any stay with a long-lived one in some Node versions.
    const ending = new AbortController();
    const onAbort = (): void => {
      ending.abort(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    const timer = setTimeout(() => {
      ending.abort(new Error(`no complete answer within ${this.#timeoutMs} ms`));
    }, this.#timeoutMs);
    try {
      const response = await this.#fetch(url, {
        headers: {
          Accept: 'application/json',
          ...(needsKey ? { Authorization: `Bearer ${this.#apiKey}` } : {}),
          ...(etag === undefined ? {} : { 'If-None-Match': etag }),
        },
        redirect: 'error',
        signal: ending.signal,
      });
      return { status: response.status, headers: response.headers, text: await response.text() };
    } catch (error) {
      signal?.throwIfAborted();
      // By the timer, then.
      const isTooLate = ending.signal.aborted;
      const why = isTooLate ? ` within ${this.#timeoutMs} ms` : ': the connection failed';
      throw new PtnRestError(`GET ${path}: no complete answer${why}`, {
        status: null,
        code: null,
        requestId: null,
        retryAfterMs: null,
        cause: isTooLate ? ending.signal.reason : error,
      });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }
}

/** The URL without a slash at its end. */
function baseOf(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch (cause) {
    throw new TypeError('url must be like http://127.0.0.1:48888', { cause });
  }
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    throw new TypeError(`url must begin with http:// or https://, not ${parsed.protocol}`);
  }
  if (parsed.search !== '' || parsed.hash !== '' || parsed.username !== '' || parsed.password !== '') {
    throw new TypeError('url must hold no user name, query or fragment: the key is given as apiKey');
  }
  return `${parsed.origin}${parsed.pathname.replace(/\/+$/, '')}`;
}

function numberIn(headers: Headers, name: string): number | null {
  const text = headers.get(name);
  return text !== null && /^\d{1,16}$/.test(text) ? Number(text) : null;
}

function parse(path: string, { status, headers }: Received, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PtnRestError(`GET ${path}: the answer is not JSON`, {
      status,
      code: null,
      requestId: headers.get('x-request-id'),
      retryAfterMs: null,
      cause,
    });
  }
}

/** The error of an answer, with the server's text where it has one. */
function refusal(path: string, { status, headers, text }: Received): PtnRestError {
  const reason = errorTextIn(text);
  return new PtnRestError(`GET ${path}: ${reason ?? 'the server answered'} (status ${status})`, {
    status,
    code: reason === null ? null : errorCodeOf(status, reason),
    requestId: headers.get('x-request-id'),
    retryAfterMs: retryAfterMsOf(headers.get('retry-after'), Date.now()),
  });
}

/** `error` of an error body; `null` where a proxy or another server answered in a form of its own. */
function errorTextIn(text: string): string | null {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  if (typeof body !== 'object' || body === null || !('error' in body)) return null;
  return typeof body.error === 'string' ? body.error : null;
}
