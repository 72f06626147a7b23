// Installs the packed release as an operator does, starts the server from it on the simulated validator, asks it for what is
// served from its own files, and stops it; then the same for the miner, with a hotkey of its own, for the devnet, and for the
// client's package in a project of its own. With --built, what is built is packed as it is.
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

/** Starts a program; gives its process and, once a line of its log has it, what is looked for. */
async function startProgram(command, args, cwd, find) {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  const late = setTimeout(() => child.kill('SIGKILL'), START_MS);
  const seen = [];
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      seen.push(line);
      const found = find(line);
      if (found !== undefined) return { child, found };
    }
  } finally {
    clearTimeout(late);
    child.stdout.resume();
  }
  throw new Error(`the installed ${command} did not start\n${seen.join('\n')}`);
}

/** Asks for paths below an address; each must be answered with 200. */
async function checkPaths(url, paths) {
  for (const path of paths) {
    const answer = await fetch(new URL(path, url));
    await answer.arrayBuffer();
    if (answer.status !== 200) throw new Error(`${url} answers ${path} with ${answer.status}`);
  }
}

/** Stops a program, which must end well. */
async function stopProgram(child) {
  child.kill('SIGTERM');
  const [code, signal] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${child.spawnfile} ended with ${code ?? signal} after SIGTERM`);
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

/** Installs a program into a prefix of its own; gives its command. */
function installProgram(folder, tarball, name, version) {
  npmInstall(folder, '--global', '--prefix', folder, tarball);
  const command = join(folder, 'bin', name);
  const said = must(command, ['--version']).trim();
  if (said !== version) throw new Error(`the installed ${name} says that it is ${said}, not ${version}`);
  checkLinks(join(folder, 'lib/node_modules', name), ['README.md']);
  checkVersions(join(folder, 'lib/node_modules', name));
  return command;
}

async function checkServer(folder, tarball, version) {
  const command = installProgram(folder, tarball, 'ptn-api', version);
  must(join(folder, 'bin', 'ptn-stream'), ['--help']);
  const ports = ['--api-rest-port', '0', '--api-ws-port', '0', '--admin-port', '0'];
  const { child, found: url } = await startProgram(command, ['--serve', '--demo', ...ports], folder, (line) =>
    line.includes('"event":"listening"') ? `http://127.0.0.1:${JSON.parse(line).port}` : undefined,
  );
  try {
    await checkPaths(url, ['/readyz', '/docs', '/docs/asyncapi.yaml', '/openapi.json', '/dashboard/']);
    await stopProgram(child);
  } finally {
    child.kill('SIGKILL');
  }
}

async function checkMiner(folder, tarball, version) {
  const command = installProgram(folder, tarball, 'ptn-miner', version);
  const wallet = ['--wallet.path', join(folder, 'wallets')];
  const [hotkey] = must(command, ['wallet', 'new', ...wallet]).split('\n');
  writeFileSync(join(folder, 'metagraph.json'), JSON.stringify({ netuid: 8, neurons: [{ hotkey }] }));
  mkdirSync(join(folder, 'mining'));
  writeFileSync(join(folder, 'mining', 'miner_secrets.json'), '{"api_key": "check"}');
  let signalsUrl;
  const run = ['run', ...wallet, '--signals-port', '0', '--start-dashboard'];
  const { child, found: pageUrl } = await startProgram(command, run, folder, (line) => {
    signalsUrl ??= /takes signals at (http:\/\/[^/]+)/.exec(line)?.[1];
    return /its page at (http:\S+\/)/.exec(line)?.[1];
  });
  try {
    await checkPaths(pageUrl, ['/', '/status.json', '/miner-data', '/icon.svg', '/licenses.md']);
    const sent = must(command, ['send', 'BTCUSD', 'LONG', '0.1', '--url', signalsUrl], { cwd: folder });
    if (!/received successfully/.test(sent)) throw new Error(`the installed miner takes no signal: ${sent}`);
    await stopProgram(child);
  } finally {
    child.kill('SIGKILL');
  }
}

async function checkDevnet(folder, tarball, version) {
  const command = installProgram(folder, tarball, 'ptn-devnet', version);
  const root = join(folder, 'root');
  const run = ['run', '--root', root, '--axon-port', '0', '--speed', '1440'];
  const { child } = await startProgram(
    command,
    run,
    folder,
    (line) => line.includes('takes orders') || undefined,
  );
  try {
    await stopProgram(child);
  } finally {
    child.kill('SIGKILL');
  }
  must(command, ['--root', join(folder, 'history'), '--miners', '5', '--positions', '40', '--history-only']);
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

/** What is released: by the name of its file, and what tries it. */
const RELEASED = [
  { name: 'server', file: /^ptn-api-(\d.*)\.tgz$/, check: checkServer },
  { name: 'miner', file: /^ptn-miner-(\d.*)\.tgz$/, check: checkMiner },
  { name: 'devnet', file: /^ptn-devnet-(\d.*)\.tgz$/, check: checkDevnet },
  { name: 'client', file: /^ptn-api-client-(\d.*)\.tgz$/, check: checkClient },
];

const work = mkdtempSync(join(tmpdir(), 'ptn-api-release-'));
try {
  mkdirSync(join(work, 'packed'));
  const options = process.argv.slice(2);
  must(process.execPath, ['scripts/pack.mjs', join(work, 'packed'), ...options], { cwd: projectRoot });
  const packed = readdirSync(join(work, 'packed'));
  if (packed.length !== RELEASED.length) throw new Error(`packed: ${packed.join(', ')}`);
  for (const { name, file, check } of RELEASED) {
    const tarball = packed.find((candidate) => file.test(candidate));
    if (tarball === undefined) throw new Error(`no ${name} among ${packed.join(', ')}`);
    mkdirSync(join(work, name));
    await check(join(work, name), join(work, 'packed', tarball), file.exec(tarball)[1]);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
