/** What may lie where the validator's files are: every loader says what is wrong with it, and none throws or waits. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { makeTemporaryFolder } from '@ptn-api/testkit';
import t from 'tap';
import { loadLimitOrders } from '../dist/tasks/limit-orders.js';
import { loadCheckpoint } from '../dist/tasks/load-checkpoint.js';
import { loadJsonDocument } from '../dist/tasks/load-document.js';
import { loadMembers } from '../dist/tasks/load-members.js';
import { loadOutputs } from '../dist/tasks/load-outputs.js';
import { loadStatistics } from '../dist/tasks/load-statistics.js';
import { readPositionFile } from '../dist/tasks/read-positions.js';

interface Loaded {
  readonly kind: string;
  readonly reason?: string;
}

const root = makeTemporaryFolder(t);
const FILE = 'miner/limit_orders/BTCUSD/unfilled/x';
const path = join(root, FILE);
mkdirSync(join(path, '..'), { recursive: true });
const nothing = new Map<string, never>();

const LOADERS: Readonly<Record<string, () => Loaded | Promise<Loaded>>> = {
  map: () => loadMembers({ paths: [path], views: ['whole', 'latest', 'bucket'], known: nothing }),
  'map of ledgers': () =>
    loadMembers({ paths: [path], within: 'ledgers', views: ['whole', 'debt-summary'], known: nothing }),
  document: () => loadJsonDocument({ path }),
  statistics: () => loadStatistics({ path, known: nothing }),
  checkpoint: () => loadCheckpoint({ path, isGzip: false, folder: join(root, 'documents') }),
  'gzip checkpoint': () => loadCheckpoint({ path, isGzip: true, folder: join(root, 'documents') }),
  outputs: () => loadOutputs({ path, known: nothing, now: 1, strip: false, ordersSinceMs: 0 }),
  position: () => readPositionFile(root, { path: FILE }),
  'limit order': () => {
    const { bad } = loadLimitOrders({ root, hotkey: 'miner', known: nothing });
    return bad[0] === undefined ? { kind: 'gone' } : { kind: 'bad', reason: bad[0].reason };
  },
};

const BOM = '\ufeff';
/** A content, and for which loaders it is one. */
const CONTENTS: readonly (readonly [what: string, content: string | Uint8Array, ...readBy: string[]])[] = [
  ['an empty file', ''],
  ['blanks', ' \n\t'],
  ['a byte order mark', BOM],
  // Editors of other systems write one; no validator does, and a checkpoint passes byte for byte.
  ['a byte order mark and an object', `${BOM}{}`, 'map', 'document', 'statistics', 'outputs'],
  ['a list', '[]', 'document'],
  ['null', 'null', 'document'],
  ['a number', '7', 'document'],
  ['half of an object', '{"a": {'],
  ['two objects', '{} {}'],
  ['an object in UTF-16', Buffer.from('{"a": {}}', 'utf16le')],
  ['zeros', Buffer.alloc(64)],
  [
    'a key that is no text',
    Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x5b, 0x5d, 0x7d]),
    'map',
    'document',
    'statistics',
    'checkpoint',
  ],
  ['a hotkey twice', '{"a": [1], "a": [2]}', 'map', 'document', 'statistics', 'checkpoint'],
  ['brackets', '['.repeat(200_000)],
  [
    'an object of great depth',
    '{"a":'.repeat(100_000) + '[]' + '}'.repeat(100_000),
    'map',
    'document',
    'statistics',
    'checkpoint',
  ],
  ['no gzip text', gzipSync('')],
  ['a gzip list', gzipSync('[]')],
  ['gzip null', gzipSync('null')],
  ['a gzip byte order mark', gzipSync(`${BOM}{}`), 'map', 'outputs'],
  ['the header of a gzip file', gzipSync('{}').subarray(0, 10)],
  ['a gzip file without its end', gzipSync('{"a": {}}').subarray(0, -9)],
  ['a gzip file of a gzip file', gzipSync(gzipSync('{}'))],
  ['a gzip file and something else', Buffer.concat([gzipSync('{}'), Buffer.from('else')])],
  [
    'an object in two gzip members',
    Buffer.concat([gzipSync('{"a"'), gzipSync(': []}')]),
    'map',
    'gzip checkpoint',
  ],
];

