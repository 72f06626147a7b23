import type { ServedFileName } from '@ptn-api/runtime';
import { gunzipSync, gzipSync } from 'node:zlib';
import { readdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filterDashboard, inflateSegment } from '@ptn-api/positions';
import { TIERS } from '@ptn-api/protocol';
import type { MinerPositions, Position } from '@ptn-api/protocol';
import { makePtnRoot, waitFor } from '@ptn-api/testkit';
import t from 'tap';
import type { Test } from 'tap';
import type { DocumentValue, StatisticsHead, StatisticsMiner } from '../../runtime/dist/ipc/messages.js';
import { loadCheckpoint } from '../dist/tasks/load-checkpoint.js';
import { FeedUnderTest } from './feed-collector.ts';
import { HOUR_MS, trade } from './feed-fixture.ts';

const now = Date.now();
const at = (hoursAgo: number): number => now - hoursAgo * HOUR_MS;

/** As the validator writes it, which knows of no tier. */
function value(positions: readonly Position[], thirtyDayReturns: number): Omit<MinerPositions, 'tier'> {
  return {
    positions,
    thirty_day_returns: thirtyDayReturns,
    all_time_returns: 1.5,
    n_positions: positions.length,
    percentage_profitable: 0.5,
  };
}

const miners = {
  second: value(
    [trade({ uuid: 's', times: [at(80), at(70)], closed: true }), trade({ uuid: 'x', times: [at(1)] })],
    1.1,
  ),
  first: value([trade({ uuid: 'f', times: [at(60), at(1)] })], 1.2),
};

/** Its bytes as they are served: a large one's lie on disk. */
function gzipOf({ gzip, file }: DocumentValue): Buffer {
  return file === undefined ? Buffer.from(gzip ?? []) : readFileSync(file.path);
}

function document(tested: FeedUnderTest, name: ServedFileName): string | undefined {
  const kept: DocumentValue | undefined = tested.retained.get('documents', name);
  return kept && gunzipSync(gzipOf(kept)).toString();
}

await t.test(
  'the outputs file, when there is no tree, in its own order and with its own summary',
  async (t) => {
    const root = makePtnRoot(t, { outputs: JSON.stringify(miners) });
    const tested = new FeedUnderTest(t, root.path);
    await tested.feed.start();
    t.equal(tested.head().source, 'outputs');
    t.same(tested.head().hotkeys, ['second', 'first']);
    for (const tier of TIERS) {
      const expected = filterDashboard(JSON.stringify(miners), tier, Date.now()).text;
      t.equal(tested.mapText(tier), expected, `tier ${tier}`);
    }
    const count = tested.transactions.length;
    root.writeOutputs(JSON.stringify({ third: miners.second, first: miners.first }));
    await waitFor(() => tested.head().hotkeys[0] === 'third', { what: 'the new file' });
    const change = tested.transactions.slice(count).find(({ topic }) => topic === 'positions');
    const [head, third, ...segments] = change?.put.map(([key]) => key) ?? [];
    t.same([head, third], ['head', 'miner:third'], 'what did not change is not sent again');
    t.ok(segments.every((key) => key.startsWith('segment:third/')));
    t.equal(change?.remove[0], 'miner:second');
    t.ok(change?.remove.slice(1).every((key) => key.startsWith('segment:second/')));

    writeFileSync(root.join('validation/outputs/output.json'), '{"half": ');
    await waitFor(() => tested.events('bad-file').length === 1, { what: 'the report' });
    t.same(tested.head().hotkeys, ['third', 'first'], 'a broken file leaves what was read last');
  },
);

await t.test('an empty outputs map is data, a missing file is none', async (t) => {
  const root = makePtnRoot(t, { outputs: '{}' });
  const tested = new FeedUnderTest(t, root.path);
  await tested.feed.start();
  t.equal(tested.head().source, 'outputs');
  const none = new FeedUnderTest(t, makePtnRoot(t).path, { positionsSource: 'outputs' });
  await none.feed.start();
  t.equal(none.head().source, 'none');
});

