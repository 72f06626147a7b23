// Builds the installable packages: `ptn-api-<version>.tgz`, `ptn-miner-<version>.tgz`, `ptn-devnet-<version>.tgz`, and
// `ptn-api-client-<version>.tgz` for programs that follow a server. The workspace's own packages travel inside them; what they depend on is installed from
// the registry as usual.
// They are put into the folder named by the argument, the project's own without one. Prints their names. With --built, what
// is built is packed as it is.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { exactDependencies, shrinkwrapOf } from './shrinkwrap.mjs';
import { build, install, projectRoot, run } from './steps.mjs';

const isBuilt = process.argv.includes('--built');
const [folder = projectRoot] = process.argv.slice(2).filter((argument) => argument !== '--built');
const destination = resolve(folder);
const root = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));

/** Of every manifest. */
const COMMON = { version: root.version, license: root.license, engines: root.engines };

function manifestOf(name) {
  return JSON.parse(readFileSync(join(projectRoot, 'packages', name, 'package.json'), 'utf8'));
}

function copyCode(name, to, leftOut) {
  mkdirSync(to, { recursive: true });
  cpSync(join(projectRoot, 'packages', name, 'dist'), join(to, 'dist'), {
    recursive: true,
    filter: (path) => !leftOut.test(path),
  });
}

/** Packages of the workspace, and what they need of it. */
function withNeeded(roots) {
  const names = new Set(roots);
  for (const name of names) {
    for (const other of Object.keys(manifestOf(name).dependencies ?? {})) {
      if (other.startsWith('@ptn-api/')) names.add(other.slice('@ptn-api/'.length));
    }
  }
  return [...names];
}

/** What a package of the workspace needs from the registry. */
function externalOf(name) {
  return Object.entries(manifestOf(name).dependencies ?? {}).filter(
    ([other]) => !other.startsWith('@ptn-api/'),
  );
}

