import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning, makeTemporaryFolder, waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { runDevnet } from './devnet-process.ts';
import { filesUnder } from './history-fixture.ts';

const FEW = ['--miners', '5', '--positions', '40'];

void t.test('a history is written, announced and left alone', async (t) => {
  const root = makeTemporaryFolder(t);
  const devnet = runDevnet(t, ['--root', root, ...FEW, '--history-only']);
  t.equal(await devnet.ended(), 0);
  t.strictSame(devnet.messages, [{ type: 'ready', root, miners: 5, positions: 40 }]);
  t.equal(devnet.stderr(), `ptn-devnet: 5 miners and 40 positions are in ${root}\n`);
  t.equal(filesUnder(root, 'validation/miners').length, 40);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  void t.test(`${signal} stops it cleanly`, async (t) => {
    const devnet = runDevnet(t, ['--root', makeTemporaryFolder(t), ...FEW]);
    await devnet.ready();
    devnet.child.kill(signal);
    t.equal(await devnet.ended(), 0);
  });
}

void t.test('it ends when its parent is gone', async (t) => {
  const devnet = runDevnet(t, ['--root', makeTemporaryFolder(t), ...FEW]);
  await devnet.ready();
  const { pid } = devnet.child;
  if (pid === undefined) throw new Error('no process id');
  devnet.child.disconnect();
  await waitFor(() => !isRunning(pid), { what: 'devnet ends' });
  t.equal(await devnet.ended(), 0);
});

void t.test('a command line that cannot be obeyed ends with one clear error', async (t) => {
  const devnet = runDevnet(t, ['--root', 'r', '--miners', 'many']);
  t.equal(await devnet.ended(), 2);
  t.equal(devnet.stderr(), 'ptn-devnet: --miners needs a whole number from 1 to 10000, given once\n');
});

for (const name of ['constructor', 'scores']) {
  void t.test(`there is no command ${name}`, async (t) => {
    const devnet = runDevnet(t, [name, '--root', 'r']);
    t.equal(await devnet.ended(), 2);
    t.match(devnet.stderr(), `ptn-devnet: there is no command ${name}: run, score, or options alone`);
  });
}

void t.test('it never writes into the folder of another validator', async (t) => {
  const root = makeTemporaryFolder(t);
  mkdirSync(join(root, 'validation'));
  const devnet = runDevnet(t, ['--root', root, ...FEW]);
  t.equal(await devnet.ended(), 1);
  t.equal(devnet.stderr(), `ptn-devnet: ${root} already holds validation: choose a new or empty folder\n`);
  t.strictSame(filesUnder(root), []);
});

void t.test('a history that cannot be written ends with one clear error', async (t) => {
  const file = join(makeTemporaryFolder(t), 'file');
  writeFileSync(file, '');
  const devnet = runDevnet(t, ['--root', join(file, 'root'), ...FEW]);
  t.equal(await devnet.ended(), 1);
  t.match(devnet.stderr(), /^ptn-devnet: cannot go on: ENOTDIR.*\n$/);
});

void t.test('so does an order that cannot be written', async (t) => {
  const root = makeTemporaryFolder(t);
  const devnet = runDevnet(t, ['--root', root, ...FEW, '--orders-per-second', '50']);
  await devnet.ready();
  // Depending on the step at which it meets the change, the file or its folder is missing.
  renameSync(join(root, 'validation/tmp'), join(root, 'moved'));
  writeFileSync(join(root, 'validation/tmp'), '');
  t.equal(await devnet.ended(), 1);
  t.match(devnet.stderr(), /^ptn-devnet: 5 miners.*\nptn-devnet: cannot go on: (ENOTDIR|ENOENT).*\n$/);
});
