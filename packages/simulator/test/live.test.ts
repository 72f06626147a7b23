import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { rebuildPosition } from '@ptn-api/positions';
import type { Position } from '@ptn-api/protocol';
import { makeTemporaryFolder, waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { filesUnder, readTree, runSimulator } from './history-fixture.ts';

const EACH_MS = 400;
const SNAPSHOTS = [
  'validation/eliminations.json',
  'validation/outputs/output.json',
  'validation/outputs/tiered_positions/0/output.json.gz',
  'runnable/minerstatistics.json',
  'runnable/validator_checkpoint.json.gz',
];

const root = makeTemporaryFolder(t);
const rhythm = [
  '--orders-per-second',
  '50',
  '--refresh-ms',
  String(EACH_MS),
  '--outputs-ms',
  String(EACH_MS),
];
const simulator = runSimulator(t, ['--root', root, '--miners', '20', '--positions', '400', ...rhythm]);
await simulator.ready();
const readyMs = Date.now();
const firstWritten = SNAPSHOTS.map((path) => statSync(join(root, path)).mtimeMs);

function placedSince(text: string): number {
  return (text.match(/"processed_ms": \d+/g) ?? []).filter(
    (match) => Number(match.slice(16)) >= readyMs - 1000,
  ).length;
}

await waitFor(
  () => {
    const orders = placedSince(readFileSync(join(root, 'validation/outputs/output.json'), 'utf8'));
    return (
      orders >= 100 &&
      SNAPSHOTS.every((path, index) => statSync(join(root, path)).mtimeMs > (firstWritten[index] ?? 0))
    );
  },
  { what: () => `100 orders are in the outputs\n${simulator.stderr()}`, timeoutMs: 15_000 },
);
const tookMs = Date.now() - readyMs;
simulator.child.kill('SIGTERM');
const ended = await simulator.ended();
const tree = readTree(root);

void t.test('it trades at the rate asked for and stops cleanly', (t) => {
  t.equal(ended, 0);
  const orders = tree
    .flatMap(({ position }) => position.orders)
    .filter(({ processed_ms: timeMs }) => timeMs >= readyMs);
  const perSecond = (orders.length / tookMs) * 1000;
  t.ok(perSecond > 25 && perSecond < 100, `${perSecond} orders a second`);
  t.end();
});

/** Equal but for the last digits of numbers. */
function isClose(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number')
    return Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), 1);
  return a === b;
}

void t.test('every file is what the accounting makes of its orders', (t) => {
  t.ok(tree.length > 400);
  for (const { position, side, uuid } of tree) {
    const rebuilt: Position = rebuildPosition(position, position.orders);
    for (const [key, value] of Object.entries(position)) {
      if (key === 'orders' || key === 'trade_pair') continue;
      const isRefreshed = side === 'open' && (key === 'current_return' || key === 'return_at_close');
      if (isRefreshed ? !(Number(value) > 0) : !isClose(value, rebuilt[key as keyof Position])) {
        t.fail(`${uuid}: ${key} is ${String(value)}`);
      }
    }
    if (position.is_closed_position !== (side === 'closed')) t.fail(`${uuid} is on the wrong side`);
  }
  t.end();
});

void t.test('no position is there twice, no order uuid, and one is open for a miner and pair', (t) => {
  const isUnique = (values: readonly string[]): boolean => new Set(values).size === values.length;
  t.ok(isUnique(tree.map(({ uuid }) => uuid)));
  t.ok(isUnique(tree.flatMap(({ position }) => position.orders.map((order) => order.order_uuid))));
  const open = tree.filter(({ side }) => side === 'open');
  t.ok(open.length > 0 && isUnique(open.map(({ hotkey, tradePairId }) => `${hotkey}/${tradePairId}`)));
  t.end();
});

void t.test('orders of a position never share a time', (t) => {
  t.ok(tree.some(({ position }) => position.orders.length > 2));
  for (const { position, uuid } of tree) {
    position.orders.forEach(({ processed_ms: timeMs }, index) => {
      const beforeMs = position.orders[index - 1]?.processed_ms ?? 0;
      if (timeMs <= beforeMs && position.current_return !== 0) t.fail(`${uuid} has two orders at ${timeMs}`);
    });
  }
  t.end();
});

void t.test('nothing temporary is left and nothing unexpected was written', (t) => {
  t.strictSame(filesUnder(root, 'validation/tmp'), []);
  const others = filesUnder(root).filter((path) => !/^validation\/(miners|plagiarism)\//.test(path));
  const tiers = [0, 30, 50, 100].map((tier) => `validation/outputs/tiered_positions/${tier}/output.json.gz`);
  t.strictSame(others, [...new Set([...SNAPSHOTS, ...tiers, 'meta/meta.json'])].sort());
  t.end();
});

void t.test('the snapshots are whole', (t) => {
  for (const path of SNAPSHOTS) {
    const bytes = readFileSync(join(root, path));
    const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
    t.doesNotThrow(() => JSON.parse(text) as unknown, path);
  }
  t.end();
});
