import { ValidatorFile } from '@ptn-api/protocol/schemas';
import { Type } from '@sinclair/typebox';
import { FORWARDED_ROUTES } from '../forwarding/forwarded-routes.ts';
import type { ForwardedRoute } from '../forwarding/forwarded-routes.ts';
import { errors, FORWARD_ERRORS, OF_LIMITS } from './error-answers.ts';
import type { RouteDoc } from './route-docs.ts';

/** Method, path as the document shows it, and what it says. What the answers hold is the validator's to say. */
export const FORWARDED_DOCS = FORWARDED_ROUTES.map((row) => [row.method, row.route, docOf(row)] as const);

function docOf({ method, route, summary, minTier, tierAccess }: ForwardedRoute): RouteDoc {
  const names = [...route.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const ofKey =
    minTier === undefined
      ? ([] as const)
      : (['PTN_ERR_AUTH_UNAUTHORIZED', tierAccess ?? 'PTN_ERR_POSITIONS_TIER_ACCESS'] as const);
  return {
    summary,
    description: "Answered by the validator's own server, where the operator has named it (`--forward-to`).",
    tags: ['Forwarded'],
    ...(names.length > 0 && {
      params: Type.Object(Object.fromEntries(names.map((name) => [name, Type.String()]))),
    }),
    ...(method !== 'GET' && { body: ValidatorFile }),
    ...(minTier === undefined && { security: [] }),
    response: {
      200: { description: 'Success', ...ValidatorFile },
      ...errors(...ofKey, 'PTN_ERR_HTTP_UNAUTHENTICATED_LIMIT', ...OF_LIMITS, ...FORWARD_ERRORS),
    },
  };
}