await t.test('the checkpoint passes byte for byte; a half-written one is refused', async (t) => {
  const text = '{"version": "7", "perf_ledgers": {"a": NaN}, "positions": {}}';
  const whole = gzipSync(text);
  const root = makePtnRoot(t, { files: { 'runnable/validator_checkpoint.json.gz': whole } });
  const path = root.join('runnable/validator_checkpoint.json.gz');
  const tested = new FeedUnderTest(t, root.path);
  await tested.feed.start();
  t.ok(
    whole.equals(gzipOf(tested.retained.get('documents', 'checkpoint') as DocumentValue)),
    'the very bytes',
  );

  const next = gzipSync(text.replace('7', '8'.repeat(500)));
  writeFileSync(path, next.subarray(0, next.byteLength - 4));
  await waitFor(() => tested.events('bad-file').length === 1, { what: 'the report' });
  t.equal(document(tested, 'checkpoint'), text, 'the last good one stays');
  writeFileSync(path, next);
  await waitFor(() => document(tested, 'checkpoint')?.includes('888'), {
    what: 'the whole one',
  });

  writeFileSync(path, Buffer.concat([gzipSync('{"two": '), gzipSync('"members"}')]));
  await waitFor(() => document(tested, 'checkpoint') === '{"two": "members"}', {
    what: 'one member',
  });
  const kept = tested.retained.get('documents', 'checkpoint') as DocumentValue;
  t.equal(kept.sizeBytes, 18);
  t.equal(gzipOf(kept).readUInt32LE(gzipOf(kept).length - 4), 18, 'several members became one');
});

await t.test('a checkpoint that is half-written, no object or followed by something is bad', async (t) => {
  const root = makePtnRoot(t, { files: { checkpoint: '' } });
  const [path, folder] = [root.join('checkpoint'), root.join('documents')];
  const whole = gzipSync('{"a": "}{", "b": [{}, "\\""]}');
  for (const [content, expected] of [
    ['{"half": [1, 2', { kind: 'bad', reason: 'ends too soon' }],
    ['[]', { kind: 'bad', reason: 'is not a JSON object' }],
    ['{"a": 1} {', { kind: 'bad', reason: 'has something behind its end' }],
    ['{"a": "in a string', { kind: 'bad', reason: 'ends too soon' }],
    ['', { kind: 'bad', reason: 'ends too soon' }],
    [' {"a": "}{", "b": [{}, "\\""]} \n', { kind: 'read', value: { sizeBytes: 31 } }],
    [whole, { kind: 'read', value: { sizeBytes: 28, file: { sizeBytes: whole.length } } }],
    [whole.subarray(0, 20), { kind: 'bad', reason: /is not a complete gzip file/ }],
    [gzipSync('[1]'), { kind: 'bad', reason: 'is not a JSON object' }],
  ] as const) {
    writeFileSync(path, content);
    t.match(await loadCheckpoint({ path, isGzip: typeof content !== 'string', folder }), expected);
  }
  rmSync(path);
  t.match(await loadCheckpoint({ path, isGzip: false, folder }), { kind: 'gone' });
  symlinkSync(path, path);
  t.match(await loadCheckpoint({ path, isGzip: false, folder }), { kind: 'bad', reason: /ELOOP/ });
  t.match(await loadCheckpoint({ path: root.path, isGzip: false, folder }), {
    kind: 'bad',
    reason: 'is not a regular file',
  });
  const left = readdirSync(folder).filter((name) => name.endsWith('.new'));
  t.same(left, [], 'nothing unfinished is left');
});

await t.test('copies of a checkpoint that are served no more are removed after a while', async (t) => {
  const root = makePtnRoot(t, { files: { 'runnable/validator_checkpoint.json': '{"one": 1}' } });
  const tested = new FeedUnderTest(t, root.path);
  await tested.feed.start();
  const folder = root.join('.ptn-api/documents');
  const [first = ''] = readdirSync(folder);
  utimesSync(join(folder, first), 1, 1);
  root.writeFile('runnable/validator_checkpoint.json', '{"two": 2}');
  await waitFor(() => document(tested, 'checkpoint') === '{"two": 2}', { what: 'the next one' });
  t.same(readdirSync(folder).length, 1);
  root.writeFile('runnable/validator_checkpoint.json', '{"three": 3}');
  await waitFor(() => document(tested, 'checkpoint') === '{"three": 3}', { what: 'the third one' });
  t.same(readdirSync(folder).length, 2, 'a worker may still begin to read the last one');
});

await t.test('of the plain and the compressed checkpoint the newer is served', async (t) => {
  const root = makePtnRoot(t, { files: { 'runnable/validator_checkpoint.json': '{"plain": NaN}' } });
  const tested = new FeedUnderTest(t, root.path);
  await tested.feed.start();
  t.equal(document(tested, 'checkpoint'), '{"plain": NaN}');
  root.writeFile('runnable/validator_checkpoint.json.gz', gzipSync('{"gz": 1}'));
  await waitFor(() => document(tested, 'checkpoint') === '{"gz": 1}', {
    what: 'the compressed one',
  });
  t.pass('taken');
});

const SCORES = 'validation/plagiarism/miners';

