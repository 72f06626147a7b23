import { ERRORS, errorText, isTerminalCloseCode } from '@ptn-api/protocol';
import type { ErrorCode, ErrorDefinition, StreamRefusal } from '@ptn-api/protocol';

/** Why a stream was interrupted or ended. Never holds the API key. */
export class PtnStreamError extends Error {
  override readonly name = 'PtnStreamError';
  /** WebSocket close code; `null` where the client ended the connection or a message alone was at fault. */
  readonly closeCode: number | null;
  /** The server's code for it, such as `INSUFFICIENT_TIER`; `null` where it gave none. */
  readonly code: string | null;
  /** True where connecting again is of no use: the key is wrong, of too low a tier, revoked, or used too often. */
  readonly isTerminal: boolean;

  constructor(
    message: string,
    details: { closeCode?: number; code?: string | undefined; isTerminal?: boolean; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.closeCode = details.closeCode ?? null;
    this.code = details.code ?? null;
    this.isTerminal = details.isTerminal ?? false;
  }
}

/** The codes by which existing servers name two of the refusals. */
const WIRE_CODES: Readonly<Record<string, ErrorCode>> = {
  INSUFFICIENT_TIER: 'PTN_ERR_WS_TIER_ACCESS',
  MAX_CONNECTIONS_EXCEEDED: 'PTN_ERR_WS_MAX_CONNECTIONS',
};

/**
 * Whether a refusal is for good, by its code or text: the close code that says the same may be lost on the way or, with
 * other servers, never be sent.
 */
export function isTerminalRefusal({ code, message }: StreamRefusal): boolean {
  return Object.entries<ErrorDefinition>(ERRORS).some(([name, { closeCode }]) => {
    if (closeCode === undefined || !isTerminalCloseCode(closeCode)) return false;
    const isIt =
      code === undefined ? errorText(name as ErrorCode) === message : (WIRE_CODES[code] ?? code) === name;
    return isIt;
  });
}

/** What was thrown, as an Error. */
export function toError(error: unknown): Error {
  return error instanceof Error
    ? error
    : new Error('something else than an Error was thrown', { cause: error });
}