/** What is no file. */
const OTHERS: readonly (readonly [what: string, make: () => void, reason: RegExp | undefined])[] = [
  [
    'a folder',
    () => {
      mkdirSync(path);
    },
    /^is not a regular file$/,
  ],
  ['a pipe', () => execFileSync('mkfifo', [path]), /^is not a regular file$/],
  [
    'a link to itself',
    () => {
      symlinkSync('x', path);
    },
    /^cannot be opened \(ELOOP\)$/,
  ],
  [
    'a link to nowhere',
    () => {
      symlinkSync('/nowhere/at/all', path);
    },
    undefined,
  ],
  ['nothing', () => undefined, undefined],
];

for (const [what, content, ...readBy] of CONTENTS) {
  await t.test(`${what}, wherever a file is read`, async (t) => {
    writeFileSync(path, content);
    for (const [name, load] of Object.entries(LOADERS)) {
      const { kind, reason = '' } = await load();
      t.equal(kind, readBy.includes(name) ? 'read' : 'bad', `${name}: ${reason}`);
      // A phrase that goes on "the file …".
      if (kind === 'bad') t.match(reason, /^(?:is|has|holds|ends|cannot) /, name);
    }
    rmSync(path);
  });
}

for (const [what, make, expected] of OTHERS) {
  await t.test(`${what} in place of a file`, async (t) => {
    make();
    for (const [name, load] of Object.entries(LOADERS)) {
      const { kind, reason } = await load();
      t.equal(kind, expected === undefined ? 'gone' : 'bad', name);
      if (expected !== undefined) t.match(reason, expected, name);
    }
    rmSync(path, { recursive: true, force: true });
  });
}

await t.test('a checkpoint that cannot be read closes its own file, and no other', async (t) => {
  const closed: number[] = [];
  for (let round = 0; round < 50; round += 1) {
    writeFileSync(path, gzipSync('{}').subarray(0, 20));
    const loading = loadCheckpoint({ path, isGzip: true, folder: join(root, 'documents') });
    t.equal((await loading).kind, 'bad');
    // Whoever opens a file next gets the same number.
    const other = openSync(path, 'r');
    // Through the same threads as what would close it.
    await stat(path);
    try {
      closeSync(other);
    } catch {
      closed.push(round);
    }
  }
  t.same(closed, []);
});

await t.test('a ledger file of 100 MB is read, and a miner in it that changed alone is compressed', (t) => {
  const cell = `{"last_update_ms": 1765540800000, "prev_portfolio_ret": 1.0123456789, "gain": 0.00123}, `;
  const cells = cell.repeat(Math.ceil(10_000_000 / cell.length)).slice(0, -2);
  const text = (last: string): string =>
    `{${Array.from({ length: 10 }, (_, index) => `"miner_${index}": {"cps": [${index === 9 ? last : ''}${cells}]}`).join(', ')}}`;
  const load = (content: string, known: ReadonlyMap<string, string>) => {
    writeFileSync(path, gzipSync(content, { level: 1 }));
    const loaded = loadMembers({ paths: [path], views: ['whole'], known });
    if (loaded.kind !== 'read') throw new Error(JSON.stringify(loaded));
    return loaded;
  };
  const first = load(text(''), nothing);
  t.equal(first.hotkeys.length, 10);
  const sizes = first.changed.map(({ views }) => views.whole?.text.sizeBytes ?? 0);
  t.ok(sizes.reduce((sum, size) => sum + size, 0) > 100_000_000);
  const known = new Map(first.changed.map(({ hotkey, digest }) => [hotkey, digest]));
  t.same(
    load(text('{}, '), known).changed.map(({ hotkey }) => hotkey),
    ['miner_9'],
  );
  t.end();
});
