// A validator's folder and a running server, for benchmarks. Everything is on 127.0.0.1 and ends with the process.
import { spawn } from 'node:child_process';
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
import { fileURLToPath } from 'node:url';

export const projectRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const CLI = 'packages/cli/dist/main.js';
const simulator = join(projectRoot, 'packages/simulator/dist/main.js');
const MAX_OUTPUT = 2 ** 26;
const ended = [];

export const KEYS = { 0: 'bench-key-0', 30: 'bench-key-30', 50: 'bench-key-50', 100: 'bench-key-100' };

/** Runs at the end, also after an error. */
export function atEnd(action) {
  ended.unshift(action);
}

export async function finish() {
  for (const action of ended.splice(0)) await action();
}

/** A temporary folder that is removed at the end. */
export function temporaryFolder(name) {
  const path = mkdtempSync(join(tmpdir(), `ptn-bench-${name}-`));
  atEnd(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A PTN_ROOT with a history of that size, written by the simulated validator. PTN_BENCH_ROOT reuses one. */
export async function makeRoot({ miners, positions, name = 'root' }) {
  const kept = process.env.PTN_BENCH_ROOT;
  const path = kept === undefined ? temporaryFolder(name) : join(kept, `${miners}-${positions}`);
  if (!existsSync(join(path, 'validation', 'miners'))) {
    mkdirSync(path, { recursive: true });
    const args = [
      '--root',
      path,
      '--miners',
      miners,
      '--positions',
      positions,
      '--seed',
      7,
      '--history-only',
    ];
    const child = spawn(process.execPath, [simulator, ...args.map(String)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`the simulated validator ended with ${code}`);
  }
  mkdirSync(join(path, 'ptn_api'), { recursive: true });
  const keys = Object.fromEntries(
    Object.entries(KEYS).map(([tier, key]) => [`u${tier}`, { key, tier: Number(tier) }]),
  );
  writeFileSync(join(path, 'ptn_api', 'api_keys.json'), JSON.stringify(keys), { mode: 0o600 });
  return path;
}

/** Files and bytes under a folder's position tree. */
export function treeSize(root) {
  const base = join(root, 'validation', 'miners');
  let files = 0;
  let bytes = 0;
  for (const entry of readdirSync(base, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    files += 1;
    bytes += readFileSync(join(entry.parentPath, entry.name)).byteLength;
  }
  return { files, bytes };
}

/** Starts the server, of this checkout or another, on a folder; resolves when it serves. Port 0: one that is free. */
export async function startServer(
  root,
  args = [],
  { restPort = 0, wsPort = 0, rateLimit = 0, checkout = projectRoot } = {},
) {
  const startedMs = performance.now();
  const child = spawn(
    process.execPath,
    [
      join(checkout, CLI),
      '--serve',
      '--ptn-root',
      root,
      '--api-rest-port',
      String(restPort),
      '--api-ws-port',
      String(wsPort),
      '--log-level',
      'info',
      // Beside another server, too.
      '--admin-port',
      '0',
      // One key asks for all that is measured.
      '--rate-limit',
      String(rateLimit),
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
  );
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    output += chunk;
    // What was logged first, and last: a flood of lines is longer than a text may be.
    if (output.length > MAX_OUTPUT) output = output.slice(0, MAX_OUTPUT / 4) + output.slice(-MAX_OUTPUT / 4);
    if (process.env.PTN_BENCH_VERBOSE !== undefined) process.stderr.write(chunk);
  });
  const exited = once(child, 'exit');
  await new Promise((resolve, reject) => {
    child.on('message', (message) => message === 'ready' && resolve());
    void exited.then(([code]) => reject(new Error(`the server ended with ${code}\n${output}`)));
  });
  const readyMs = performance.now() - startedMs;
  const line = output.split('\n').find((text) => text.includes('"event":"listening"'));
  const { host, port } = JSON.parse(line);
  const server = {
    url: `http://${host}:${port}`,
    port,
    pid: child.pid,
    readyMs,
    output: () => output,
    /** Resolves when it has ended, however. */
    exited,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await exited;
    },
  };
  atEnd(() => server.stop());
  return server;
}

/** The process and its descendants: `[{pid, command}]`. */
export function processTree(pid) {
  const parents = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch (error) {
      if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error;
    }
  }
  const tree = [pid];
  for (let i = 0; i < tree.length; i++) {
    for (const [child, parent] of parents) if (parent === tree[i]) tree.push(child);
  }
  return tree.flatMap((id) => {
    try {
      return [{ pid: id, command: readFileSync(`/proc/${id}/cmdline`, 'utf8').replaceAll('\0', ' ') }];
    } catch (error) {
      // It has ended meanwhile.
      if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error;
      return [];
    }
  });
}

/** The role of a process of the server, from its command line. */
export function roleOf(command) {
  const worker = /\/(feed|rest|stream)\/dist\/main\.js/.exec(command)?.[1];
  return worker === 'stream' ? 'ws' : (worker ?? 'supervisor');
}

/** CPU ms used so far by a process and its threads. */
export function cpuMs(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/**
 * Memory in MB: `rss` as `ps` shows it, `pss` with shared pages counted once, `own` without pages of files, which the
 * system takes back when it likes (the order log is one).
 */
export function memoryMb(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kb = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? NaN);
  return { rss: kb('Rss') / 1024, pss: kb('Pss') / 1024, own: kb('Anonymous') / 1024 };
}

/**
 * Memory in MB without pages of files, for whoever asks often: the kernel keeps this sum, while the others make it walk
 * the pages of the process, which stands still meanwhile.
 */
export function ownMemoryMb(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1] ?? NaN) / 1024;
}

export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

/** Resolves when `condition` gives something; throws after the deadline. */
export async function until(condition, timeoutMs, what) {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const result = await condition();
    if (result) return result;
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
