import { makePtnRoot } from '@ptn-api/testkit';
import type { PtnRoot } from '@ptn-api/testkit';
import { truncateSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { Miner, MISSING_GRACE_MS } from '../dist/positions/miner.js';
import { loadMiner } from '../dist/tasks/load-miner.js';
import { HOUR_MS, trade } from './feed-fixture.ts';

function loadedFrom(root: PtnRoot, now: number) {
  const folder = root.join('validation/miners');
  return loadMiner({ root: folder, hotkey: 'miner-a', now, strip: false, ordersSinceMs: Infinity });
}

void t.test('two files of a position that do not read keep it until both are gone', (t) => {
  const now = Date.now();
  const root = makePtnRoot(t);
  const paths = [
    root.writePosition(trade({ uuid: 'p', times: [now - HOUR_MS, now], closed: true })),
    root.writePosition(trade({ uuid: 'p', times: [now - HOUR_MS] })),
  ];
  const miner = new Miner();
  const read = (): void => {
    miner.read(loadedFrom(root, now), null, now);
  };
  read();
  t.same([...miner.live.keys()], ['p']);
  for (const path of paths) writeFileSync(path, '{"half');
  read();
  t.same([miner.live.size, miner.files.size, miner.bad.size], [1, 2, 2], 'it is shown as it was');
  t.equal(miner.isUnread(now), false);
  for (const path of miner.files.keys()) miner.fileFound({ kind: 'gone', path }, now);
  miner.plan(now + MISSING_GRACE_MS, false);
  t.ok(miner.isEmpty, 'nothing is left of it');
  t.end();
});

void t.test('a file larger than memory leaves its miner what it has', (t) => {
  const now = Date.now();
  const root = makePtnRoot(t);
  const times = [now - HOUR_MS];
  root.writePosition(trade({ uuid: 'sound', times }));
  truncateSync(root.writePosition(trade({ uuid: 'huge', times })), 64 * 2 ** 20 + 1);
  const loaded = loadedFrom(root, now);
  t.same(
    loaded.live.map(({ facts }) => facts.positionUuid),
    ['sound'],
  );
  t.match(loaded.bad, [{ path: /huge$/, reason: 'is larger than 64 MiB' }]);
  t.end();
});
