import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readValidatorFolder, scoreSource } from '@ptn-api/devnet';
import { SCORING_GENERATIONS } from '@ptn-api/scoring';
import { makeTemporaryFolder, waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { runDevnet } from './devnet-process.ts';
import { WEDNESDAY_MS } from './validator-fixture.ts';

const SEED = 5;
const MINERS = 4;
const RUN = [
  ...[
    '--axon-port',
    '0',
    '--miners',
    String(MINERS),
    '--founders',
    '2',
    '--seed',
    String(SEED),
    '--speed',
    '28800',
  ],
  ...['--start-ms', String(WEDNESDAY_MS)],
];

void t.test('the validator scores its miners, and its folder gives what it set', async (t) => {
  const root = makeTemporaryFolder(t);
  const read = (path: string): Record<string, object> =>
    JSON.parse(readFileSync(join(root, path), 'utf8')) as Record<string, object>;
  const devnet = runDevnet(t, ['run', '--root', root, ...RUN]);
  await waitFor(
    () =>
      existsSync(join(root, 'validation/weights.json')) &&
      Object.keys(read('validation/weights.json')['weights'] ?? {}).length >= MINERS / 2,
    { what: () => `weights are set\n${devnet.stderr()}`, timeoutMs: 20_000 },
  );
  devnet.child.kill('SIGTERM');
  t.equal(await devnet.ended(), 0, devnet.stderr());
  const { set_time_ms: atMs, weights = {} } = read('validation/weights.json');
  const source = readValidatorFolder(root);
  const report = scoreSource(source, Number(atMs), SCORING_GENERATIONS['2025-05']);
  t.strictSame(
    report.miners.filter(({ rank }) => rank !== undefined).map(({ hotkey, weight }) => [hotkey, weight]),
    Object.entries(weights),
  );
  t.equal(report.miners.filter(({ bucket }) => bucket === 'MAINCOMP').length, 2, 'the founders');
  t.strictSame(
    (read('runnable/minerstatistics.json')['data'] as { hotkey: string }[]).map(({ hotkey }) => hotkey),
    Object.keys(weights),
  );
  for (const path of ['runnable/validator_checkpoint.json', 'validation/outputs/output.json']) {
    t.ok(Object.keys(read(path)).length > 0, path);
  }
});

void t.test('a damaged challenge period is named at the start', async (t) => {
  const root = makeTemporaryFolder(t);
  mkdirSync(join(root, 'validation'));
  writeFileSync(join(root, 'validation/challengeperiod.json'), '{');
  const devnet = runDevnet(t, ['run', '--root', root, ...RUN]);
  t.equal(await devnet.ended(), 1);
  t.match(devnet.stderr(), /^ptn-devnet: validation\/challengeperiod.json is not JSON: .*\n$/);
});
