// Runs test files, several at a time: all of them, or those that the arguments name, by source, by built file, or by a part
// of the name. Each is a plain Node process: tap's own runner loads a tracker into every process and thread below it, which
// doubles what all of them cost. With names, the project is compiled first, and errors name lines of the sources, whose maps
// take a tenth of a second of each process; --watch runs them again after each change.
// What each wrote is in .tap/, failures are printed, the last line is `N passed, N failed`.
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import { cpus, freemem, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Parser } from 'tap-parser';
import { projectRoot, run, tsc } from './steps.mjs';

/** More would make servers start too slowly on two cores; while files wait and leave cores idle, some more go beside them. */
const AT_A_TIME = 3;
const MAX_AT_A_TIME = 8;
const IDLE_SHARE = 0.3;
const IDLE_CHECK_MS = 500;
const TIMEOUT_S = 240;
/** Pure packages: no test of theirs notices another, and most take less time than the start of a process. */
const ONE_PROCESS_EACH = ['access', 'positions', 'protocol', 'rules', 'scoring', 'wire'];

/** Where what is synced costs no time, and tests sync a lot; with little room, as in a container, they use the disk. */
const MEMORY_FOLDER = '/dev/shm';
const ROOM_BYTES = 4 * 2 ** 30;

const outputFolder = join(projectRoot, '.tap');

function makeTemporaryFolder() {
  const { bavail, bsize } = existsSync(MEMORY_FOLDER) ? statfsSync(MEMORY_FOLDER) : { bavail: 0, bsize: 0 };
  const hasRoom = Math.min(bavail * bsize, freemem()) >= ROOM_BYTES;
  return mkdtempSync(join(hasRoom ? MEMORY_FOLDER : tmpdir(), 'ptn-tests-'));
}

function allFiles() {
  const packages = join(projectRoot, 'packages');
  return readdirSync(packages)
    .map((name) => join('packages', name, 'dist-test'))
    .filter((folder) => existsSync(join(projectRoot, folder)))
    .flatMap((folder) => readdirSync(join(projectRoot, folder)).map((name) => join(folder, name)))
    .filter((path) => path.endsWith('.test.js'));
}

/** What runs in one process: a file, or all those of a pure package. */
function together(paths) {
  const groups = new Map();
  for (const path of paths) {
    const folder = dirname(path);
    const isPure = ONE_PROCESS_EACH.includes(basename(dirname(folder)));
    const name = isPure ? folder : path;
    groups.set(name, [...(groups.get(name) ?? []), path]);
  }
  return [...groups].map(([name, files]) => ({ name, files }));
}

/** Runs files in one process; their TAP is in `outputFile`, with what they wrote to stderr after it. */
function runFiles(paths, outputFile) {
  const output = openSync(outputFile, 'w');
  const imports = paths.map(
    (path) => `await import(${JSON.stringify(pathToFileURL(join(projectRoot, path)))});`,
  );
  const program = paths.length === 1 ? paths : ['--input-type=module', '--eval', imports.join('\n')];
  const child = spawn(process.execPath, [...(names.length > 0 ? ['--enable-source-maps'] : []), ...program], {
    cwd: projectRoot,
    stdio: ['ignore', output, output],
    env: { ...process.env, TMPDIR: temporaryFolder, TAP_TIMEOUT: String(TIMEOUT_S), TAP: '1' },
  });
  // tap ends a test that takes too long by itself; this is for a process that no longer gets to it.
  const timer = setTimeout(() => child.kill('SIGKILL'), (TIMEOUT_S + 10) * 1000);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      closeSync(output);
      resolve({ code, signal });
    });
  });
}

/** Counts the assertions of a file. An empty or broken report is a failure, however the process ended. */
function judge(report, { code, signal }) {
  const events = Parser.parse(report, { flat: true });
  const asserts = events.filter(([name]) => name === 'assert').map(([, assert]) => assert);
  const results = events.find(([name]) => name === 'complete')?.[1];
  const failed = asserts.filter(({ ok }) => !ok).length;
  const passed = asserts.filter(({ ok, skip }) => ok && skip === false).length;
  // The plan is the last that a file writes, and a file that is skipped as a whole writes nothing else.
  const isGood = code === 0 && results?.ok === true && /^\d+\.\.\d+/m.test(report);
  const ending = signal === null ? `exit code ${code}` : `ended by ${signal}`;
  return { passed, failed: isGood ? 0 : Math.max(failed, 1), ending };
}

