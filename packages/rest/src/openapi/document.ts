import swagger from '@fastify/swagger';
import Fastify from 'fastify';
import type { FastifySchema, HTTPMethods } from 'fastify';
import type { TSchema } from '@sinclair/typebox';
import * as schemas from '@ptn-api/protocol/schemas';
import { SCHEMAS_FOR_READERS } from '@ptn-api/runtime';
import { FORWARDED_DOCS } from './forwarded-docs.ts';
import { ROUTE_DOCS } from './route-docs.ts';
import type { RouteDoc } from './route-docs.ts';

const TITLE = 'PTN API';
const DESCRIPTION =
  'Data of a validator of the Proprietary Trading Network (Bittensor subnet 8). Every answer that is not an error may ' +
  'be gzip (Accept-Encoding), has a strong ETag where it is a snapshot, and HEAD works wherever GET does. Orders ' +
  'are streamed over WebSocket: see /docs/asyncapi.yaml.';

/** The OpenAPI document, as JSON. */
export async function openApiDocument(version: string): Promise<string> {
  // Of routes that nobody asks: the library collects what is said of them.
  const app = Fastify({ schemaController: SCHEMAS_FOR_READERS, exposeHeadRoutes: false });
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
  app.after(() => {
    for (const [path, doc] of Object.entries(ROUTE_DOCS)) describe('GET', path, doc);
    for (const [method, path, doc] of FORWARDED_DOCS) describe(method, path, doc);
  });
  await app.ready();
  // Beside the document, under whatever path a proxy shows both.
  return JSON.stringify({ ...app.swagger(), servers: [{ url: '.' }] });

  function describe(method: HTTPMethods, path: string, doc: RouteDoc): void {
    const url = path.replace(/\{(\w+)\}/g, ':$1');
    app.route({ method, url, schema: schemaOf(method, path, doc), handler: () => undefined });
  }
}

function schemaOf(method: string, path: string, doc: RouteDoc): FastifySchema {
  return { operationId: operationIdOf(path, method), ...doc, response: byName(doc.response) };
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
