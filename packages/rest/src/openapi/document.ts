import swagger from '@fastify/swagger';
import type { TSchema } from '@sinclair/typebox';
import type { FastifyInstance, FastifySchema } from 'fastify';
import * as schemas from '@ptn-api/protocol/schemas';
import { FORWARDED_DOCS } from './forwarded-docs.ts';
import { ROUTE_DOCS } from './route-docs.ts';
import type { RouteDoc } from './route-docs.ts';

const TITLE = 'PTN API';
const DESCRIPTION =
  'Data of a validator of the Proprietary Trading Network (Bittensor subnet 8). Every answer that is not an error may ' +
  'be gzip (Accept-Encoding), has a strong ETag where it is a snapshot, and HEAD works wherever GET does. Orders ' +
  'are streamed over WebSocket: see /docs/asyncapi.yaml.';

/** Collects what the document says of the routes that are added after this. */
export function describeRoutes(app: FastifyInstance, version: string): void {
  // Those with a name are described once, and referred to.
  for (const schema of Object.values(schemas)) if (schema.$id !== undefined) app.addSchema(schema);
  app.register(swagger, {
    refResolver: { buildLocalReference: ({ $id }) => $id as string },
    openapi: {
      openapi: '3.1.0',
      info: { title: TITLE, description: DESCRIPTION, version },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
      security: [{ key: [] }],
    },
  });
}

/** What is documented of a route for the method that has it; `url` as it is given to the router. */
export function schemaOf(url: string, method = 'GET'): FastifySchema {
  const path = url.replace(/:(\w+)\([^)]*\)/g, '{$1}');
  const doc = FORWARDED_DOCS[`${method} ${path}`] ?? (method === 'GET' ? ROUTE_DOCS[path] : undefined);
  return doc === undefined
    ? HIDDEN
    : { operationId: operationIdOf(path, method), ...doc, response: byName(doc.response) };
}

/** Answers whose schema has a name, as references to it; what is said of the answer itself stays. */
function byName(answers: RouteDoc['response']): Readonly<Record<string, object>> {
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => {
      const { $id, description } = answer as TSchema;
      return [status, $id === undefined ? answer : { $ref: `${$id}#`, description }];
    }),
  );
}

/** `getMinerPositionsHotkey` of `/miner-positions/{hotkey}`: what generators of clients name their methods by. */
function operationIdOf(path: string, method: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  return `${method.toLowerCase()}${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}`;
}

export const HIDDEN: FastifySchema = { hide: true };
