// The least that Fastify can do: a route that sends the same buffer to everybody, and one that answers 304. Tells its port to
// the process that forked it.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// The server's own.
const Fastify = createRequire(import.meta.resolve('@ptn-api/cli'))('fastify');
const body = readFileSync(process.argv[2]);
const app = Fastify();
app.get('/body', (_request, reply) =>
  reply.header('Content-Type', 'application/json').header('Content-Encoding', 'gzip').send(body),
);
app.get('/same', (_request, reply) => reply.code(304).send());
await app.listen({ host: '127.0.0.1', port: 0 });
process.send(app.server.address().port);
process.on('disconnect', () => process.exit());
