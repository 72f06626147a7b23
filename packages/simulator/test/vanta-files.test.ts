import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Ajv2020 } from 'ajv/dist/2020.js';
import t from 'tap';
import { positionsOf } from '@ptn-api/simulator';
import type { Generation, SimulatedValidator } from '@ptn-api/simulator';
import { minersFiles } from '@ptn-api/runtime';
import { startServer } from '@ptn-api/testkit';
import { END_MS, filesUnder, readTree, writtenHistory } from './history-fixture.ts';

t.jobs = 2;

const DAY_MS = 86_400_000;
const CELL_MS = DAY_MS / 2;
const KEYS = { services: { key: 'key-200', tier: 200 } };
const HEADERS = { Authorization: 'Bearer key-200' };
const FEW = { miners: 8, positions: 200, months: 2 };

interface Ledger<Checkpoint> {
  readonly hotkey: string;
  readonly total_checkpoints: number;
  readonly cumulative_emissions_usd: number;
  readonly summary: { readonly cumulative_emissions_usd: number };
  readonly checkpoints: readonly Checkpoint[];
}
interface Cell {
  readonly last_update_ms: number;
  readonly prev_portfolio_ret: number;
  readonly accum_ms: number;
  readonly realized_pnl: number;
  readonly unrealized_pnl: number;
}

