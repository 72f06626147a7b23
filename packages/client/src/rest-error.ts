import { ERRORS } from '@ptn-api/protocol';
import type { ErrorCode, ErrorDefinition } from '@ptn-api/protocol';

/** What is known of a failed request. */
export interface PtnRestErrorDetails {
  readonly status: number | null;
  readonly code: ErrorCode | null;
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;
  readonly cause?: unknown;
}

/**
 * A request that gave no usable answer: the server refused it, could not be reached, took too long, or answered with
 * something else than JSON. Never holds the API key.
 */
export class PtnRestError extends Error {
  override readonly name = 'PtnRestError';
  /** HTTP status; `null` where there was no answer (network fault, timeout: see `cause`). */
  readonly status: number | null;
  /** Which error of this server it is; `null` where it is none of them. */
  readonly code: ErrorCode | null;
  /** `X-Request-Id` of the answer, by which the server's log knows it. */
  readonly requestId: string | null;
  /** How long the server asks to wait before the next try, in ms; `null` where it says nothing. */
  readonly retryAfterMs: number | null;

  constructor(message: string, { status, code, requestId, retryAfterMs, cause }: PtnRestErrorDetails) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
    this.code = code;
    this.requestId = requestId;
    this.retryAfterMs = retryAfterMs;
  }

  /**
   * True where the same request may succeed later: no answer, 408, 410 (after a new snapshot), 429 and 5xx. False for
   * a refusal that stays, such as a bad key.
   */
  get isTemporary(): boolean {
    const { status } = this;
    return status === null || status >= 500 || [408, 410, 429].includes(status);
  }
}

/** The text of an error with anything in place of its `{name}`s. */
function patternOf(text: string): RegExp {
  const parts = text.split(/\{\w+\}/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.+')}$`, 's');
}

/** The server sends its errors over REST by status and text, which together name the code. */
export function errorCodeOf(status: number, text: string): ErrorCode | null {
  for (const [code, definition] of Object.entries<ErrorDefinition>(ERRORS)) {
    if (definition.httpStatus === status && patternOf(definition.text).test(text)) return code as ErrorCode;
  }
  return null;
}

/** `Retry-After`, which is a number of seconds or a date, in ms from now; `null` where it is neither. */
export function retryAfterMsOf(header: string | null, nowMs: number): number | null {
  if (header === null || header.trim() === '') return null;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const dateMs = Date.parse(header);
  return Number.isNaN(dateMs) ? null : Math.max(0, dateMs - nowMs);
}
