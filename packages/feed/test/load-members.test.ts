/** Files that are kept by miner, read as the pool's threads do. */
import { randomBytes } from 'node:crypto';
import { rmSync, utimesSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { inflateSegment } from '@ptn-api/positions';
import { makePtnRoot } from '@ptn-api/testkit';
import t from 'tap';
import type { MinerView } from '@ptn-api/runtime';
import { loadMembers } from '../dist/tasks/load-members.js';
import type { LoadedMember, LoadMembersInput } from '../dist/tasks/load-members.js';

const NOTHING_KNOWN = new Map<string, string>();

function load(path: string, more: Partial<LoadMembersInput> = {}) {
  return loadMembers({ paths: [path], views: ['whole'], known: NOTHING_KNOWN, ...more });
}

function textOf(member: LoadedMember | undefined, view: MinerView = 'whole'): string | undefined {
  const shown = member?.views[view];
  return shown && inflateSegment(shown.text).toString();
}

void t.test('text and gzip, by their first bytes, whatever the name', (t) => {
  const root = makePtnRoot(t);
  const text = '{"a_1": {"n": 1.0}, "b": [1, 2], "b": [NaN]}';
  for (const [name, content] of [
    ['map.json', text],
    ['map.json.gz', gzipSync(text)],
    ['wrongly-named.json', gzipSync(text)],
  ] as const) {
    root.writeFile(name, content);
    const loaded = load(root.join(name));
    if (loaded.kind !== 'read') throw new Error(`${name} is ${loaded.kind}`);
    t.same(loaded.hotkeys, ['a_1', 'b'], 'a hotkey with an underscore is one; of several the last counts');
    t.same(
      loaded.changed.map((member) => textOf(member)),
      ['{"n": 1.0}', '[null]'],
    );
    t.equal(loaded.nonFinite, 1);
    t.equal(loaded.changed[1]?.views.whole?.items, 1);
  }
  t.end();
});

void t.test('what is no such map is bad, and says why', (t) => {
  const root = makePtnRoot(t, { files: { map: '' } });
  const path = root.join('map');
  const whole = gzipSync(`{"a": "${randomBytes(3000).toString('hex')}"}`);
  for (const [content, reason] of [
    ['{"a": {"half": ', /is not JSON: unexpected end/],
    ['', /is not a JSON object/],
    ['[]', /is not a JSON object/],
    ['{"a": 1} more', /is not JSON: .*the end of the text/],
    [whole.subarray(0, whole.length - 9), /is not a complete gzip file: unexpected end of file/],
    [whole.subarray(0, 20), /is not a complete gzip file/],
    [Buffer.concat([whole.subarray(0, whole.length - 8), Buffer.alloc(8)]), /is not a complete gzip file/],
    [gzipSync('no json'), /is not a JSON object/],
  ] as const) {
    writeFileSync(path, content);
    const loaded = load(path);
    t.match(loaded, { kind: 'bad', reason });
  }
  writeFileSync(path, '{"other": {}}');
  t.match(load(path, { within: 'ledgers' }), { kind: 'bad', reason: 'has no member "ledgers"' });
  writeFileSync(path, '{"ledgers": []}');
  t.match(load(path, { within: 'ledgers' }), { kind: 'bad', reason: 'holds a "ledgers" that is no object' });
  t.match(load(root.path), { kind: 'bad', reason: 'is not a regular file' });
  rmSync(path);
  t.match(load(path), { kind: 'gone' });
  t.end();
});

void t.test('a gzip file that holds more than can be read is bad before it fills the memory', (t) => {
  const root = makePtnRoot(t);
  root.writeFile('bomb.gz', gzipSync(Buffer.alloc(501 * 2 ** 20, 0x20), { level: 1 }));
  t.match(load(root.join('bomb.gz')), { kind: 'bad', reason: 'holds more than 500 MiB of text' });
  t.end();
});

void t.test('of several places the newest is read, and what did not change is not compressed again', (t) => {
  const root = makePtnRoot(t, {
    files: { 'new.json.gz': gzipSync('{"a": 1, "b": 2}'), 'old.json': '{"a": 0}' },
  });
  const paths = [root.join('new.json.gz'), root.join('old.json')] as const;
  utimesSync(paths[1], 1, 1);
  const first = load('', { paths });
  if (first.kind !== 'read') throw new Error(first.kind);
  t.same(first.hotkeys, ['a', 'b']);
  t.equal(load('', { paths, stamp: first.stamp }).kind, 'same');
  const known = new Map(first.changed.map(({ hotkey, digest }) => [hotkey, digest]));
  root.writeFile('new.json.gz', gzipSync('{"a": 1, "b": 3, "c": 4}'));
  const second = load('', { paths, stamp: first.stamp, known });
  if (second.kind !== 'read') throw new Error(second.kind);
  t.same(
    second.changed.map(({ hotkey }) => hotkey),
    ['b', 'c'],
  );
  root.writeFile('old.json', '{"z": 1}');
  const third = load('', { paths, stamp: second.stamp, known });
  t.match(third, { kind: 'read', hotkeys: ['z'] }, 'the other place, once it is the newer one');
  t.end();
});

void t.test('views: sums of a debt ledger, the last of a list, the bucket', (t) => {
  const root = makePtnRoot(t);
  const checkpoint = (alpha: string, netPnl: string) =>
    `{"timestamp_ms": 5, "emissions": {"chunk_alpha": ${alpha}, "chunk_tao": 0.1, "chunk_usd": 1e-7}, ` +
    `"performance": {"portfolio_return": 1.010, ${netPnl}, "total_fees": 0.0}, "derived": {"weighted_score": 0.9}}`;
  root.writeFile(
    'map.json',
    `{"ledgers": {"a": {"checkpoints": [${checkpoint('1.5', '"net_pnl": 1.0')}, ${checkpoint('1.5', '"net_pnl": 2.0')}]},
      "w": {"checkpoints": [${checkpoint('0.1', '"realized_pnl": 3.0, "unrealized_pnl": -1.0')}]},
      "none": {"checkpoints": []}, "odd": 7}}`,
  );
  const debts = load(root.join('map.json'), { within: 'ledgers', views: ['whole', 'debt-summary'] });
  if (debts.kind !== 'read') throw new Error(debts.kind);
  t.same(debts.hotkeys, ['a', 'w', 'none', 'odd']);
  t.equal(
    textOf(debts.changed[0], 'debt-summary'),
    '{"hotkey": "a", "total_checkpoints": 2, "cumulative_emissions_alpha": 3.0, "cumulative_emissions_tao": 0.2, ' +
      '"cumulative_emissions_usd": 2e-07, "portfolio_return": 1.010, "weighted_score": 0.9, "latest_checkpoint_ms": 5, ' +
      '"net_pnl": 2.0, "total_fees": 0.0}',
  );
  t.match(textOf(debts.changed[1], 'debt-summary'), '"realized_pnl": 3.0, "unrealized_pnl": -1.0', 'of 2026');
  t.notOk(textOf(debts.changed[2], 'debt-summary'), 'without checkpoints');
  t.notOk(textOf(debts.changed[3], 'debt-summary'), 'no ledger');

  root.writeFile(
    'sizes.json',
    '{"a": [{"n": 1}, {"n": 2}], "b": [], "odd": 7, "p": {"bucket": "PROBATION", "bucket_start_time": 3, "x": 1}}',
  );
  const others = load(root.join('sizes.json'), { views: ['whole', 'latest', 'bucket'] });
  if (others.kind !== 'read') throw new Error(others.kind);
  t.same(others.changed.map((member) => textOf(member, 'latest')).slice(0, 3), ['[{"n": 2}]', '[]', '7']);
  t.same(
    others.changed.map(({ views }) => views.whole?.items),
    [2, 0, 1, 1],
  );
  t.same(
    others.changed.map((member) => textOf(member, 'bucket')),
    [undefined, undefined, undefined, '{"bucket": "PROBATION", "start_time_ms": 3}'],
  );
  t.end();
});