function readJson(root: string, path: string): unknown {
  const bytes = readFileSync(join(root, path));
  return JSON.parse((path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString());
}

/** The limit orders on disk: `<hotkey> <pair> <folder> <uuid>` to the record. */
function limitOrdersOf(root: string): Map<string, Record<string, unknown>> {
  const paths = filesUnder(root, 'validation/miners').filter((path) => path.includes('/limit_orders/'));
  return new Map(
    paths.map((path) => {
      const [, , hotkey = '', , pair = '', folder = '', uuid = ''] = path.split('/');
      return [`${hotkey} ${pair} ${folder} ${uuid}`, readJson(root, path) as Record<string, unknown>];
    }),
  );
}

function traders(validator: SimulatedValidator): string[] {
  return validator.miners.filter((miner) => positionsOf(miner).length > 0).map(({ hotkey }) => hotkey);
}

const historyOf = (generation: Generation, endMs = END_MS) =>
  writtenHistory(t, { ...FEW, generation, endMs });
const past2026 = historyOf('2026');

for (const generation of ['quantity', '2026'] as const) {
  const present = historyOf(generation, Date.now() - 1000);
  const past = generation === '2026' ? past2026 : historyOf(generation);

  void t.test(`a server answers every route of a file of ${generation} as its document says`, async (t) => {
    const validator = await present;
    mkdirSync(join(validator.root, 'ptn_api'));
    writeFileSync(join(validator.root, 'ptn_api/api_keys.json'), JSON.stringify(KEYS));
    const { url } = await startServer(t, { root: validator.root });
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as object;
    const ajv = new Ajv2020({ strict: false });
    ajv.addSchema(document, 'document');
    const hotkeysOf: Readonly<Record<string, readonly string[]>> = {
      '/entity/{hotkey}': validator.miners.flatMap(({ subaccount }) => subaccount?.entityHotkey ?? []),
      '/challenge-period/{hotkey}': validator.miners
        .filter(({ elimination }) => elimination === undefined)
        .map(({ hotkey }) => hotkey),
      // Without a status asked for, of those that wait.
      '/limit-orders/{hotkey}': [
        ...new Set(
          [...limitOrdersOf(validator.root).keys()]
            .filter((name) => name.includes(' unfilled '))
            .map((name) => name.split(' ')[0] ?? ''),
        ),
      ],
    };
    const routes = minersFiles.flatMap(([, { routes }]) =>
      routes.map(({ route, schema }) => [route, schema] as const),
    );
    t.ok(routes.length >= 10);
    const all = [
      ...routes,
      ['/limit-orders/{hotkey}', 'MinerLimitOrders'],
      ['/orders/{hotkey}', 'MinerOrders'],
    ] as const;
    for (const [route, schema] of all) {
      const hasNone = generation === 'quantity' && route.startsWith('/entit');
      const validate = ajv.compile({ $ref: `document#/components/schemas/${schema}` });
      const hotkeys = route.includes('{') ? (hotkeysOf[route] ?? traders(validator)) : [''];
      t.equal(hotkeys.length === 0, hasNone && route.includes('{'), `${route} has someone to ask for`);
      for (const hotkey of hotkeys) {
        const response = await fetch(url + route.replace('{hotkey}', hotkey), { headers: HEADERS });
        t.equal(response.status, hasNone ? 404 : 200, `${route} of ${hotkey}`);
        const body: unknown = await response.json();
        if (!hasNone) t.ok(validate(body), `${route}: ${JSON.stringify(validate.errors)}`);
      }
    }
  });

  void t.test(`the files of ${generation} agree with each other and with the positions`, async (t) => {
    const validator = await past;
    const { root, miners } = validator;
    const active = miners.filter(({ elimination }) => elimination === undefined);

    const challenge = readJson(root, 'validation/challengeperiod.json') as Record<string, { bucket: string }>;
    const checkpoint = readJson(root, 'runnable/validator_checkpoint.json.gz') as Record<string, unknown>;
    t.strictSame(checkpoint['challengeperiod'], challenge);
    for (const [member, path] of [
      ['miner_account_sizes', 'validation/miner_account_sizes.json'],
      ['asset_selections', 'validation/asset_selections.json'],
      ...(generation === '2026' ? ([['entities', 'validation/entities.json']] as const) : []),
    ] as const)
      t.strictSame(checkpoint[member], readJson(root, path));
    const { data } = readJson(root, 'runnable/minerstatistics.json') as {
      data: { hotkey: string; challengeperiod: { status: string } }[];
    };
    t.strictSame(Object.keys(challenge).sort(), active.map(({ hotkey }) => hotkey).sort());
    for (const { hotkey, challengeperiod } of data) {
      const isMember = challenge[hotkey]?.bucket === 'MAINCOMP';
      t.equal(challengeperiod.status, isMember ? 'success' : 'testing', hotkey);
    }
    t.equal(new Set(Object.values(challenge).map(({ bucket }) => bucket)).size, 2);

    const sizes = readJson(root, 'validation/miner_account_sizes.json') as Record<
      string,
      { account_size: number }[]
    >;
    t.strictSame(
      miners.map(({ hotkey }) => sizes[hotkey]?.at(-1)?.account_size),
      miners.map(({ accountSize }) => accountSize),
    );
    const selections = readJson(root, 'validation/asset_selections.json') as Record<string, string>;
    t.strictSame(
      Object.keys(selections),
      miners.map(({ hotkey }) => hotkey),
    );

    interface LedgerFile<Row> {
      readonly ledgers: Readonly<Record<string, Ledger<Row>>>;
    }
    const read = <Row>(name: string) =>
      (readJson(root, `validation/${name}_ledger.json.gz`) as LedgerFile<Row>).ledgers;
    const debts = read<{
      timestamp_ms: number;
      performance: { portfolio_return: number; realized_pnl: number };
      penalties: { cumulative: number; challenge_period_status: string };
      emissions: { chunk_usd: number };
    }>('debt');
    const emissions = read<{ chunk_end_ms: number; chunk_emissions_usd: number }>('emissions');
    const penalties = read<{ last_processed_ms: number; total_penalty: number }>('penalty');
    const perf = readJson(root, 'validation/perf_ledgers.json.gz') as Record<
      string,
      { cps: Cell[] } & Record<string, { cps: Cell[] }>
    >;
    t.strictSame(Object.keys(debts), traders(validator));
    for (const miner of miners.filter((one) => positionsOf(one).length > 0)) {
      const { hotkey } = miner;
      const [debt, emission, penalty] = [debts[hotkey], emissions[hotkey], penalties[hotkey]];
      const cps = (generation === '2026' ? perf[hotkey] : perf[hotkey]?.['portfolio'])?.cps ?? [];
      if (debt === undefined || emission === undefined || penalty === undefined) throw new Error(hotkey);
      const complete = cps.filter(({ accum_ms: coveredMs }) => coveredMs === CELL_MS);
      const times = complete.map(({ last_update_ms: timeMs }) => timeMs);
      t.strictSame(
        debt.checkpoints.map(({ timestamp_ms: timeMs }) => timeMs),
        times,
      );
      t.strictSame(
        emission.checkpoints.map(({ chunk_end_ms: timeMs }) => timeMs),
        times,
      );
      t.strictSame(
        penalty.checkpoints.map(({ last_processed_ms: timeMs }) => timeMs),
        times,
      );
      t.ok(
        times.every(
          (timeMs, index) =>
            timeMs % CELL_MS === 0 && (index === 0 || timeMs - (times[index - 1] ?? 0) === CELL_MS),
        ),
      );
      t.strictSame(
        debt.checkpoints.map(({ performance }) => performance.portfolio_return),
        complete.map(({ prev_portfolio_ret: value }) => value),
      );
      t.strictSame(
        debt.checkpoints.map(({ penalties: { cumulative } }) => cumulative),
        penalty.checkpoints.map(({ total_penalty: total }) => total),
      );
      const paid = emission.checkpoints.reduce((sum, { chunk_emissions_usd: usd }) => sum + usd, 0);
      t.equal(emission.cumulative_emissions_usd, paid);
      t.equal(debt.summary.cumulative_emissions_usd, paid);
      const wronglyPaid = debt.checkpoints.filter(
        ({ emissions: { chunk_usd: usd }, penalties: { challenge_period_status: bucket } }) =>
          usd > 0 !== (bucket === 'MAINCOMP'),
      );
      t.strictSame(wronglyPaid, [], 'paid in the main competition alone');

      const positions = positionsOf(miner);
      const sum = (values: readonly (number | undefined)[]) => values.reduce<number>((a, b = 0) => a + b, 0);
      const near = (a: number, b: number) => Math.abs(a - b) < 1e-6 * Math.max(1, Math.abs(b));
      t.ok(near(sum(cps.map((cell) => cell.realized_pnl)), sum(positions.map((one) => one.realized_pnl))));
      const open = positions.filter((one) => !one.is_closed_position);
      t.ok(near(cps.at(-1)?.unrealized_pnl ?? NaN, sum(open.map((one) => one.unrealized_pnl))));
      if (generation === 'quantity') {
        const pairs = new Set(positions.map(({ trade_pair: [id] }) => id));
        t.strictSame(new Set(Object.keys(perf[hotkey] ?? {})), new Set(['portfolio', ...pairs]));
      }
    }
  });

  void t.test(`limit orders of ${generation} follow the positions`, async (t) => {
    const validator = await present;
    const { root } = validator;
    const before = limitOrdersOf(root);
    const sources = [...before.values()].map(({ src }) => src as number);
    for (const src of [5, 6, 7, 8]) t.ok(sources.includes(src), `some of src ${src}`);
    for (const [name, { src }] of before) {
      t.equal(name.includes(' unfilled '), src === 5 || src === 8, name);
    }
    const orders = readTree(root).flatMap(({ position }) => position.orders);
    const placed = new Set(orders.map(({ order_uuid: uuid }) => uuid));
    const filled = [...before.values()].filter(({ src }) => src === 6 || src === 9);
    t.ok(filled.every(({ order_uuid: uuid }) => placed.has(uuid as string)));
    t.notOk(
      [...before.values()].some(({ src, order_uuid: uuid }) => src === 5 && placed.has(uuid as string)),
    );

    // The end of a position is the end of its stop and target.
    const [hotkey = '', pair = '', , uuid = ''] =
      [...before]
        .find(
          ([name, { src }]) => src === 8 && /BTCUSD|ETHUSD|SOLUSD|XRPUSD|DOGEUSD|ADAUSD|TAOUSD/.test(name),
        )?.[0]
        .split(' ') ?? [];
    const { order } = validator.placeOrder({ hotkey, tradePairId: pair, action: 'close' });
    await validator.writeSnapshots();
    const after = limitOrdersOf(root);
    t.notOk(after.has(`${hotkey} ${pair} unfilled ${uuid}`));
    t.equal(after.get(`${hotkey} ${pair} closed ${uuid}`)?.['src'], order.src === 9 ? 9 : 10);

    // After a day nothing happened in, what is over is gone; what waits was placed meanwhile.
    await validator.writeSnapshots(Date.now() + 2 * DAY_MS);
    const later = limitOrdersOf(root);
    t.notOk(later.has(`${hotkey} ${pair} closed ${uuid}`));
    const waiting = (map: typeof later) => [...map].filter(([, { src }]) => src === 5).map(([name]) => name);
    t.ok(waiting(later).length > 0);
    t.notOk(waiting(later).some((name) => before.has(name)));
  });
}

void t.test('subaccounts of entities are miners, and say when they were taken out', async (t) => {
  const validator = await past2026;
  const read = () =>
    readJson(validator.root, 'validation/entities.json') as Record<
      string,
      { subaccounts: Record<string, { synthetic_hotkey: string; status: string }> }
    >;
  const [[entityHotkey, { subaccounts }] = ['', { subaccounts: {} }]] = Object.entries(read());
  t.strictSame(
    Object.values(subaccounts).map(({ synthetic_hotkey: hotkey }) => hotkey),
    [`${entityHotkey}_0`, `${entityHotkey}_1`],
  );
  const traded = new Set(readTree(validator.root).map(({ hotkey }) => hotkey));
  t.ok(Object.values(subaccounts).every(({ synthetic_hotkey: hotkey }) => traded.has(hotkey)));
  const active = Object.entries(subaccounts).find(([, { status }]) => status === 'active');
  validator.eliminate(active?.[1].synthetic_hotkey);
  await validator.writeSnapshots();
  t.equal(read()[entityHotkey]?.subaccounts[active?.[0] ?? '']?.status, 'eliminated');
});

void t.test('earlier generations write none of these files', async (t) => {
  for (const generation of ['2025', 'account-size'] as const) {
    const { root } = await writtenHistory(t, { ...FEW, generation });
    const paths = filesUnder(root)
      .filter((path) => !path.includes('plagiarism'))
      .map((path) => path.replace(/^validation\/miners\/.*/, 'miners'));
    t.strictSame(
      [...new Set(paths)].sort(),
      [
        'meta/meta.json',
        'miners',
        'runnable/minerstatistics.json',
        'runnable/validator_checkpoint.json.gz',
        'validation/eliminations.json',
        'validation/outputs/output.json',
        ...[0, 100, 30, 50].map((tier) => `validation/outputs/tiered_positions/${tier}/output.json.gz`),
      ].sort(),
      generation,
    );
    t.notOk(filesUnder(root).some((path) => path.includes('limit_orders')));
    t.notOk(existsSync(join(root, 'validation/entities.json')));
  }
});
