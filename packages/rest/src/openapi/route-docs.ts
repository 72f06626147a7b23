/** What the OpenAPI document says of each route. Documentation only: nothing is checked or formed by it. */
import type { ErrorCode } from '@ptn-api/protocol';
import { Type } from '@sinclair/typebox';
import type { TSchema } from '@sinclair/typebox';
import * as answers from '@ptn-api/protocol/schemas';
import { minersFiles, wholeFiles } from '@ptn-api/runtime';
import type { MinersRoute } from '@ptn-api/runtime';
import { errors, FORWARD_ERRORS, OF_LIMITS } from './error-answers.ts';

export interface RouteDoc {
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly params?: TSchema;
  readonly querystring?: TSchema;
  readonly body?: TSchema;
  readonly response: Readonly<Record<number, TSchema | { readonly description: string }>>;
  /** Empty: no key is needed. */
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
}

const tier = Type.Optional(
  Type.Union([Type.Literal(0), Type.Literal(30), Type.Literal(50), Type.Literal(100)], {
    default: 100,
    description: 'Freshness of the data, at most that of the key',
  }),
);
const checkpoints = Type.Optional(
  Type.Boolean({ default: true, description: 'false leaves the checkpoints of each miner out' }),
);
const hotkey = Type.Object({ hotkey: Type.String({ pattern: '^[\\w.:-]+$', maxLength: 128 }) });
const status = Type.Optional(
  Type.String({ description: 'Statuses with commas between them: unfilled, filled, cancelled' }),
);
const NOT_MODIFIED = { type: 'null', description: 'The client has it already (If-None-Match)' };

/** A route that needs a key and answers with a snapshot. */
function data(
  summary: string,
  tag: string,
  answer: TSchema,
  codes: readonly ErrorCode[],
  more: Partial<RouteDoc> = {},
): RouteDoc {
  return {
    summary,
    tags: [tag],
    ...more,
    response: {
      200: { description: 'Success', ...answer },
      304: NOT_MODIFIED,
      ...errors('PTN_ERR_AUTH_UNAUTHORIZED', ...codes, 'PTN_ERR_HTTP_LOADING', ...OF_LIMITS),
    },
  };
}

/** The query parameters of a route that answers from a file that is kept by miner. */
function parametersOf({ viewIf, filter, forwardIf }: MinersRoute): Partial<RouteDoc> {
  const flag = (description: string) => Type.Optional(Type.Boolean({ default: false, description }));
  const parameters = {
    ...(viewIf && { [viewIf.parameter]: flag('Only the last record of each') }),
    ...(filter && { [filter]: Type.Optional(Type.String({ description: 'Only this miner' })) }),
    ...(forwardIf && { [forwardIf]: flag("All of it: answered by the validator's own server") }),
  };
  return Object.keys(parameters).length === 0 ? {} : { querystring: Type.Object(parameters) };
}

/** A route without a key. */
function open(summary: string, response: RouteDoc['response']): RouteDoc {
  return { summary, tags: ['Server'], security: [], response };
}

