import { spawnSync } from 'node:child_process';
import { chmodSync, closeSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { StartError } from '@ptn-api/runtime';
import { makePtnRoot, startServer, waitFor } from '@ptn-api/testkit';
import type { PtnRoot } from '@ptn-api/testkit';
import t from 'tap';
import type { Test } from 'tap';
import { parseCommandLine } from '../dist/command-line.js';
import { runKeys } from '../dist/keys.js';

const CLI = fileURLToPath(new URL('../dist/main.js', import.meta.url));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `ptn-api keys`, within this process: a process of its own for each takes half a second. */
async function keys(root: PtnRoot, args: readonly string[], input = ''): Promise<Ended> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const run = async (): Promise<number> => {
    const context = { env: {}, nowMs: Date.now() };
    const line = ['keys', ...args, '--ptn-root', root.path];
    const command = parseCommandLine(line, { ...context, version: '0' });
    if (command.kind !== 'keys') throw new Error(`${line.join(' ')} is another command`);
    const io = { stdin: Readable.from([Buffer.from(input)]), stdout, stderr };
    return runKeys(command.request, { ...context, places: command.places, cwd: '/' }, io);
  };
  const status = await run().catch((error: unknown) => {
    if (!(error instanceof StartError)) throw error;
    stderr.write(error.message);
    return error.exitCode;
  });
  const textOf = (stream: PassThrough): string => String(stream.read() ?? '');
  return { status, stdout: textOf(stdout), stderr: textOf(stderr) };
}

/** The same as a user runs it. */
function spawnKeys(root: PtnRoot, args: readonly string[], input = ''): Ended {
  const env: NodeJS.ProcessEnv = { ...process.env };
  delete env['PTN_API_KEY'];
  return spawnSync(process.execPath, [CLI, 'keys', ...args, '--ptn-root', root.path], {
    input,
    encoding: 'utf8',
    env,
  });
}

function rootWith(t: Test, text: string): { root: PtnRoot; path: string } {
  const root = makePtnRoot(t, { files: { 'validation/here': '' } });
  root.writeKeys(text);
  return { root, path: root.join('ptn_api', 'api_keys.json') };
}

const ODD = `{
   "zoe" : {"tier":30,  "key":"old zoe key", "note": [1,  2], "key_hint":"\\u00e9"},
	"7": "legacy",
  "last":{ "key_sha256": "${'ab'.repeat(32)}", "tier": 0 }
}

`;

void t.test('no file and no folder is named off', async (t) => {
  const root = makePtnRoot(t, { files: { 'validation/here': '' } });
  for (const option of ['--api-keys', '--state-dir']) {
    const { status, stdout, stderr } = await keys(root, ['add', 'amy', '--tier', '50', option, 'off']);
    t.same([status, stdout], [2, ''], option);
    t.match(stderr, `${option} (`);
    t.match(stderr, 'is "off", a path is needed: ./off is one');
  }
});

void t.test('a new key is alone on stdout; all other bytes of the file stay; mode 0600', async (t) => {
  const { root, path } = rootWith(t, ODD);
  chmodSync(path, 0o664);
  const { stdout, stderr, status } = spawnKeys(root, ['add', 'amy', '--tier', '50']);
  t.equal(status, 0, stderr);
  t.match(stdout, /^ptn_[0-9A-Za-z]{38}\n$/);
  t.notMatch(stderr, stdout.trim());
  const entry = `,\n  "amy": { "key": "${stdout.trim()}", "tier": 50 }`;
  t.equal(readFileSync(path, 'utf8'), ODD.replace('"tier": 0 }', `"tier": 0 }${entry}`));
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal((await keys(root, ['revoke', 'amy'])).status, 0);
  t.equal(readFileSync(path, 'utf8'), ODD);
  t.same(readdirSync(root.join('ptn_api')), ['api_keys.json'], 'nothing is left beside it');
});

