import { makeTemporaryFolder, waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { lockFolder } from '../dist/index.js';

const lock = { name: 'test', inUse: 'another has it: choose your own' };
const patient = { ...lock, waitMs: 10_000 };

void t.test('only one has a folder, whatever it is called', async (t) => {
  const folder = makeTemporaryFolder(t);
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

void t.test('who waits has the folder as soon as it is free', async (t) => {
  const folder = makeTemporaryFolder(t);
  const unlock = await lockFolder(folder, lock);
  const waiting = lockFolder(folder, patient);
  unlock();
  (await waiting)();
  const again = await lockFolder(folder, patient);
  await t.rejects(lockFolder(folder, { ...lock, waitMs: 100 }), { name: 'FolderInUseError' });
  again();
});
