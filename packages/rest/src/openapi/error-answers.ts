import { ERRORS, errorText } from '@ptn-api/protocol';
import type { ErrorCode, ErrorDefinition } from '@ptn-api/protocol';
import { ErrorAnswer } from '@ptn-api/protocol/schemas';
import type { TSchema } from '@sinclair/typebox';

/** Of every route that needs a key. */
export const OF_LIMITS = [
  'PTN_ERR_HTTP_HEADERS',
  'PTN_ERR_RATE_LIMITED',
  'PTN_ERR_AUTH_TOO_MANY_FAILURES',
  'PTN_ERR_HTTP_OVERLOADED',
  'PTN_ERR_HTTP_INTERNAL',
] as const satisfies readonly ErrorCode[];
/** Of every route that is passed on. */
export const FORWARD_ERRORS = [
  'PTN_ERR_FORWARD_OFF',
  'PTN_ERR_FORWARD_UNREACHABLE',
  'PTN_ERR_FORWARD_BAD_ANSWER',
  'PTN_ERR_FORWARD_TIMEOUT',
] as const satisfies readonly ErrorCode[];

/** Where several errors share a status, their texts are listed. */
export function errors(...codes: readonly ErrorCode[]): Record<number, TSchema> {
  const texts = new Map<number, string[]>();
  for (const code of codes) {
    const { httpStatus = 500 }: ErrorDefinition = ERRORS[code];
    texts.set(httpStatus, [...(texts.get(httpStatus) ?? []), errorText(code)]);
  }
  return Object.fromEntries(
    [...texts].map(([status, all]) => [status, { ...ErrorAnswer, description: all.join(' — ') }]),
  );
}