/** A feed of two plagiarism scores. */
async function scored(t: Test, watch: 'auto' | 'poll') {
  const root = makePtnRoot(t, {
    files: { [`${SCORES}/a.json`]: '{"score": 1}', [`${SCORES}/b.json`]: '{"score": 2}' },
  });
  const tested = new FeedUnderTest(t, root.path, { watch });
  await tested.feed.start();
  t.equal(document(tested, 'miner-copying'), '{"a": {"score": 1}, "b": {"score": 2}}');
  rmSync(root.join(`${SCORES}/b.json`));
  return { root, tested };
}

await t.test('a plagiarism score that cannot be read takes nobody out of what is served', async (t) => {
  const { root, tested } = await scored(t, 'auto');
  symlinkSync('b.json', root.join(`${SCORES}/b.json`));
  await waitFor(() => tested.events('bad-file').length === 1, { what: 'the report' });
  t.match(tested.events('bad-file')[0], { reason: 'b.json cannot be opened (ELOOP)' });
  t.equal(document(tested, 'miner-copying'), '{"a": {"score": 1}, "b": {"score": 2}}');
});

for (const watch of ['auto', 'poll'] as const) {
  await t.test(`${watch}: a link to nothing among the plagiarism scores hides no other`, async (t) => {
    const { root, tested } = await scored(t, watch);
    symlinkSync('nowhere', root.join(`${SCORES}/b.json`));
    for (const score of [3, 4]) {
      root.writeFile(`${SCORES}/a.json`, `{"score": ${score}}`);
      const expected = `{"a": {"score": ${score}}}`;
      await waitFor(() => document(tested, 'miner-copying') === expected, { what: 'a change beside it' });
    }
    t.pass('followed');
  });
}

await t.test('eliminations and plagiarism scores: changed, broken, gone', async (t) => {
  const root = makePtnRoot(t, {
    files: {
      'validation/eliminations.json': '{"eliminations": [{"dd": Infinity}]}',
      'validation/plagiarism/miners/b.json': '{"score": 2}',
      'validation/plagiarism/miners/a.json': '{"score": 1}',
    },
  });
  const tested = new FeedUnderTest(t, root.path);
  await tested.feed.start();
  t.equal(document(tested, 'eliminations'), '{"eliminations": [{"dd": null}]}');
  t.equal(document(tested, 'miner-copying'), '{"a": {"score": 1}, "b": {"score": 2}}');
  root.writeFile('validation/miner_copying.json', '{"all": 3}');
  await waitFor(() => document(tested, 'miner-copying') === '{"all": 3}', {
    what: 'the single file',
  });
  rmSync(root.join('validation/eliminations.json'));
  await waitFor(() => document(tested, 'eliminations') === undefined, {
    what: 'it is gone',
  });
  root.writeFile('validation/eliminations.json', '{"eliminations": []}');
  await waitFor(() => document(tested, 'eliminations') !== undefined, {
    what: 'it is back',
  });
  t.pass('followed');
});

await t.test('statistics by miner: what did not change is not sent again', async (t) => {
  const element = (hotkey: string, weight: number) => ({ hotkey, weight, checkpoints: [{ gain: 0.5 }] });
  const file = (data: unknown[]) =>
    JSON.stringify({ version: '7', created_timestamp_ms: 1, data, constants: { a: 1 } });
  const path = 'runnable/minerstatistics.json';
  const root = makePtnRoot(t, {
    files: { [path]: file([element('a', 1), element('b', 1), { hotkey: 'bare' }]) },
  });
  const tested = new FeedUnderTest(t, root.path);
  await tested.feed.start();
  const text = (): string => {
    const head = tested.retained.get('statistics', 'head') as StatisticsHead;
    const elements = head.hotkeys.map((hotkey) => {
      const { base, checkpoints } = tested.retained.get('statistics', `miner:${hotkey}`) as StatisticsMiner;
      return `${inflateSegment(base).toString()}${checkpoints ? inflateSegment(checkpoints).toString() : ''}}`;
    });
    return inflateSegment(head.head).toString() + elements.join(', ') + inflateSegment(head.tail).toString();
  };
  t.same(JSON.parse(text()), JSON.parse(file([element('a', 1), element('b', 1), { hotkey: 'bare' }])));

  const count = tested.transactions.length;
  const changed = file([element('b', 2), element('a', 1)]);
  root.writeFile(path, changed);
  await waitFor(() => (JSON.parse(text()) as { data: unknown[] }).data.length === 2, {
    what: 'the new file',
  });
  t.same(JSON.parse(text()), JSON.parse(changed));
  const change = tested.transactions.slice(count).find(({ topic }) => topic === 'statistics');
  t.same(
    change?.put.map(([key]) => key),
    ['head', 'miner:b'],
  );
  t.same(change?.remove, ['miner:bare']);

  root.writeFile(path, '{}');
  await waitFor(() => text() === '{}', { what: 'a file without miners passes as it is' });
});
