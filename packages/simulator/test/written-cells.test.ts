/** A validator writes its ledgers again and again, and never another past into them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { positionsOf } from '@ptn-api/simulator';
import t from 'tap';
import { GENERATIONS } from '../dist/generation.js';
import { writtenHistory } from './history-fixture.ts';

const HOUR_MS = 3_600_000;
const CELL_MS = 12 * HOUR_MS;

interface Cell {
  readonly last_update_ms: number;
  readonly accum_ms: number;
  readonly gain: number;
  readonly loss: number;
  readonly prev_portfolio_ret: number;
}
interface PerfLedger {
  readonly cps: readonly Cell[];
}
type Rows = readonly unknown[];

function readJson(root: string, path: string): unknown {
  const bytes = readFileSync(join(root, path));
  return JSON.parse((path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString());
}

const complete = (cells: readonly Cell[]): readonly Cell[] =>
  cells.filter(({ accum_ms: coveredMs }) => coveredMs === CELL_MS);

function isLedger(value: PerfLedger | Record<string, PerfLedger>): value is PerfLedger {
  return 'cps' in value;
}

/** By file, hotkey and pair: the cells and rows that are complete. */
function pastOf(root: string, isVanta: boolean): Map<string, Rows> {
  const past = new Map<string, Rows>();
  const { perf_ledgers: portfolios } = readJson(root, 'runnable/validator_checkpoint.json.gz') as {
    perf_ledgers: Record<string, PerfLedger>;
  };
  for (const [hotkey, { cps }] of Object.entries(portfolios)) past.set(`checkpoint ${hotkey}`, complete(cps));
  const { data } = readJson(root, 'runnable/minerstatistics.json') as {
    data: { hotkey: string; checkpoints: readonly Cell[] }[];
  };
  for (const { hotkey, checkpoints } of data) past.set(`statistics ${hotkey}`, complete(checkpoints));
  if (!isVanta) return past;
  const perf = readJson(root, 'validation/perf_ledgers.json.gz') as Record<
    string,
    PerfLedger | Record<string, PerfLedger>
  >;
  for (const [hotkey, value] of Object.entries(perf)) {
    const byPair = isLedger(value) ? { all: value } : value;
    for (const [pair, { cps }] of Object.entries(byPair)) past.set(`perf ${hotkey} ${pair}`, complete(cps));
  }
  for (const name of ['debt', 'emissions', 'penalty']) {
    const { ledgers } = readJson(root, `validation/${name}_ledger.json.gz`) as {
      ledgers: Record<string, { checkpoints: Rows }>;
    };
    for (const [hotkey, { checkpoints }] of Object.entries(ledgers))
      past.set(`${name} ${hotkey}`, checkpoints);
  }
  return past;
}

for (const generation of GENERATIONS) {
  void t.test(`${generation}: what is past in a ledger stays as it was written`, async (t) => {
    const nowMs = Date.now();
    const validator = await writtenHistory(t, {
      ...{ miners: 8, positions: 200, months: 2, generation, endMs: nowMs - 3 * CELL_MS },
    });
    const { root } = validator;
    const isVanta = generation === 'quantity' || generation === '2026';
    let before = pastOf(root, isVanta);
    t.ok([...before.values()].every((rows) => rows.length > 1));
    let added = 0;
    const happens: readonly (readonly [afterHours: number, happen: () => unknown])[] = [
      [0, () => validator.refresh()],
      [0, () => Array.from({ length: 60 }, () => validator.placeOrder())],
      [0, () => validator.eliminate()],
      [20, () => undefined],
      [40, () => undefined],
    ];
    const returns = () =>
      validator.miners.flatMap((miner) => positionsOf(miner).map((one) => one.return_at_close));
    const returnsBefore = returns();
    for (const [step, [afterHours, happen]] of happens.entries()) {
      await happen();
      await validator.writeSnapshots(nowMs + afterHours * HOUR_MS);
      const after = pastOf(root, isVanta);
      for (const [name, rows] of before) {
        // Statistics are of those who are not eliminated.
        const now = after.get(name);
        if (now === undefined && name.startsWith('statistics')) continue;
        t.strictSame(now?.slice(0, rows.length), rows, `${name}, written ${step + 2} times`);
        added += (now?.length ?? 0) - rows.length;
      }
      before = after;
    }
    t.ok(added > 0, 'and there is more of it');
    t.notSame(returns().slice(0, returnsBefore.length), returnsBefore, 'something is another than it was');

    // What was found out later is in the cells that came then.
    const { perf_ledgers: portfolios } = readJson(root, 'runnable/validator_checkpoint.json.gz') as {
      perf_ledgers: Record<string, PerfLedger>;
    };
    for (const miner of validator.miners.filter(({ elimination }) => elimination === undefined)) {
      const cps = portfolios[miner.hotkey]?.cps ?? [];
      const product = positionsOf(miner).reduce(
        (value, one) => value * Math.max(one.return_at_close, 1e-4),
        1,
      );
      t.ok(Math.abs((cps.at(-1)?.prev_portfolio_ret ?? 1) / product - 1) < 1e-9, miner.hotkey);
      t.ok(cps.every(({ gain, loss }) => gain >= 0 && loss <= 0));
      let logReturn = 0;
      for (const { gain, loss, prev_portfolio_ret: value } of cps) {
        logReturn += gain + loss;
        t.ok(
          Math.abs(Math.exp(logReturn) / value - 1) < 1e-9,
          'a cell goes on where the one before it ended',
        );
      }
    }
  });
}
