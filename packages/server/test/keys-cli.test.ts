import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { makePtnRoot, startServer, waitFor } from '@ptn-api/testkit';
import type { PtnRoot } from '@ptn-api/testkit';
import t from 'tap';
import type { Test } from 'tap';

const CLI = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

function keys(root: PtnRoot, args: readonly string[], input = '') {
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

void t.test('a new key is alone on stdout; all other bytes of the file stay; mode 0600', (t) => {
  const { root, path } = rootWith(t, ODD);
  chmodSync(path, 0o664);
  const { stdout, stderr, status } = keys(root, ['add', 'amy', '--tier', '50']);
  t.equal(status, 0, stderr);
  t.match(stdout, /^ptn_[0-9A-Za-z]{38}\n$/);
  t.notMatch(stderr, stdout.trim());
  const entry = `,\n  "amy": { "key": "${stdout.trim()}", "tier": 50 }`;
  t.equal(readFileSync(path, 'utf8'), ODD.replace('"tier": 0 }', `"tier": 0 }${entry}`));
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(keys(root, ['revoke', 'amy']).status, 0);
  t.equal(readFileSync(path, 'utf8'), ODD);
  t.same(readdirSync(root.join('ptn_api')), ['api_keys.json'], 'nothing is left beside it');
  t.end();
});

void t.test('a rotation changes the key and nothing else, and keeps the digest of the old one', (t) => {
  const { root, path } = rootWith(t, ODD);
  const { stdout, status } = keys(root, ['rotate', 'zoe', '--grace', '1h']);
  t.equal(status, 0);
  const text = readFileSync(path, 'utf8');
  t.equal(
    text
      .replace(/ "previous": \{ "key_sha256": "[0-9a-f]{64}", "expires": "[^"]+" \}/, '')
      .replace(',}', '}'),
    ODD.replace('old zoe key', stdout.trim()),
  );
  t.match(keys(root, ['check'], 'old zoe key\n').stdout, /^good: zoe, tier 30, expires /);
  t.match(keys(root, ['check'], stdout).stdout, /^good: zoe, tier 30\n$/);
  t.equal(keys(root, ['rotate', 'zoe', '--grace', '0']).status, 0);
  t.match(keys(root, ['check'], 'old zoe key\n').stdout, /^unknown: /);
  t.end();
});

void t.test('a mistyped key is told from one that is not known, without showing it', (t) => {
  const { root } = rootWith(t, '{}');
  const key = keys(root, ['add', 'amy', '--tier', '100', '--hashed']).stdout.trim();
  t.notMatch(readFileSync(root.join('ptn_api', 'api_keys.json'), 'utf8'), key);
  const swapped = `${key.slice(0, 10)}${key[10] === 'x' ? 'y' : 'x'}${key.slice(11)}`;
  const damaged = keys(root, ['check'], swapped);
  t.same([damaged.status, damaged.stdout.split(':')[0]], [1, 'not a whole key']);
  t.notMatch(damaged.stdout + damaged.stderr, swapped);
  t.same([keys(root, ['check'], key).status, keys(root, ['check'], 'made up').status], [0, 1]);
  t.end();
});

void t.test('a file that no server could use is refused and left alone', (t) => {
  const { root, path } = rootWith(t, '{"amy": ');
  const { status, stdout, stderr } = keys(root, ['add', 'bob', '--tier', '0']);
  t.same([status, stdout], [8, '']);
  t.match(stderr, /not valid JSON/);
  t.equal(readFileSync(path, 'utf8'), '{"amy": ');
  writeFileSync(path, '{"amy": "k"}');
  t.match(keys(root, ['add', 'amy', '--tier', '0']).stderr, /there is a user "amy" already/);
  t.equal(keys(root, ['revoke', 'nobody']).status, 1);
  t.match(keys(root, ['add', 'x', '--tier', '20']).stderr, /--tier is "20", allowed are/);
  t.end();
});

void t.test(
  'a running server takes an added, a rotated and a revoked key over within a second',
  async (t) => {
    const { root } = rootWith(t, '{"other": "other-key"}');
    root.writeOutputs('{}');
    const server = await startServer(t, { root: root.path });
    const statusOf = async (key: string) =>
      (await fetch(`${server.url}/miner-positions`, { headers: { authorization: `Bearer ${key}` } })).status;
    const becomes = (key: string, status: number) =>
      waitFor(async () => (await statusOf(key)) === status, {
        timeoutMs: 1000,
        what: `a key answers ${status}`,
      });
    const first = keys(root, ['add', 'amy', '--tier', '100']).stdout.trim();
    await becomes(first, 200);
    const second = keys(root, ['rotate', 'amy']).stdout.trim();
    await becomes(second, 200);
    t.equal(await statusOf(first), 200, 'within the grace');
    keys(root, ['revoke', 'amy']);
    await becomes(second, 401);
    t.equal(await statusOf(first), 401);
    t.equal(await statusOf('other-key'), 200);
    t.notOk([first, second].some((key) => server.output().includes(key)));
  },
);
