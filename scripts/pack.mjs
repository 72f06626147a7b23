// Builds the installable package `ptn-api-<version>.tgz`. The workspace's own packages travel inside it; what they
// depend on is installed from the registry as usual. Prints the path of the file.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, install, projectRoot, run } from './steps.mjs';

install();
build();

const root = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
const packages = ['protocol', 'core', 'server', 'client', 'devnet'];
const stage = mkdtempSync(join(tmpdir(), 'ptn-api-pack-'));
const external = {};
try {
  for (const name of packages) {
    const from = join(projectRoot, 'packages', name);
    const to = join(stage, 'node_modules', '@ptn-api', name);
    mkdirSync(to, { recursive: true });
    cpSync(join(from, 'dist'), join(to, 'dist'), {
      recursive: true,
      filter: (path) => !/\.(map|d\.ts|tsbuildinfo)$/.test(path),
    });
    const manifest = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'));
    delete manifest.devDependencies;
    for (const [dependency, range] of Object.entries(manifest.dependencies ?? {})) {
      if (!dependency.startsWith('@ptn-api/')) external[dependency] = range;
    }
    writeFileSync(join(to, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  }
  for (const file of [
    'README.md',
    'LICENSE',
    'api_keys.json.example',
    'ecosystem.config.cjs',
    'scripts/ptn-api.mjs',
    'scripts/ptn-stream.mjs',
    'scripts/ptn_bridge.py',
    'docs/asyncapi.yaml',
  ]) {
    cpSync(join(projectRoot, file), join(stage, file));
  }
  const own = packages.map((name) => `@ptn-api/${name}`);
  const manifest = {
    name: root.name,
    version: root.version,
    description: root.description,
    license: root.license,
    type: root.type,
    engines: root.engines,
    bin: root.bin,
    // npm takes it that what a bundled package depends on is bundled too: so it is named here.
    dependencies: { ...Object.fromEntries(own.map((name) => [name, root.version])), ...external },
    bundleDependencies: own,
    files: ['scripts', 'docs', 'api_keys.json.example', 'ecosystem.config.cjs'],
  };
  writeFileSync(join(stage, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  run('pack', 'npm', ['pack', '--silent', `--pack-destination=${projectRoot}`], { cwd: stage });
} finally {
  rmSync(stage, { recursive: true, force: true });
}
