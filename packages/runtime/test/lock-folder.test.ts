import { makeTemporaryFolder, waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { lockFolder } from '../dist/index.js';

void t.test('only one has a folder, whatever it is called', async (t) => {
  const folder = makeTemporaryFolder(t);
  const lock = { name: 'test', inUse: 'another has it: choose your own' };
  const unlock = await lockFolder(folder, lock);
  await t.rejects(lockFolder(`${folder}/.`, lock), { name: 'FolderInUseError', message: lock.inUse });
  (await lockFolder(folder, { ...lock, name: 'other' }))();
  unlock();
  await waitFor(
    async () => {
      (await lockFolder(folder, lock))();
      return true;
    },
    { what: 'it is free again' },
  );
});