/** Puts packages of the workspace into the one being built; gives the part of its manifest that says so. */
function bundle(names, stage, leftOut) {
  for (const name of names) {
    const to = join(stage, 'node_modules', '@ptn-api', name);
    copyCode(name, to, leftOut);
    const assets = join(projectRoot, 'packages', name, 'assets');
    if (existsSync(assets)) cpSync(assets, join(to, 'assets'), { recursive: true });
    // npm takes it that what a bundled package depends on is bundled too, and leaves its commands out, without which
    // the install script of lmdb fails: so the dependencies are named by the package that is being built alone.
    const { name: fullName, version, type, exports, imports } = manifestOf(name);
    const manifest = { name: fullName, version, type, exports, imports };
    writeFileSync(join(to, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  }
  const own = names.map((name) => `@ptn-api/${name}`);
  return {
    dependencies: {
      ...Object.fromEntries(own.map((name) => [name, root.version])),
      ...Object.fromEntries(names.flatMap(externalOf)),
    },
    bundleDependencies: own,
  };
}

function pack(make) {
  const stage = mkdtempSync(join(tmpdir(), 'ptn-api-pack-'));
  try {
    const manifest = { ...COMMON, ...make(stage) };
    writeFileSync(join(stage, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    run('pack', 'npm', ['pack', '--silent', `--pack-destination=${destination}`], { cwd: stage });
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** What of the built files no program needs: of a page its code is in the page. */
const NOT_RUN = '\\.(map|d\\.ts|tsbuildinfo)$|dashboard.dist.compiled';

/**
 * The programs: the commands that each has, the packages of the workspace that they import, and the files beside them, as
 * they are called here and, where that differs, in the package.
 */
const PROGRAMS = [
  {
    name: root.name,
    description: root.description,
    keywords: root.keywords,
    commands: ['ptn-api', 'ptn-stream'],
    packages: ['cli', 'client'],
    leftOut: 'dashboard.dist.miner-page',
    files: [
      ['README.md'],
      ['api_keys.json.example'],
      ['ecosystem.config.cjs'],
      // What README refers to.
      ['docs'],
      ['bench/README.md'],
      ['bench/attacks.md'],
      ['bench/faults.md'],
      ['CONTRIBUTING.md'],
      // Served by the server at /docs/asyncapi.yaml, too.
      ['docs/asyncapi.yaml', 'node_modules/@ptn-api/rest/assets/docs/asyncapi.yaml'],
    ],
  },
  {
    name: 'ptn-miner',
    description: manifestOf('miner').description,
    keywords: [...root.keywords.filter((word) => word !== 'api-server'), 'miner'],
    commands: ['ptn-miner'],
    packages: ['miner'],
    leftOut: 'dashboard.dist.page',
    files: [
      // With what it refers to.
      ['docs/miner.md', 'README.md'],
      ['docs/devnet.md', 'devnet.md'],
      ['docs/metagraph.schema.json', 'metagraph.schema.json'],
      ['docs/decisions/0026-miner-differences.md', 'decisions/0026-miner-differences.md'],
      ['docs/images/miner-page.png', 'images/miner-page.png'],
      ['docs/images/miner-phone.png', 'images/miner-phone.png'],
    ],
  },
  {
    name: 'ptn-devnet',
    description: manifestOf('devnet').description,
    keywords: [...root.keywords.filter((word) => word !== 'api-server'), 'devnet'],
    commands: ['ptn-devnet'],
    packages: ['devnet'],
    leftOut: 'dashboard.dist',
    files: [
      // With what it refers to.
      ['docs/devnet.md', 'README.md'],
      ['docs/scoring.md', 'scoring.md'],
      ['docs/metagraph.schema.json', 'metagraph.schema.json'],
      ['docs/decisions/0020-scoring-differences.md', 'decisions/0020-scoring-differences.md'],
      ['docs/decisions/0025-devnet-validator.md', 'decisions/0025-devnet-validator.md'],
    ],
  },
];

function packProgram({ name, description, keywords, commands, packages, leftOut, files }) {
  pack((stage) => {
    const scripts = commands.map((command) => [command, `scripts/${command}.mjs`]);
    const all = [...files, ['LICENSE'], ['CHANGELOG.md'], ...scripts.map(([, path]) => [path])];
    const bundled = bundle(withNeeded(packages), stage, new RegExp(`${NOT_RUN}|${leftOut}`));
    for (const [from, to = from] of all)
      cpSync(join(projectRoot, from), join(stage, to), { recursive: true });
    const manifest = {
      ...{ name, description, keywords, type: root.type },
      bin: Object.fromEntries(scripts),
      ...bundled,
      files: [...all.map(([from, to = from]) => to), 'npm-shrinkwrap.json'],
    };
    // A program's versions are its own; a library's are chosen by the program that it is part of.
    const shrinkwrap = shrinkwrapOf({ ...COMMON, ...manifest });
    const dependencies = exactDependencies(manifest.dependencies, shrinkwrap);
    shrinkwrap.packages[''].dependencies = dependencies;
    writeFileSync(join(stage, 'npm-shrinkwrap.json'), `${JSON.stringify(shrinkwrap, null, 2)}\n`);
    return { ...manifest, dependencies };
  });
}

if (!isBuilt) {
  install();
  build();
}

for (const program of PROGRAMS) packProgram(program);

pack((stage) => {
  const leftOut = /\.(map|tsbuildinfo)$/;
  copyCode('client', stage, leftOut);
  cpSync(join(projectRoot, 'LICENSE'), join(stage, 'LICENSE'));
  cpSync(join(projectRoot, 'packages/client/README.md'), join(stage, 'README.md'));
  const { name, description, keywords, type, sideEffects, bin, exports, files } = manifestOf('client');
  const { dependencies, bundleDependencies } = bundle(['protocol'], stage, leftOut);
  return {
    ...{ name, description, keywords, type, sideEffects, bin, exports, files },
    dependencies: { ...dependencies, ...Object.fromEntries(externalOf('client')) },
    bundleDependencies,
  };
});
