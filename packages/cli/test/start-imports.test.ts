import { readFileSync } from 'node:fs';
import t from 'tap';

const FROM = /^(?:import|export)\b[^'"();=]*?\bfrom ['"]([^'"]+)['"]|^import ['"]([^'"]+)['"]/gm;

/** The packages that are loaded with a module, by it or by own modules that it imports, before any of its code runs. */
function packagesLoadedWith(...entries: readonly string[]): string[] {
  const modules = new Set(entries);
  const packages = new Set<string>();
  for (const module of modules) {
    for (const [, from, alone] of readFileSync(new URL(module), 'utf8').matchAll(FROM)) {
      const name = from ?? alone ?? '';
      if (name.startsWith('.')) modules.add(new URL(name, module).href);
      else if (name.startsWith('@ptn-api/')) modules.add(import.meta.resolve(name));
      else if (!name.startsWith('node:')) packages.add(name);
    }
  }
  return [...packages].sort();
}

const at = (path: string): string => new URL(`../../${path}`, import.meta.url).href;

/**
 * A start of each process pays for these, and so does every restart; what only some options, commands or requests need is
 * imported where they are met.
 */
void t.test('what a process loads at its start', (t) => {
  t.same(packagesLoadedWith(at('cli/dist/main.js'), at('cli/dist/serve.js')), [
    'chokidar',
    'ipaddr.js',
    'pino',
    'yargs',
  ]);
  t.same(packagesLoadedWith(at('feed/dist/main.js')), [
    'chokidar',
    'ipaddr.js',
    'lmdb',
    'pino',
    'piscina',
    'prom-client',
  ]);
  t.same(packagesLoadedWith(at('rest/dist/main.js')), [
    '@fastify/compress',
    '@fastify/helmet',
    '@fastify/rate-limit',
    '@fastify/under-pressure',
    'fastify',
    'find-my-way',
    'ipaddr.js',
    'pino',
    'prom-client',
  ]);
  t.same(packagesLoadedWith(at('stream/dist/main.js')), [
    '@fastify/websocket',
    'fastify',
    'ipaddr.js',
    'lmdb',
    'pino',
    'prom-client',
  ]);
  t.same(packagesLoadedWith(at('feed/dist/tasks/tasks.js'), at('watch/dist/sweep-thread.js')), []);
  t.end();
});
