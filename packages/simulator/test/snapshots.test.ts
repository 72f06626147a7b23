import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { comparePositions, filterDashboard, readPosition, summaryFields } from '@ptn-api/positions';
import { TIERS } from '@ptn-api/protocol';
import type { DashboardMap, MinerPositions } from '@ptn-api/protocol';
import t from 'tap';
import { END_MS, readTree, writtenHistory } from './history-fixture.ts';

const validator = await writtenHistory(t);
const { root } = validator;
const tree = readTree(root);
const outputText = readFileSync(join(root, 'validation/outputs/output.json'), 'utf8');
const output = JSON.parse(outputText) as DashboardMap;

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

function readGzip(path: string): string {
  return gunzipSync(readFileSync(join(root, path))).toString('utf8');
}

void t.test('output.json has the positions of the tree in order, with their summary', (t) => {
  t.equal(Object.keys(output).length, 40);
  for (const [hotkey, value] of Object.entries(output)) {
    const facts = tree
      .filter((file) => file.hotkey === hotkey)
      .flatMap(({ text }) => {
        const reading = readPosition(text);
        return reading.ok ? [reading.facts] : [];
      })
      .sort(comparePositions);
    t.strictSame(
      value.positions.map((position) => position.position_uuid),
      facts.map((one) => one.positionUuid),
    );
    const { changeMs, ...summary } = summaryFields(facts, END_MS);
    const { positions, ...rest } = value;
    t.ok(changeMs > END_MS && positions.length > 0);
    t.strictSame(rest, summary);
  }
  const returns = Object.values(output).map((value) => value.thirty_day_returns);
  t.strictSame(
    returns,
    returns.toSorted((a, b) => b - a),
    'best miners first',
  );
  t.end();
});

void t.test('output.json shows open positions with close_ms 0 and old orders without price sources', (t) => {
  const byUuid = new Map(tree.map(({ position }) => [position.position_uuid, position]));
  let emptied = 0;
  const wrong: string[] = [];
  for (const position of Object.values(output).flatMap(({ positions }) => positions)) {
    const file = byUuid.get(position.position_uuid);
    if (file === undefined) throw new Error(`${position.position_uuid} has no file`);
    const orders = file.orders.map((order) => {
      const isOld = order.processed_ms < END_MS - 7 * 86_400_000;
      if (isOld && order.price_sources.length > 0) emptied += 1;
      return isOld ? { ...order, price_sources: [] } : order;
    });
    if (!isDeepStrictEqual(position, { ...file, close_ms: file.close_ms ?? 0, orders }))
      wrong.push(position.position_uuid);
  }
  t.strictSame(wrong, []);
  t.ok(emptied > 0);
  t.end();
});

void t.test('tier files are what the tier filter makes of output.json', (t) => {
  for (const tier of TIERS) {
    const text = readGzip(`validation/outputs/tiered_positions/${tier}/output.json.gz`);
    const expected = filterDashboard(outputText, tier, END_MS);
    t.equal(expected.warnings.length, 0);
    t.ok(text === expected.text, `tier ${tier}`);
  }
  t.end();
});

void t.test('every tier shows more than the one below', (t) => {
  const orderUuids = TIERS.map((tier) => {
    const map = JSON.parse(
      readGzip(`validation/outputs/tiered_positions/${tier}/output.json.gz`),
    ) as DashboardMap;
    const orders = Object.values(map).flatMap((value: MinerPositions) =>
      value.positions.flatMap(({ orders }) => orders),
    );
    return new Set(orders.map((order) => order.order_uuid));
  });
  orderUuids.slice(1).forEach((higher, index) => {
    const lower = orderUuids[index] ?? new Set();
    t.ok(higher.size > lower.size, `${higher.size} orders instead of ${lower.size}`);
    t.ok([...lower].every((uuid) => higher.has(uuid)));
  });
  t.end();
});

void t.test('eliminations.json names the miners whose positions were all closed', (t) => {
  const { eliminations } = readJson('validation/eliminations.json') as {
    eliminations: {
      hotkey: string;
      reason: string;
      dd: number | null;
      elimination_initiated_time_ms: number;
    }[];
  };
  t.equal(eliminations.length, 2);
  t.ok(eliminations.some(({ reason }) => reason === 'LIQUIDATED'));
  for (const { hotkey, elimination_initiated_time_ms: timeMs } of eliminations) {
    t.ok(timeMs < END_MS && timeMs > END_MS - 91 * 86_400_000);
    t.notOk(tree.some((file) => file.hotkey === hotkey && file.side === 'open'));
  }
  t.end();
});