/** By path as the document shows it. A route that is not here is left out of the document. */
export const ROUTE_DOCS: Readonly<Record<string, RouteDoc>> = {
  '/miner-positions': data(
    'Positions of all miners',
    'Positions',
    answers.Miners,
    ['PTN_ERR_POSITIONS_BAD_TIER', 'PTN_ERR_POSITIONS_TIER_ACCESS', 'PTN_ERR_POSITIONS_NOT_FOUND'],
    {
      querystring: Type.Object({ tier }),
      description:
        'X-Generation says which generation it is; X-Sequence and X-Epoch, for keys of tier 100, to which order of the stream it is complete. ' +
        'A request with tier and without Accept-Encoding is answered with gzip.',
    },
  ),
  '/miner-positions/changes': data(
    'What changed since a generation',
    'Positions',
    answers.Changes,
    [
      'PTN_ERR_POSITIONS_BAD_TIER',
      'PTN_ERR_POSITIONS_BAD_SINCE',
      'PTN_ERR_POSITIONS_TIER_ACCESS',
      'PTN_ERR_POSITIONS_GENERATION_GONE',
    ],
    {
      querystring: Type.Object({
        since: Type.Integer({ description: 'X-Generation of an earlier answer' }),
        tier,
      }),
    },
  ),
  '/miner-positions/{hotkey}': data(
    "One miner's positions, at the tier of the key",
    'Positions',
    answers.Miner,
    ['PTN_ERR_MINER_NOT_FOUND'],
    { params: hotkey },
  ),
  '/miner-hotkeys': data('Hotkeys of all miners', 'Positions', answers.Hotkeys, [
    'PTN_ERR_POSITIONS_NO_HOTKEYS',
  ]),
  '/statistics': data(
    'Statistics of all miners',
    'Statistics',
    answers.Statistics,
    ['PTN_ERR_STATISTICS_NOT_FOUND'],
    { querystring: Type.Object({ checkpoints }) },
  ),
  '/statistics/{hotkey}': data(
    'Statistics of one miner',
    'Statistics',
    answers.StatisticsMiner,
    ['PTN_ERR_MINER_NOT_FOUND', 'PTN_ERR_STATISTICS_NO_DATA', 'PTN_ERR_STATISTICS_NOT_FOUND'],
    { params: hotkey, querystring: Type.Object({ checkpoints }) },
  ),
  ...Object.fromEntries(
    wholeFiles.map(([, { route, summary, schema, minTier, tierAccess, notFound }]) => [
      route,
      data(summary, 'Validator', answers[schema], [
        ...(minTier === undefined ? [] : [tierAccess ?? 'PTN_ERR_FILE_TIER_ACCESS']),
        notFound ?? 'PTN_ERR_FILE_NOT_FOUND',
      ]),
    ]),
  ),
  ...Object.fromEntries(
    minersFiles.flatMap(([, { routes }]) =>
      routes.map((row) => [
        row.route,
        data(
          row.summary,
          'Validator',
          answers[row.schema],
          [
            ...(row.minTier === undefined ? [] : [row.tierAccess ?? ('PTN_ERR_FILE_TIER_ACCESS' as const)]),
            row.notFound ?? 'PTN_ERR_FILE_NOT_FOUND',
            ...(row.forwardIf === undefined ? [] : FORWARD_ERRORS),
          ],
          {
            ...(row.route.includes('{hotkey}') && { params: hotkey }),
            ...parametersOf(row),
          },
        ),
      ]),
    ),
  ),
  '/limit-orders/{hotkey}': data(
    "A miner's orders that wait for their price, for keys of tier 100",
    'Orders',
    answers.MinerLimitOrders,
    ['PTN_ERR_ORDERS_BAD_STATUS', 'PTN_ERR_POSITIONS_TIER_ACCESS', 'PTN_ERR_LIMIT_ORDERS_NOT_FOUND'],
    {
      params: hotkey,
      querystring: Type.Object({ status }),
      description: 'A list of those that wait; with status, lists by status.',
    },
  ),
  '/orders/{hotkey}': data(
    "All of a miner's orders, for keys of tier 100",
    'Orders',
    answers.MinerOrders,
    ['PTN_ERR_ORDERS_BAD_STATUS', 'PTN_ERR_POSITIONS_TIER_ACCESS', 'PTN_ERR_MINER_ORDERS_NOT_FOUND'],
    {
      params: hotkey,
      querystring: Type.Object({ status }),
      description: 'By status: filled ones as positions hold them, the others as in limit-orders.',
    },
  ),
  '/orders': {
    summary: 'Orders after a sequence number, for keys of tier 100',
    description: 'For filling gaps of the stream.',
    tags: ['Orders'],
    querystring: Type.Object({
      since: Type.Integer({
        minimum: 0,
        description: 'Sequence number of the last order you have, 0 for all',
      }),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
    }),
    response: {
      200: { description: 'Success', ...answers.Orders },
      ...errors(
        'PTN_ERR_AUTH_UNAUTHORIZED',
        'PTN_ERR_ORDERS_TIER_ACCESS',
        'PTN_ERR_ORDERS_BAD_RANGE',
        'PTN_ERR_ORDERS_UNAVAILABLE',
        ...OF_LIMITS,
      ),
    },
  },
  '/healthz': open('The process answers', { 200: { description: 'Success', ...answers.Health } }),
  '/api/health': open('The same, as clients of the Python server ask for it', {
    200: { description: 'Success', ...answers.ApiHealth },
  }),
  '/readyz': open('It has data, and keeps it up to date', {
    200: { description: 'Requests may be sent here', ...answers.Ready },
    503: { description: 'They should not, and why', ...answers.Unready },
  }),
  '/openapi.json': open('This document', {
    200: { description: 'Success', ...answers.OpenApi },
    304: NOT_MODIFIED,
  }),
};
