import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning, makeTemporaryFolder, waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { filesUnder, runSimulator } from './history-fixture.ts';

const FEW = ['--miners', '5', '--positions', '40'];

void t.test('a history is written, announced and left alone', async (t) => {
  const root = makeTemporaryFolder(t);
  const simulator = runSimulator(t, ['--root', root, ...FEW, '--history-only']);
  t.equal(await simulator.ended(), 0);
  t.strictSame(simulator.messages, [{ type: 'ready', root, miners: 5, positions: 40 }]);
  t.equal(simulator.stderr(), `ptn-devnet: 5 miners and 40 positions are in ${root}\n`);
  t.equal(filesUnder(root, 'validation/miners').length, 40);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  void t.test(`${signal} stops it cleanly`, async (t) => {
    const simulator = runSimulator(t, ['--root', makeTemporaryFolder(t), ...FEW]);
    await simulator.ready();
    simulator.child.kill(signal);
    t.equal(await simulator.ended(), 0);
  });
}

void t.test('it ends when its parent is gone', async (t) => {
  const simulator = runSimulator(t, ['--root', makeTemporaryFolder(t), ...FEW]);
  await simulator.ready();
  const { pid } = simulator.child;
  if (pid === undefined) throw new Error('no process id');
  simulator.child.disconnect();
  await waitFor(() => !isRunning(pid), { what: 'it ends' });
  t.equal(await simulator.ended(), 0);
});

void t.test('a command line that cannot be obeyed ends with one clear error', async (t) => {
  const simulator = runSimulator(t, ['--root', 'r', '--miners', 'many']);
  t.equal(await simulator.ended(), 2);
  t.equal(simulator.stderr(), 'ptn-devnet: --miners needs a whole number from 1 to 10000, given once\n');
});

void t.test('it never writes into the folder of another validator', async (t) => {
  const root = makeTemporaryFolder(t);
  mkdirSync(join(root, 'validation'));
  const simulator = runSimulator(t, ['--root', root, ...FEW]);
  t.equal(await simulator.ended(), 1);
  t.equal(simulator.stderr(), `ptn-devnet: ${root} already holds validation: choose a new or empty folder\n`);
  t.strictSame(filesUnder(root), []);
});

void t.test('a history that cannot be written ends with one clear error', async (t) => {
  const file = join(makeTemporaryFolder(t), 'file');
  writeFileSync(file, '');
  const simulator = runSimulator(t, ['--root', join(file, 'root'), ...FEW]);
  t.equal(await simulator.ended(), 1);
  t.match(simulator.stderr(), /^ptn-devnet: cannot go on: ENOTDIR.*\n$/);
});

void t.test('so does an order that cannot be written', async (t) => {
  const root = makeTemporaryFolder(t);
  const simulator = runSimulator(t, ['--root', root, ...FEW, '--orders-per-second', '50']);
  await simulator.ready();
  // Depending on the step at which it meets the change, the file or its folder is missing.
  renameSync(join(root, 'validation/tmp'), join(root, 'moved'));
  writeFileSync(join(root, 'validation/tmp'), '');
  t.equal(await simulator.ended(), 1);
  t.match(simulator.stderr(), /^ptn-devnet: 5 miners.*\nptn-devnet: cannot go on: (ENOTDIR|ENOENT).*\n$/);
});
