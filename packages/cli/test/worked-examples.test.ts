/** The patches of docs/contributing, all applied to one copy of the project, which is compiled once and run. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makePosition, makePtnRoot, makeTemporaryFolder, startServer } from '@ptn-api/testkit';
import type { TestScope } from '@ptn-api/testkit';
import t from 'tap';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
const NOT_COPIED = /packages\/[^/]+\/(?:test|dist-test|fixtures|node_modules)$/;
const noPatch = spawnSync('patch', ['--version']).status === 0 ? false : 'no patch';

/** The project with the patches applied, compiled. */
function patched(scope: TestScope, names: readonly string[]): string {
  const copy = makeTemporaryFolder(scope);
  cpSync(join(PROJECT, 'packages'), join(copy, 'packages'), {
    recursive: true,
    filter: (path) => !NOT_COPIED.test(path),
    preserveTimestamps: true,
  });
  for (const file of ['package.json', 'tsconfig.base.json', 'README.md', 'docs']) {
    cpSync(join(PROJECT, file), join(copy, file), { recursive: true });
  }
  // What is installed as it is, but for the packages of the project itself.
  mkdirSync(join(copy, 'node_modules', '@ptn-api'), { recursive: true });
  for (const installed of readdirSync(join(PROJECT, 'node_modules'))) {
    if (installed === '@ptn-api') continue;
    symlinkSync(join(PROJECT, 'node_modules', installed), join(copy, 'node_modules', installed));
  }
  for (const own of readdirSync(join(PROJECT, 'packages'))) {
    symlinkSync(join(copy, 'packages', own), join(copy, 'node_modules', '@ptn-api', own));
  }
  for (const name of names) {
    execFileSync('patch', ['-p1', '-i', join(PROJECT, 'docs/contributing', name)], { cwd: copy });
  }
  const compiler = join(PROJECT, 'node_modules/typescript-native/bin/tsc');
  const built = spawnSync(
    process.execPath,
    // The processes that read the tables; the others run as they were compiled before.
    [compiler, '-b', 'packages/feed', 'packages/rest'],
    { cwd: copy, encoding: 'utf8' },
  );
  if (built.status !== 0) throw new Error(built.stdout);
  return join(copy, 'packages/cli/dist/main.js');
}

void t.test('worked examples', { skip: noPatch, timeout: 120_000 }, async (t) => {
  const cliPath = patched(t, ['served-file.patch', 'generation.patch']);

  const open = (uuid: string) =>
    makePosition({ hotkey: 'miner-a', uuid, orders: [{ timeMs: Date.now() - 1000 }] });
  const root = makePtnRoot(t, {
    keys: { user: { key: 'the-key', tier: 0 } },
    positions: [open('hidden')],
    files: { 'validation/price_sources.json': '{"sources": ["Polygon", "Tiingo"]}' },
  });
  const shown = open('shown');
  root.writePosition(shown, { text: JSON.stringify({ ...shown, is_public: true }) });
  const server = await startServer(t, { root: root.path, cliPath });
  const headers = { Authorization: 'Bearer the-key' };

  await t.test('one more served file is one row', async (t) => {
    const answer = await fetch(`${server.url}/price-sources`, { headers });
    t.equal(answer.status, 200);
    t.same(await answer.json(), { sources: ['Polygon', 'Tiingo'] });
    t.equal((await fetch(`${server.url}/price-sources`)).status, 401, 'not without a key');
    const { paths } = (await (await fetch(`${server.url}/openapi.json`)).json()) as {
      paths: Record<string, object>;
    };
    t.ok(paths['/price-sources'], 'it is documented');
  });

  await t.test('one more generation of positions is one file and one row', async (t) => {
    const answer = await fetch(`${server.url}/miner-positions?tier=0`, { headers });
    const miners = (await answer.json()) as Record<string, { positions: { position_uuid: string }[] }>;
    t.same(
      miners['miner-a']?.positions.map(({ position_uuid: uuid }) => uuid),
      ['shown'],
    );
  });
});