void t.test('a rotation changes the key and nothing else, and keeps the digest of the old one', async (t) => {
  const { root, path } = rootWith(t, ODD);
  const { stdout, status } = await keys(root, ['rotate', 'zoe', '--grace', '1h']);
  t.equal(status, 0);
  const text = readFileSync(path, 'utf8');
  t.equal(
    text
      .replace(/ "previous": \{ "key_sha256": "[0-9a-f]{64}", "expires": "[^"]+" \}/, '')
      .replace(',}', '}'),
    ODD.replace('old zoe key', stdout.trim()),
  );
  t.match((await keys(root, ['check'], 'old zoe key\n')).stdout, /^good: zoe, tier 30, expires /);
  t.match((await keys(root, ['check'], stdout)).stdout, /^good: zoe, tier 30\n$/);
  t.equal((await keys(root, ['rotate', 'zoe', '--grace', '0'])).status, 0);
  t.match((await keys(root, ['check'], 'old zoe key\n')).stdout, /^unknown: /);
});

void t.test('a mistyped key is distinguished from one that is not known, without showing it', async (t) => {
  const { root } = rootWith(t, '{}');
  const key = (await keys(root, ['add', 'amy', '--tier', '100', '--hashed'])).stdout.trim();
  t.notMatch(readFileSync(root.join('ptn_api', 'api_keys.json'), 'utf8'), key);
  const swapped = `${key.slice(0, 10)}${key[10] === 'x' ? 'y' : 'x'}${key.slice(11)}`;
  const damaged = await keys(root, ['check'], swapped);
  t.same([damaged.status, damaged.stdout.split(':')[0]], [1, 'not a whole key']);
  t.notMatch(damaged.stdout + damaged.stderr, swapped);
  t.same([spawnKeys(root, ['check'], key).status, spawnKeys(root, ['check'], 'made up').status], [0, 1]);
});

void t.test('a file that no server could use is refused and left alone', async (t) => {
  const { root, path } = rootWith(t, '{"amy": ');
  const { status, stdout, stderr } = spawnKeys(root, ['add', 'bob', '--tier', '0']);
  t.same([status, stdout], [8, '']);
  t.match(stderr, /not valid JSON/);
  t.equal(readFileSync(path, 'utf8'), '{"amy": ');
  writeFileSync(path, '{"amy": "k"}');
  t.match((await keys(root, ['add', 'amy', '--tier', '0'])).stderr, /there is a user "amy" already/);
  t.equal((await keys(root, ['revoke', 'nobody'])).status, 1);
  t.match((await keys(root, ['add', 'x', '--tier', '20'])).stderr, /Argument: tier, Given: "20", Choices: /);
});

void t.test('keys add makes folder and file, for their owner alone', async (t) => {
  const root = makePtnRoot(t, { files: { 'validation/here': '' } });
  const { status, stdout } = await keys(root, ['add', 'alice', '--tier', '100']);
  t.equal(status, 0);
  const path = root.join('ptn_api', 'api_keys.json');
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(statSync(root.join('ptn_api')).mode & 0o777, 0o700);
  t.match(readFileSync(path, 'utf8'), stdout.trim());
});

void t.test('an entry that cannot be used is replaced by keys add, and keys rotate says so', async (t) => {
  const example = readFileSync(new URL('../../../api_keys.json.example', import.meta.url), 'utf8');
  const { root, path } = rootWith(t, example);
  const rotated = await keys(root, ['rotate', 'alice']);
  t.equal(rotated.status, 1);
  t.match(rotated.stderr, /cannot be used .*ptn-api keys add replaces it/);
  for (const user of ['alice', 'carol']) {
    const { status, stdout } = await keys(root, ['add', user, '--tier', '30']);
    t.equal(status, 0);
    t.match((await keys(root, ['check'], stdout)).stdout, `good: ${user}, tier 30`);
  }
  t.match(JSON.parse(readFileSync(path, 'utf8')), { alice: { tier: 30 }, dave: { key: '' } });
  t.equal((await keys(root, ['add', 'alice', '--tier', '30'])).status, 1, 'one that can be used is not');
});

void t.test('keys list as JSON, and counts in proper English', async (t) => {
  const { root } = rootWith(t, '{}');
  const add = ['add', 'amy', '--tier', '50', '--rate-limit', '1', '--max-connections', '1'];
  t.equal((await keys(root, [...add, '--expires', '2999-01-31'])).status, 0);
  t.equal((await keys(root, ['rotate', 'amy'])).status, 0);
  t.match((await keys(root, ['list'])).stdout, /^amy: tier 50, 1 request per minute, 1 stream, expires 2999/);
  const { stdout } = await keys(root, ['list', '--json']);
  t.match(JSON.parse(stdout), [
    { user: 'amy', tier: 50, previous: false, rate_limit: 1, max_connections: 1, expires: /^2999-01-31T/ },
    { user: 'amy', previous: true },
  ]);
  t.notMatch(stdout, /key/);
  t.equal((await keys(root, ['add', 'bob', '--tier', '0', '--json'])).status, 2);
});

void t.test('a key that cannot be shown is not in the file', (t) => {
  const { root, path } = rootWith(t, '{}');
  const full = openSync('/dev/full', 'w');
  t.teardown(() => {
    closeSync(full);
  });
  for (const args of [['add', 'amy', '--tier', '0']]) {
    const { status, stderr } = spawnSync(process.execPath, [CLI, 'keys', ...args, '--ptn-root', root.path], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    t.equal(status, 1);
    t.match(stderr, /the key cannot be written to standard output \(ENOSPC.*nothing was changed/);
    t.notMatch(stderr, /\n +at /);
    t.equal(readFileSync(path, 'utf8'), '{}');
    t.same(readdirSync(root.join('ptn_api')), ['api_keys.json']);
  }
  t.end();
});

const canMount = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0;

void t.test(
  'a key file that is mounted as a single file is said to be one',
  { skip: !canMount && 'mounting needs root' },
  (t) => {
    const { root, path } = rootWith(t, '{}');
    const command = `mount --bind "$1" "$2" && exec "$3" "$4" keys add amy --tier 0 --ptn-root "$5"`;
    const outside = root.join('outside.json');
    writeFileSync(outside, '{}');
    const { status, stderr } = spawnSync(
      'unshare',
      ['-m', 'sh', '-c', command, 'sh', outside, path, process.execPath, CLI, root.path],
      { encoding: 'utf8' },
    );
    t.equal(status, 1, stderr);
    t.match(stderr, /mounted as a single file.*mount its folder instead.*Nothing was changed/s);
    t.equal(readFileSync(outside, 'utf8'), '{}');
    t.end();
  },
);

void t.test('a server that runs', async (t) => {
  const root = makePtnRoot(t, { keys: { other: 'other-key', bob: 'KB', carl: 'KC' }, outputs: '{}' });
  const server = await startServer(t, { root: root.path });
  const statusOf = async (key: string): Promise<number> => {
    const answer = await fetch(`${server.url}/miner-positions`, {
      headers: { authorization: `Bearer ${key}` },
    });
    await answer.arrayBuffer();
    return answer.status;
  };

  await t.test('a running server takes an added, a rotated and a revoked key over', async (t) => {
    const becomes = (key: string, status: number) =>
      waitFor(async () => (await statusOf(key)) === status, {
        what: `a key answers ${status}`,
      });
    const first = (await keys(root, ['add', 'amy', '--tier', '100'])).stdout.trim();
    await becomes(first, 200);
    const second = (await keys(root, ['rotate', 'amy'])).stdout.trim();
    await becomes(second, 200);
    t.equal(await statusOf(first), 200, 'within the grace');
    await keys(root, ['revoke', 'amy']);
    await becomes(second, 401);
    t.equal(await statusOf(first), 401);
    t.equal(await statusOf('other-key'), 200);
    t.notOk([first, second].some((key) => server.output().includes(key)));
  });

  await t.test(
    'the file in force is the one that is changed, and what no server reads is said',
    async (t) => {
      t.not(await statusOf('KB'), 401);
      root.writeFile('vanta_api/api_keys.json', '{"broken');
      const revoked = await keys(root, ['revoke', 'bob']);
      t.same([revoked.status, revoked.stderr.includes('warning')], [0, false], revoked.stderr);
      await waitFor(async () => (await statusOf('KB')) === 401, { what: 'bob is refused' });
      const elsewhere = root.join('elsewhere.json');
      writeFileSync(elsewhere, '{"carl": "KC"}');
      const other = await keys(root, ['revoke', 'carl', '--api-keys', elsewhere]);
      t.equal(other.status, 0);
      t.match(other.stderr, /warning: the server that runs \(process \d+\) has not read this change/);
      t.not(await statusOf('KC'), 401);
      await server.stop();
      t.notMatch(
        (await keys(root, ['add', 'eve', '--tier', '0', '--api-keys', elsewhere])).stderr,
        /warning/,
      );
    },
  );
});
