import type { FastifyServerOptions } from 'fastify';

type SchemaController = NonNullable<FastifyServerOptions['schemaController']>;

/**
 * How Fastify takes the schemas of routes: as a description for readers. What a request may hold is the routes' to say, in
 * the words that clients know, and bodies are bytes that are sent as they are. Given when a server is made, and not set on
 * it later, so that the libraries that would check are not even loaded: some 100 ms of each start.
 */
export const SCHEMAS_FOR_READERS: SchemaController = {
  compilersFactory: {
    buildValidator: () => () => () => true,
    buildSerializer: () => () => JSON.stringify,
    // Declared is what those libraries make.
  } as unknown as NonNullable<SchemaController['compilersFactory']>,
};
