import { ERRORS, errorText } from '@ptn-api/protocol';
import type { ErrorCode, ErrorDefinition, StreamRefusal } from '@ptn-api/protocol';

/** Why a connection is ended. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly values?: Readonly<Record<string, string | number>>;
}

/** What existing clients know these as; `null`: they are sent without a code. */
const WIRE_CODES: Partial<Record<ErrorCode, string | null>> = {
  PTN_ERR_WS_AUTH_REQUIRED: null,
  PTN_ERR_WS_AUTH_INVALID: null,
  PTN_ERR_WS_TIER_ACCESS: 'INSUFFICIENT_TIER',
  PTN_ERR_WS_MAX_CONNECTIONS: 'MAX_CONNECTIONS_EXCEEDED',
};

export function refusalMessage({ code, values }: Refusal): StreamRefusal {
  const wireCode = WIRE_CODES[code] === undefined ? code : WIRE_CODES[code];
  return {
    status: 'error',
    message: errorText(code, values),
    ...(wireCode !== null && { code: wireCode }),
  };
}

export function closeCodeOf({ code }: Refusal): number {
  const { closeCode }: ErrorDefinition = ERRORS[code];
  if (closeCode === undefined) throw new Error(`${code} does not end a connection`);
  return closeCode;
}