void t.test('the checkpoint holds the dashboard and the performance of every miner', (t) => {
  const checkpoint = JSON.parse(readGzip('runnable/validator_checkpoint.json.gz')) as Record<string, unknown>;
  const times = tree.flatMap(({ position }) => position.orders.map((order) => order.processed_ms));
  t.match(checkpoint, {
    version: '7.0.0',
    created_timestamp_ms: END_MS,
    created_date: '2025-11-14 16:30:00',
    eliminations: (readJson('validation/eliminations.json') as { eliminations: unknown }).eliminations,
    // The names are swapped: validators write it so.
    youngest_order_processed_ms: Math.min(...times),
    oldest_order_processed_ms: Math.max(...times),
  });
  t.strictSame(checkpoint['positions'], output);
  const { testing, success } = checkpoint['challengeperiod'] as Record<string, Record<string, number>>;
  const active = validator.miners.filter(({ elimination }) => elimination === undefined);
  t.strictSame(
    [...Object.keys(testing ?? {}), ...Object.keys(success ?? {})].sort(),
    active.map(({ hotkey }) => hotkey).sort(),
  );
  const ledgers = checkpoint['perf_ledgers'] as Record<string, { cps: object[] }>;
  t.strictSame(Object.keys(ledgers).sort(), Object.keys(output).sort());
  t.ok(Object.values(ledgers).every(({ cps }) => cps.length > 30));
  t.end();
});

void t.test('statistics are computed from the positions', (t) => {
  const statistics = readJson('runnable/minerstatistics.json') as {
    data: {
      hotkey: string;
      challengeperiod: { status: string };
      weight: { value: number; rank: number };
      scores: Record<string, { value: number; rank: number }>;
      daily_returns: { date: string; value: number }[];
      checkpoints: {
        prev_portfolio_ret: number;
        last_update_ms: number;
        accum_ms: number;
        gain: number;
        loss: number;
        mdd: number;
      }[];
    }[];
  };
  const { data } = statistics;
  t.strictSame(
    data.map(({ weight }) => weight.rank),
    data.map((_, index) => index + 1),
    'best weight first',
  );
  const members = data.filter(({ challengeperiod }) => challengeperiod.status === 'success');
  t.ok(members.length > 10 && members.length < data.length);
  const total = members.reduce((sum, { weight }) => sum + weight.value, 0);
  t.ok(Math.abs(total - 1) < 1e-9, 'weights of the main competition add up to 1');
  t.equal(members.filter(({ scores }) => scores['sharpe']?.rank === 1).length, 1);
  const eliminated = new Set(validator.miners.flatMap((miner) => (miner.elimination ? [miner.hotkey] : [])));
  t.equal(data.length, validator.miners.length - eliminated.size, 'all but the eliminated');
  for (const { hotkey, checkpoints, daily_returns: days } of data) {
    t.notOk(eliminated.has(hotkey));
    const positions = tree.filter((file) => file.hotkey === hotkey).map(({ position }) => position);
    const product = positions.reduce(
      (value, position) => value * Math.max(position.return_at_close, 1e-4),
      1,
    );
    const last = checkpoints.at(-1);
    if (last === undefined) throw new Error(`${hotkey} has no checkpoints`);
    t.equal(last.last_update_ms, END_MS);
    t.ok(
      Math.abs(last.prev_portfolio_ret / product - 1) < 1e-9,
      'the portfolio is the product of its positions',
    );
    const full = checkpoints.filter(({ accum_ms: coveredMs }) => coveredMs === 43_200_000);
    t.ok(Math.abs(days.length - full.length / 2) <= 1, 'a day for two full cells');
    t.ok(checkpoints.every(({ gain, loss, mdd }) => gain >= 0 && loss <= 0 && mdd > 0 && mdd <= 1));
  }
  t.end();
});

void t.test('suspected miners have a plagiarism report, and there is no miner_copying.json', (t) => {
  const suspects = validator.miners.filter(({ plagiarism }) => plagiarism > 0);
  t.ok(suspects.length > 0);
  for (const { hotkey, plagiarism } of suspects) {
    const report = readJson(`validation/plagiarism/miners/${hotkey}.json`);
    t.match(report, { plagiarist: hotkey, overall_score: plagiarism, time: END_MS });
  }
  t.throws(() => readJson('validation/miner_copying.json'), { code: 'ENOENT' });
  t.strictSame(readJson('meta/meta.json'), { subnet_version: '7.0.0' });
  t.end();
});