function printFailure(path, { ending }, report) {
  const blocks = [...report.matchAll(/^ *not ok .*$(?:\n +---\n[^]*?\n +\.\.\.$)?/gm)].map(
    ([block]) => block,
  );
  const text = blocks.length > 0 ? blocks.join('\n') : report.split('\n').slice(-40).join('\n');
  process.stderr.write(`FAILED ${path}, ${ending}\n${text}\n`);
}

/** The built test files that a name means: itself, its source, or all whose name has it in it. */
function filesNamed(name) {
  const built = name.replace(/\/test\/(.*)\.ts$/, '/dist-test/$1.js').replace(/^\.\//, '');
  const found = allFiles().filter((path) => path === built || (!built.includes('/') && path.includes(built)));
  if (found.length === 0) {
    process.stderr.write(`no test file is called ${name}\n`);
    process.exit(2);
  }
  return found;
}

/** Runs one group and prints how it went. */
async function runGroup({ name, files, index }) {
  const outputFile = join(outputFolder, `${index}-${basename(files[0], '.js')}.tap`);
  const startedMs = performance.now();
  const ended = await runFiles(files, outputFile);
  const report = readFileSync(outputFile, 'utf8');
  const result = judge(report, ended);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  process.stderr.write(`  ${name}: ${result.passed} passed, ${result.failed} failed, ${seconds} s\n`);
  if (result.failed > 0) printFailure(name, result, report);
  return result;
}

/** Calls back again and again while the cores have time left. */
function whileIdle(callback) {
  const times = () => cpus().map((cpu) => cpu.times);
  const sum = (all, of) => all.reduce((total, each) => total + of(each), 0);
  const spent = ({ user, nice, sys, idle, irq }) => user + nice + sys + idle + irq;
  let before = times();
  return setInterval(() => {
    const now = times();
    const idleMs = sum(now, ({ idle }) => idle) - sum(before, ({ idle }) => idle);
    if (idleMs > IDLE_SHARE * (sum(now, spent) - sum(before, spent))) callback();
    before = now;
  }, IDLE_CHECK_MS);
}

/** @param groups see {@link together} */
async function runAll(groups) {
  rmSync(outputFolder, { recursive: true, force: true });
  mkdirSync(outputFolder);
  const total = { passed: 0, failed: 0 };
  const waiting = groups.map((group, index) => ({ ...group, index })).reverse();
  let running = 0;
  const runNext = async () => {
    running += 1;
    const { passed, failed } = await runGroup(waiting.pop());
    running -= 1;
    total.passed += passed;
    total.failed += failed;
  };
  const beside = [];
  const idleTimer = whileIdle(() => {
    if (waiting.length > 0 && running < MAX_AT_A_TIME) beside.push(runNext());
  });
  const lanes = Array.from({ length: AT_A_TIME }, async () => {
    while (waiting.length > 0) await runNext();
  });
  await Promise.all(lanes);
  clearInterval(idleTimer);
  await Promise.all(beside);
  const isGood = total.failed === 0 && total.passed > 0;
  process.stdout.write(`${total.passed} passed, ${isGood ? 0 : Math.max(total.failed, 1)} failed\n`);
  return isGood;
}

const isWatching = process.argv.includes('--watch');
const names = process.argv.slice(2).filter((argument) => argument !== '--watch');
if (names.length > 0) run('build', process.execPath, [tsc, '-b']);
const groups =
  names.length > 0
    ? [...new Set(names.flatMap(filesNamed))].map((path) => ({ name: path, files: [path] }))
    : together(allFiles());
const temporaryFolder = makeTemporaryFolder();
process.on('exit', () => rmSync(temporaryFolder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
const isGood = await runAll(groups);
if (isWatching) await watchSources(groups);
else process.exitCode = isGood ? 0 : 1;

/** Until Ctrl-C. */
async function watchSources(groups) {
  const { watch } = await import('chokidar');
  const sources = readdirSync(join(projectRoot, 'packages')).flatMap((name) =>
    ['src', 'test'].map((folder) => join(projectRoot, 'packages', name, folder)),
  );
  let timer;
  let running = Promise.resolve();
  watch(
    sources.filter((path) => existsSync(path)),
    { ignoreInitial: true },
  ).on('all', () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      running = running.then(async () => {
        const compiled = spawnSync(process.execPath, [tsc, '-b'], {
          cwd: projectRoot,
          stdio: 'inherit',
        });
        if (compiled.status === 0) await runAll(groups);
      });
    }, 300);
  });
}
