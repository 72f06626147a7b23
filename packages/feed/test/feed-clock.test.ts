import { TIERS } from '@ptn-api/protocol';
import type { DashboardMap, Position, Tier } from '@ptn-api/protocol';
import { makePtnRoot, waitFor } from '@ptn-api/testkit';
import pino from 'pino';
import t from 'tap';
import { MinerStore } from '../dist/positions/miner-store.js';
import { OutputsSource } from '../dist/positions/outputs-source.js';
import { PositionsClock } from '../dist/positions/positions-clock.js';
import { PositionsFeed } from '../dist/positions/positions-feed.js';
import { TreeSource } from '../dist/positions/tree-source.js';
import { createTaskPool } from '../dist/task-pool.js';
import type { PositionsHead } from '../../runtime/dist/ipc/messages.js';
import { RetainedState } from '../../runtime/dist/ipc/retained.js';
import { minerText } from './feed-collector.ts';
import { HOUR_MS, trade } from './feed-fixture.ts';

type Source = 'tree' | 'outputs';

interface Scope {
  teardown(action: () => void | Promise<void>): void;
}

const log = pino({ level: 'silent' });
const startMs = Date.now();
const at = (hoursAgo: number): number => startMs - hoursAgo * HOUR_MS;

const old = trade({ uuid: 'old', times: [at(90), at(80)], closed: true });
/** Settled for half an hour. */
const justSettled = trade({ uuid: 'just-settled', times: [at(60), at(24.5)], closed: true });
const grown = trade({ uuid: 'grown', times: [at(60), at(24.5)] });
const hidden = trade({ uuid: 'hidden', times: [at(23), at(1)], closed: true });
const positions = [old, justSettled, hidden, grown];

/** The feed of the positions with a clock that the test sets. */
class ClockedFeed {
  nowMs = startMs;
  readonly retained = new RetainedState();
  readonly feed: PositionsFeed;
  readonly store: MinerStore;
  readonly #source: TreeSource | OutputsSource;

  constructor(scope: Scope, kind: Source) {
    const root = makePtnRoot(scope);
    if (kind === 'tree') for (const position of positions) root.writePosition(position);
    else root.writeOutputs(JSON.stringify({ 'miner-a': { positions, thirty_day_returns: 1 } }));
    const clock = new PositionsClock(() => this.nowMs);
    this.store = new MinerStore({ log, clock, strip: kind === 'tree', orders: () => null });
    const pool = createTaskPool(1);
    const options = { store: this.store, clock, pool, log, mode: 'poll' } as const;
    this.#source =
      kind === 'tree'
        ? new TreeSource({ ...options, root: root.join('validation/miners') })
        : new OutputsSource({ ...options, ptnRoot: root.path });
    this.feed = new PositionsFeed({
      ...options,
      source: this.#source,
      lastGeneration: 0,
      publish: (transaction) => {
        this.retained.apply(transaction);
        return Promise.resolve();
      },
    });
    scope.teardown(async () => {
      await this.#source.close();
      await this.feed.close();
      await pool.close();
    });
  }

  async start(): Promise<void> {
    await this.#source.start();
    await this.feed.start();
  }

  generation(): number {
    return (this.retained.get('positions', 'head') as PositionsHead).generation;
  }

  shown(tier: Tier): readonly Position[] {
    const text = minerText(this.retained, 'miner-a', tier) ?? '';
    return (JSON.parse(text) as DashboardMap[string]).positions;
  }

  /** `uuid:orders`, with `!` for a closed one, in the order of the answer. */
  summary(tier: Tier): string {
    return this.shown(tier)
      .map(
        ({ position_uuid: uuid, orders, is_closed_position: isClosed }) =>
          `${uuid}:${orders.length}${isClosed ? '!' : ''}`,
      )
      .join(' ');
  }
}

const ALL = 'old:2! just-settled:2! hidden:2! grown:2';
const AT_START = 'old:2! just-settled:2! grown:2';
/** By a clock that is 2 h slow, the last orders of two positions are 22.5 h old: they are shown without. */
const SET_BACK = 'old:2! just-settled:1 grown:1';

for (const source of ['tree', 'outputs'] as const) {
  await t.test(`${source}: the clock is set back by 2 h and forward again`, async (t) => {
    const tested = new ClockedFeed(t, source);
    await tested.start();
    t.equal(tested.summary(0), AT_START);
    t.equal(tested.summary(100), ALL);
    const before = tested.generation();

    tested.nowMs = startMs - 2 * HOUR_MS;
    await waitFor(() => tested.summary(0) === SET_BACK, {
      what: () => `what settled is hidden again, shown is ${tested.summary(0)}`,
    });
    t.equal(tested.summary(100), ALL, 'tier 100 loses nothing');
    t.ok(tested.generation() > before, 'generations go on rising');
    const settledMs = tested.generation();

    tested.nowMs = startMs;
    await waitFor(() => tested.summary(0) === AT_START, {
      what: () => `it is shown again, shown is ${tested.summary(0)}`,
    });
    t.equal(tested.summary(100), ALL);
    t.ok(tested.generation() > settledMs);
  });

  await t.test(`${source}: the clock goes forward by 2 days: every tier shows all`, async (t) => {
    const tested = new ClockedFeed(t, source);
    await tested.start();
    tested.nowMs = startMs + 48 * HOUR_MS;
    await waitFor(() => tested.summary(0) === ALL, {
      what: () => `all is shown, shown is ${tested.summary(0)}`,
    });
    for (const tier of TIERS) t.equal(tested.summary(tier), ALL, `tier ${tier}`);
  });
}

await t.test('a clock that is set back by seconds changes nothing', async (t) => {
  const tested = new ClockedFeed(t, 'tree');
  await tested.start();
  const before = tested.generation();
  tested.nowMs = startMs - 4000;
  tested.store.minersFound([]);
  await waitFor(() => tested.generation() > before, { what: 'a generation' });
  t.equal(tested.summary(0), AT_START);
  t.equal(tested.generation(), before + 1);
});
