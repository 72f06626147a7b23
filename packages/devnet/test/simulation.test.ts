import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readValidatorFolder, scoreSource, Simulation } from '@ptn-api/devnet';
import type { ScoreReport, SimulationOptions } from '@ptn-api/devnet';
import { SCORING_GENERATIONS } from '@ptn-api/scoring';
import type { Generation } from '@ptn-api/scoring';
import { minersFiles, wholeFiles } from '@ptn-api/runtime';
import { makeTemporaryFolder, startServer, waitFor } from '@ptn-api/testkit';
import t from 'tap';

const DAY_MS = 86_400_000;
/** Monday. */
const START_MS = Date.UTC(2025, 4, 5);
const DECIDED_EVERY_MS = DAY_MS / 6;
const rules = SCORING_GENERATIONS['2025-05'];
/** A challenge period of four days, of which three have to be traded. */
const QUICK: Generation = {
  ...rules,
  minimumDays: () => 3,
  challenge: { ...rules.challenge, challengeMs: 4 * DAY_MS, minimumDays: () => 3 },
};
const OPTIONS: Omit<SimulationOptions, 'root'> = {
  ...{
    seed: 3,
    miners: 10,
    founders: 3,
    copiers: 1,
    leavers: 1,
    startMs: START_MS,
    days: 5,
    generation: QUICK,
  },
};

const root = makeTemporaryFolder(t);

/** Who is promoted and who is out, with the reason, as lines. */
function decided({
  promoted,
  out,
}: {
  promoted: readonly string[];
  out: readonly [string, string][];
}): string[] {
  return [...promoted.map((hotkey) => `${hotkey} promoted`), ...out.map((row) => row.join(' '))].sort();
}

const BUCKETS = '/challenge-period/{hotkey}';

/** What a report says will be decided next. */
function predicted({ outcomes }: ScoreReport): string[] {
  const out = outcomes.flatMap(({ hotkey, outcome }): [string, string][] =>
    outcome.startsWith('eliminated: ') ? [[hotkey, outcome.slice('eliminated: '.length)]] : [],
  );
  const promoted = outcomes
    .filter(({ outcome }) => outcome.startsWith('promoted'))
    .map(({ hotkey }) => hotkey);
  return decided({ promoted, out });
}

let simulation: Simulation;

void t.test('what scoring a folder says is what the validator then does, day by day', (t) => {
  let said: string[] = [];
  let before: { members: Set<string>; out: Set<string> } = { members: new Set(), out: new Set() };
  let decisions = 0;
  const reasons = new Set<string>();
  const members = (): string[] =>
    [...simulation.scoring.challenge]
      .filter(([, { bucket }]) => bucket === 'MAINCOMP')
      .map(([hotkey]) => hotkey);
  const ask = (nowMs: number): void => {
    said = predicted(scoreSource(readValidatorFolder(root), nowMs, QUICK));
    before = { members: new Set(members()), out: new Set(simulation.validator.eliminated.keys()) };
  };
  const compare = (): void => {
    for (const { reason } of simulation.validator.eliminated.values()) reasons.add(reason);
    // Who is registered is in no file.
    const out = [...simulation.validator.eliminated.values()].filter(
      ({ hotkey, reason }) => !before.out.has(hotkey) && reason !== 'ZOMBIE',
    );
    const done = decided({
      promoted: members().filter((hotkey) => !before.members.has(hotkey)),
      out: out.map(({ hotkey, reason }) => [hotkey, reason]),
    });
    t.strictSame(done, said);
    decisions += done.length;
  };
  simulation = new Simulation({
    ...OPTIONS,
    root,
    rows: (rows) =>
      rows.flatMap((row) => {
        // So that each decision can be asked for: the ledgers that it is made on are in their file.
        const everyMs = DECIDED_EVERY_MS;
        if (row.name === 'ledger file')
          return [
            { ...row, everyMs },
            { name: 'ask', everyMs, run: ask },
          ];
        if (row.name !== 'challenge period') return [row];
        return [
          { ...row, everyMs },
          { name: 'compare', everyMs, run: compare },
        ];
      }),
    onDay: () => {
      const report = scoreSource(readValidatorFolder(root), simulation.nowMs, QUICK);
      t.strictSame(report.problems, []);
      t.strictSame(
        report.miners.filter(({ rank }) => rank !== undefined).map(({ hotkey, weight }) => [hotkey, weight]),
        simulation.scoring.weights,
      );
    },
  });
  simulation.run();
  t.ok(decisions >= 4, `${decisions} decisions`);
  for (const reason of ['FAILED_CHALLENGE_PERIOD_TIME', 'ZOMBIE'] as const) t.ok(reasons.has(reason), reason);
  const founders = new Set(simulation.founders);
  t.ok(
    members().some((hotkey) => !founders.has(hotkey)),
    'a newcomer was promoted',
  );
  t.ok(simulation.signals.accepted > 200, `${simulation.signals.accepted} orders`);
  t.end();
});

void t.test('the copier has the highest plagiarism score', (t) => {
  const [, , , copier] = simulation.miners;
  const file = JSON.parse(
    readFileSync(join(root, `validation/plagiarism/miners/${copier}.json`), 'utf8'),
  ) as {
    overall_score: number;
  };
  t.ok(file.overall_score > 0.8, String(file.overall_score));
  t.end();
});

void t.test('everything that the validator wrote is served', async (t) => {
  mkdirSync(join(root, 'ptn_api'), { recursive: true });
  writeFileSync(join(root, 'ptn_api/api_keys.json'), JSON.stringify({ all: { key: 'key', tier: 500 } }));
  const { url } = await startServer(t, { root });
  const ask = (path: string): Promise<Response> =>
    fetch(url + path, { headers: { Authorization: 'Bearer key' } });
  const [hotkey = ''] = simulation.scoring.weights[0] ?? [];
  await waitFor(async () => (await ask('/readyz')).status === 200, {
    what: 'the server has read the folder',
  });
  const miner = (await (await ask(`/miner-positions/${hotkey}`)).json()) as { positions: unknown[] };
  t.equal(miner.positions.length, simulation.validator.positionsOf(hotkey).length);
  const statistics = (await (await ask('/statistics')).json()) as {
    data: { hotkey: string; weight: { value: number } }[];
  };
  t.strictSame(
    statistics.data.map((one) => [one.hotkey, one.weight.value]),
    simulation.scoring.weights,
  );
  const files = [
    ...wholeFiles.map(([, { places, route }]) => ({ places, route })),
    ...minersFiles.flatMap(([, { places, routes }]) => routes.map(({ route }) => ({ places, route }))),
  ];
  const served: string[] = [];
  for (const { places, route } of files) {
    // What is asked of a challenge period is its bucket: validators of this generation have none.
    const isWritten = route !== BUCKETS && places.some((place) => existsSync(join(root, place)));
    const { status } = await ask(route.replace('{hotkey}', hotkey));
    t.equal(status, isWritten ? 200 : 404, route);
    if (isWritten) served.push(route);
  }
  t.strictSame(served.sort(), [
    '/eliminations',
    '/miner-copying',
    '/perf-ledger/{hotkey}',
    '/validator-checkpoint',
  ]);
});
