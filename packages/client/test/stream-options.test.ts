import { writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FileCursorStore, PtnStreamClient } from '@ptn-api/client';
import type { StreamClientOptions } from '@ptn-api/client';
import { makeTemporaryFolder } from '@ptn-api/testkit';
import t from 'tap';

const good: StreamClientOptions = { apiKey: 'k', url: 'ws://127.0.0.1:8765', onOrders: () => undefined };
const bad: readonly [changed: Record<string, unknown>, message: RegExp][] = [
  [{ apiKey: '' }, /^apiKey must be/],
  [{ apiKey: 7 }, /^apiKey must be/],
  [{ url: 'localhost' }, /^url must be like ws:/],
  [{ url: 'http://localhost' }, /^url must begin with ws:/],
  [{ url: 'ws://localhost/?key=secret' }, /^url must hold no user name, query/],
  [{ restUrl: 'ws://localhost' }, /^url must begin with http:/],
  [{ filter: { tradePairs: [] } }, /^filter.tradePairs must be/],
  [{ filter: { minerHotkeys: ['a', ''] } }, /^filter.minerHotkeys must be/],
  [{ filter: { tradePairs: 'BTCUSD' } }, /^filter.tradePairs must be/],
  [{ start: { sequence: -1, epoch: null } }, /^start must be/],
  [{ start: 'now' }, /^start must be/],
  [{ cursorStore: { load: () => null } }, /^cursorStore.save must be/],
  [{ onOrders: undefined }, /^onOrders must be/],
  [{ onGap: 'log' }, /^onGap must be/],
  [{ maxWaitingSize: 0 }, /^maxWaitingSize must be/],
];
for (const [changed, message] of bad) {
  await t.test(`refuses ${JSON.stringify(changed)}`, (t) => {
    t.throws(() => new PtnStreamClient({ ...good, ...changed }), { message });
    t.end();
  });
}

await t.test('takes what is right', (t) => {
  t.equal(new PtnStreamClient(good).state, 'idle');
  t.end();
});

await t.test('a cursor file: nothing before the first, then what was saved last', async (t) => {
  const folder = makeTemporaryFolder(t);
  const path = join(folder, 'cursor.json');
  const store = new FileCursorStore(path);
  t.equal(await store.load(), null);
  await store.save({ sequence: 1, epoch: null });
  await store.save({ sequence: 2, epoch: 'log-1' });
  t.same(await new FileCursorStore(path).load(), { sequence: 2, epoch: 'log-1' });
  t.same(await readdir(folder), ['cursor.json'], 'nothing else is left there');
});

for (const text of ['', '{', '{}', '{"sequence": -1, "epoch": null}', '{"sequence": 1, "epoch": 2}', '[1]']) {
  await t.test(
    `a cursor file that holds ${JSON.stringify(text)} is reported, and left as it is`,
    async (t) => {
      const path = join(makeTemporaryFolder(t), 'cursor.json');
      writeFileSync(path, text);
      await t.rejects(new FileCursorStore(path).load(), /cursor\.json is broken: correct it .* or delete it/);
      t.equal(await readFile(path, 'utf8'), text);
    },
  );
}

await t.test('a cursor file that cannot be written or read is reported', async (t) => {
  const folder = makeTemporaryFolder(t);
  await t.rejects(new FileCursorStore(folder).load(), /cannot read the cursor file/);
  const store = new FileCursorStore(join(folder, 'missing', 'cursor.json'));
  await t.rejects(store.save({ sequence: 1, epoch: null }), /cannot write the cursor file/);
});
