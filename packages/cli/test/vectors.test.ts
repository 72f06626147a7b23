import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { makeTemporaryFolder } from '@ptn-api/testkit';
import t from 'tap';

const SCRIPT = fileURLToPath(new URL('../../../scripts/vectors.mjs', import.meta.url));
const TIERS = fileURLToPath(new URL('../../positions/fixtures/tiers/', import.meta.url));

function vectors(...folder: string[]) {
  return spawnSync(process.execPath, [SCRIPT, ...folder], { encoding: 'utf8' });
}

void t.test('a line for each file that is recognised, 0 where nothing differs', (t) => {
  const { status, stdout } = vectors(join(TIERS, 'edge'));
  t.equal(status, 0);
  t.match(
    stdout,
    /^2025\/tier_0\.json\.gz: \d+ cases, 0 differences, largest relative error \d\.\de[+-]\d+ \(/m,
  );
  t.match(stdout, /^13 files, 0 of them differ$/m);
  t.end();
});

void t.test('1 where something differs, which is shown', (t) => {
  const folder = makeTemporaryFolder(t);
  cpSync(join(TIERS, 'edge/2025'), folder, { recursive: true });
  const path = join(folder, 'tier_100.json.gz');
  const text = gunzipSync(readFileSync(path)).toString();
  writeFileSync(path, gzipSync(text.replace('"net_leverage": 0.', '"net_leverage": 7.')));
  const { status, stdout } = vectors(folder);
  t.equal(status, 1);
  t.match(stdout, /^tier_100\.json\.gz: \d+ cases, 1 differences/m);
  t.match(stdout, /^ {2}\S+\/net_leverage: \S+ for 7\./m);
  writeFileSync(path, 'no gzip');
  t.match(vectors(folder).stdout, /^ {2}incorrect header check$/m, 'a file that does not read differs');
  t.end();
});

void t.test('2 where nothing is recognised, and for a folder that is not there', (t) => {
  const folder = makeTemporaryFolder(t);
  writeFileSync(join(folder, 'tier_100.json.gz'), '');
  t.equal(vectors(folder).status, 2, 'what belongs to it is not beside it');
  t.equal(vectors(join(folder, 'absent')).status, 2);
  t.match(vectors().stderr, /usage/);
  t.end();
});
