// Installs the packed release as an operator does, starts the server from it on the simulated validator, asks it for what is
// served from its own files, and stops it; then the same for the client's package in a project of its own.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { projectRoot } from './steps.mjs';

const START_MS = 60_000;

/** Runs a command quietly; its output is shown, and this script ended, when it fails. */
function must(command, args, options) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (error) throw error;
  if (status !== 0)
    throw new Error(`${[command, ...args].join(' ')} ended with ${status}\n${stdout}${stderr}`);
  return stdout;
}

function npmInstall(cwd, ...args) {
  must('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...args], { cwd });
}

/** Starts the demo on ports of the system's choice; gives its process and, once it serves, the address of REST. */
async function startDemo(command, cwd) {
  const ports = ['--api-rest-port', '0', '--api-ws-port', '0', '--admin-port', '0'];
  const child = spawn(command, ['--serve', '--demo', ...ports], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const late = setTimeout(() => child.kill('SIGKILL'), START_MS);
  const seen = [];
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      seen.push(line);
      if (line.includes('"event":"listening"')) {
        return { child, url: `http://127.0.0.1:${JSON.parse(line).port}` };
      }
    }
  } finally {
    clearTimeout(late);
    child.stdout.resume();
  }
  throw new Error(`the installed server did not start\n${seen.join('\n')}`);
}

/** Every file that a package's documents refer to is in the package, too. */
function checkLinks(packageFolder, documents) {
  for (const document of documents) {
    const text = readFileSync(join(packageFolder, document), 'utf8').replaceAll(/```[^]*?```/g, '');
    for (const [, target] of text.matchAll(/\]\(([^)#\s]+)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      if (!existsSync(join(packageFolder, dirname(document), target)))
        throw new Error(`${document} of the package refers to ${target}, which is not in it`);
    }
  }
}

/** What is installed are the versions that the project was tested with, whatever was published since. */
function checkVersions(packageFolder) {
  const read = (path) => JSON.parse(readFileSync(join(packageFolder, path), 'utf8'));
  const { packages } = read('npm-shrinkwrap.json');
  for (const name of Object.keys(read('package.json').dependencies)) {
    const { version } = read(join('node_modules', name, 'package.json'));
    const tested = packages[`node_modules/${name}`].version;
    if (version !== tested) throw new Error(`${name} is installed as ${version}, and ${tested} was tested`);
  }
}

async function checkServer(folder, tarball, version) {
  npmInstall(folder, '--global', '--prefix', folder, tarball);
  const command = join(folder, 'bin', 'ptn-api');
  const said = must(command, ['--version']).trim();
  if (said !== version) throw new Error(`the installed ptn-api says that it is ${said}, not ${version}`);
  must(join(folder, 'bin', 'ptn-stream'), ['--help']);
  checkLinks(join(folder, 'lib/node_modules/ptn-api'), ['README.md']);
  checkVersions(join(folder, 'lib/node_modules/ptn-api'));

  const { child, url } = await startDemo(command, folder);
  try {
    for (const path of ['/readyz', '/docs', '/docs/asyncapi.yaml', '/openapi.json', '/dashboard/']) {
      const answer = await fetch(url + path);
      await answer.arrayBuffer();
      if (answer.status !== 200)
        throw new Error(`the installed server answers ${path} with ${answer.status}`);
    }
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`the installed server ended with ${code} after SIGTERM`);
  } finally {
    child.kill('SIGKILL');
  }
}

function checkClient(folder, tarball) {
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  npmInstall(folder, tarball);
  checkLinks(join(folder, 'node_modules/@ptn-api/client'), ['README.md']);
  const names = ['PtnStreamClient', 'PtnReplica', 'FileCursorStore'];
  const code = `import * as client from '@ptn-api/client';
    for (const name of ${JSON.stringify(names)}) if (typeof client[name] !== 'function') throw new Error('no ' + name);`;
  must(process.execPath, ['--input-type=module', '--eval', code], { cwd: folder });
}

const work = mkdtempSync(join(tmpdir(), 'ptn-api-release-'));
try {
  for (const name of ['packed', 'server', 'client']) mkdirSync(join(work, name));
  must(process.execPath, ['scripts/pack.mjs', join(work, 'packed')], { cwd: projectRoot });
  const packed = readdirSync(join(work, 'packed'));
  const server = packed.find((name) => /^ptn-api-\d/.test(name));
  const client = packed.find((name) => name.startsWith('ptn-api-client-'));
  if (packed.length !== 2 || !server || !client) throw new Error(`packed: ${packed.join(', ')}`);
  const version = server.slice('ptn-api-'.length, -'.tgz'.length);
  await checkServer(join(work, 'server'), join(work, 'packed', server), version);
  checkClient(join(work, 'client'), join(work, 'packed', client));
} finally {
  rmSync(work, { recursive: true, force: true });
}
