import { makeTemporaryFolder } from '@ptn-api/testkit';
import t from 'tap';
import { runDevnet } from './devnet-process.ts';

void t.test('options alone make a history', async (t) => {
  const root = makeTemporaryFolder(t);
  const devnet = runDevnet(t, ['--root', root, '--miners', '5', '--positions', '40', '--history-only']);
  t.equal(await devnet.ended(), 0);
  t.equal(devnet.stderr(), `ptn-devnet: 5 miners and 40 positions are in ${root}\n`);
});

for (const name of ['constructor', 'scores']) {
  void t.test(`there is no command ${name}`, async (t) => {
    const devnet = runDevnet(t, [name, '--root', 'r']);
    t.equal(await devnet.ended(), 2);
    t.match(devnet.stderr(), `ptn-devnet: there is no command ${name}: run, score, or options alone`);
  });
}
