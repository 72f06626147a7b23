import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Test } from 'tap';
import { makePtnRoot, startServer, waitFor } from '@ptn-api/testkit';
import { OPTION_NAMES, OPTIONS } from '../dist/options/options.js';

t.jobs = 2;

function test(name: string, run: (t: Test) => Promise<void>): void {
  void t.test(name, { buffered: true }, run);
}

const CLI = fileURLToPath(new URL('../dist/main.js', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line to its end, without any option from this process's environment. */
function run(args: readonly string[], { cwd = '/', input = '', env = {} } = {}): Promise<Ended> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('PTN_API_'));
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd,
    env: { ...Object.fromEntries(inherited), ...env },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code, stdout, stderr });
    });
  });
}

test('--help names every option, its variable and its default', async (t) => {
  const { code, stdout, stderr } = await run(['--help'], {
    env: { LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' },
  });
  t.equal(code, 0);
  t.equal(stderr, '');
  for (const name of OPTION_NAMES) {
    t.match(stdout, new RegExp(`--${name}[ ,]`), name);
    t.ok(stdout.includes(`[${OPTIONS[name].env}]`), OPTIONS[name].env);
  }
  t.match(stdout, /\[default: 127\.0\.0\.1\]/);
  t.match(stdout, /\[default: 48888\]/);
  t.match(stdout, /\[default: 8765\]/);
  t.match(stdout, /Examples:\n/);
  t.match(stdout, /ptn-api filter --tier/);
});

test('filter --help shows the options of filter', async (t) => {
  const { code, stdout } = await run(['filter', '--help']);
  t.equal(code, 0);
  t.match(stdout, /--tier .*\n.*\[choices: "0", "30", "50", "100"\]/);
  t.notMatch(stdout, /--api-host/);
});

test('--version is that of the package', async (t) => {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  t.same(await run(['--version']), { code: 0, stdout: `${manifest.version}\n`, stderr: '' });
});

test('nothing to do is the help, and a usage error', async (t) => {
  const { code, stdout, stderr } = await run([]);
  t.equal(code, 2);
  t.match(stdout, /--api-host/);
  t.equal(stderr, 'ptn-api: nothing to do: pass --serve to start the server\n');
});

test('an unknown option is one line', async (t) => {
  const { code, stdout, stderr } = await run(['--serve', '--api-hots', '0.0.0.0']);
  t.equal(code, 2);
  t.equal(stdout, '');
  t.equal(stderr, 'ptn-api: Unknown argument: api-hots (ptn-api --help lists what there is)\n');
});

test('every bad value is one line', async (t) => {
  const { code, stderr } = await run(['--serve', '--api-rest-port', '70000'], {
    env: { PTN_API_REST_WORKERS: '99' },
  });
  t.equal(code, 2);
  t.equal(
    stderr,
    'ptn-api: --api-rest-port (PTN_API_REST_PORT) is "70000", allowed is a whole number from 0 to 65535\n' +
      'ptn-api: --rest-workers (PTN_API_REST_WORKERS) is "99", allowed is a whole number from 1 to 16\n',
  );
});

test('no validator folder is one line and exit code 3', async (t) => {
  const { path } = makePtnRoot(t);
  const nowhere = await run(['--serve'], { cwd: path });
  t.equal(nowhere.code, 3);
  t.match(nowhere.stderr, /^ptn-api: No validator folder at .*\n$/);
  const empty = await run(['--serve', '--ptn-root', path]);
  t.equal(empty.code, 3);
  t.match(empty.stderr, /^ptn-api: No validator folder at .*: it holds no validation\/\..*\n$/);
});

test('no key file is reported with the path and the example, exit code 4', async (t) => {
  const root = makePtnRoot(t, { files: { 'validation/eliminations.json': '{}' } });
  const { code, stdout, stderr } = await run(['--serve', '--ptn-root', root.path, '--api-rest-port', '0']);
  t.equal(code, 4);
  const output = `${stdout}${stderr}`;
  t.ok(output.includes(root.join('ptn_api', 'api_keys.json')), output);
  t.match(output, /api_keys\.json\.example/);
});

test('a broken key file is reported without its content, exit code 8', async (t) => {
  const root = makePtnRoot(t, {
    keys: '{"alice": "secret-key"',
    files: { 'validation/eliminations.json': '{}' },
  });
  const { code, stdout, stderr } = await run(['--serve', '--ptn-root', root.path, '--api-rest-port', '0']);
  t.equal(code, 8);
  const output = `${stdout}${stderr}`;
  t.match(output, /not valid JSON/);
  t.notMatch(output, /secret-key/);
});

test('an unusable state directory is one line and exit code 6', async (t) => {
  const root = makePtnRoot(t, { keys: {}, files: { 'validation/eliminations.json': '{}', file: '' } });
  const { code, stderr } = await run(['--serve', '--ptn-root', root.path, '--state-dir', root.join('file')]);
  t.equal(code, 6);
  t.match(stderr, /^ptn-api: Cannot use the state directory .*file: .*\n$/);
});

test('filter reads standard input and writes standard output', async (t) => {
  const { code, stdout } = await run(['filter', '--tier', '30', '--now', '1'], { input: '{}' });
  t.equal(code, 0);
  t.same(JSON.parse(stdout), {});
});

test('with the arguments of a validator the server starts, and a changed key counts', async (t) => {
  const root = makePtnRoot(t, { keys: { alice: 'KA' }, files: { 'validation/eliminations.json': '{}' } });
  const args = '--serve --wallet.name validator --subtensor.network=test --logging.debug --netuid 116';
  const server = await startServer(t, { root: root.path, args: [...args.split(' '), '--rest-workers', '1'] });
  const statusFor = async (key: string): Promise<number> => {
    const response = await fetch(`${server.url}/eliminations`, {
      headers: { authorization: `Bearer ${key}` },
    });
    await response.arrayBuffer();
    return response.status;
  };
  t.equal(await statusFor('KA'), 200);
  t.equal(await statusFor('KB'), 401);

  root.writeKeys({ alice: 'KB' });
  await waitFor(async () => (await statusFor('KB')) === 200, { what: 'the new key counts' });
  t.equal(await statusFor('KA'), 401);
});

void t.test('output that nobody reads, or that is full, ends a command without a stack trace', (t) => {
  const root = makePtnRoot(t, { keys: { user: { key: 'the-key', tier: 100 } }, outputs: '{}' });
  const cli = CLI;
  const place = `--ptn-root ${root.path}`;
  for (const command of ['--help', `doctor ${place}`, `keys list ${place}`, 'status --admin-port 1']) {
    const line = `"${process.execPath}" "${cli}" ${command}`;
    const gone = spawnSync('bash', ['-c', `set -o pipefail; ${line} | true; sleep 0; ${line} | head -c 1`], {
      encoding: 'utf8',
    });
    t.notMatch(gone.stderr, /EPIPE|\n +at /, command);
    if (command.startsWith('status')) continue;
    const full = spawnSync('bash', ['-c', `${line} > /dev/full`], { encoding: 'utf8' });
    t.equal(full.status, 1, command);
    t.match(full.stderr, /^ptn-api: standard output cannot be written: ENOSPC[^\n]*\n$/);
  }
  t.end();
});
