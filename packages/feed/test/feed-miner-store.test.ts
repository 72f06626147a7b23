/** What the store makes of what is reported to it, without source, thread or timer. */
import { encodeMiner } from '@ptn-api/positions';
import { makePtnRoot, positionPath } from '@ptn-api/testkit';
import type { PtnRoot } from '@ptn-api/testkit';
import { pino } from 'pino';
import t from 'tap';
import { MinerStore } from '../dist/positions/miner-store.js';
import type { OrderSink } from '../dist/positions/miner-store.js';
import { PositionsClock } from '../dist/positions/positions-clock.js';
import { loadMiner } from '../dist/tasks/load-miner.js';
import { readPositions } from '../dist/tasks/read-positions.js';
import { HOUR_MS, trade } from './feed-fixture.ts';

const HOTKEY = 'miner-a';
const MINERS = 'validation/miners';
const startMs = Date.now();

/** A store over the files of a root, an order log of which the test says what it holds, and a clock that it sets. */
class TestedStore {
  nowMs = startMs;
  last = 0;
  fault: Error | null = null;
  readonly observed: string[] = [];
  readonly store: MinerStore;
  readonly #root: PtnRoot;

  constructor(root: PtnRoot) {
    this.#root = root;
    const orders: OrderSink = {
      horizonMs: 0,
      observe: (_hotkey, { facts }) => {
        if (this.fault !== null) throw this.fault;
        this.observed.push(...facts.orderUuids);
      },
      store: () => Promise.resolve(),
      completeTo: () => ({ epoch: 'e', oldest: 1, last: this.last }),
    };
    this.store = new MinerStore({
      clock: new PositionsClock(() => this.nowMs),
      log: pino({ level: 'silent' }),
      strip: true,
      orders: () => orders,
    });
  }

  /** As the tree source does when it is asked. */
  read(readAtMs = this.nowMs): void {
    const root = this.#root.join(MINERS);
    const loaded = loadMiner({ root, hotkey: HOTKEY, now: readAtMs, strip: true, ordersSinceMs: 0 });
    this.store.minersRead([loaded], readAtMs);
  }

  /** Does what there is to do until the miner is encoded. Returns the steps. */
  encode(): string[] {
    const steps: string[] = [];
    for (;;) {
      const step = this.store.nextStep(HOTKEY);
      steps.push(step.kind);
      if (step.kind === 'remove') return steps;
      if (step.kind === 'read') this.read();
      else if (this.store.encoded(HOTKEY, step.plan, encodeMiner(step.plan.input)) !== null) return steps;
    }
  }

  publish(): number | undefined {
    const claim = this.store.claim(this.store.readTo());
    this.store.published();
    return claim?.last;
  }
}

function started(root: PtnRoot): TestedStore {
  const tested = new TestedStore(root);
  tested.store.minersFound([HOTKEY]);
  t.same(tested.encode(), ['read', 'encode']);
  tested.publish();
  t.same(tested.store.due(), []);
  return tested;
}

const open = (...times: number[]) =>
  trade({ uuid: 'open', hotkey: HOTKEY, times: [startMs - HOUR_MS, ...times] });

void t.test('where the order log cannot say whether an order is new, its miner is read again', (t) => {
  const root = makePtnRoot(t, { positions: [open()] });
  const tested = started(root);
  root.writePosition(open(startMs));
  const path = positionPath(open()).slice(MINERS.length + 1);
  const reads = readPositions({ root: root.join(MINERS), files: [{ path }] });
  tested.fault = new Error('the log does not answer');
  t.throws(() => {
    tested.store.filesRead(reads, 0);
  }, tested.fault);
  tested.fault = null;
  t.same(tested.store.due(), [HOTKEY]);
  tested.observed.length = 0;
  t.same(tested.encode(), ['read', 'encode'], 'the file itself is the same when it is read again');
  t.same(tested.observed, ['open-order-0', 'open-order-1']);
  t.end();
});

void t.test('a reading by a time that no longer holds is followed by another one', (t) => {
  const closed = trade({
    uuid: 'closed',
    hotkey: HOTKEY,
    times: [startMs - 60 * HOUR_MS, startMs - 23 * HOUR_MS],
    closed: true,
  });
  const tested = started(makePtnRoot(t, { positions: [closed] }));
  // The clock was set back before the reading was done.
  tested.read(startMs + 2 * HOUR_MS);
  t.same(tested.encode(), ['read', 'encode']);
  t.same(tested.encode(), ['encode'], 'and by no further one');
  t.end();
});

void t.test('a claim goes no further than in a miner that could not be encoded', (t) => {
  const tested = started(makePtnRoot(t, { positions: [open()] }));
  tested.last = 1;
  t.ok(tested.store.hasNewClaim());
  t.equal(tested.publish(), 1);
  tested.store.minersFound([HOTKEY]);
  tested.last = 2;
  tested.store.nextStep(HOTKEY);
  tested.read();
  t.equal(tested.store.nextStep(HOTKEY).kind, 'encode');
  tested.store.encodingFailed(HOTKEY, new Error('the thread died'));
  t.equal(tested.publish(), 1);
  t.notOk(tested.store.hasNewClaim());
  t.same(tested.store.due(), [], 'it is tried again later');
  t.equal(tested.store.unpublishedSinceMs, Infinity, 'and keeps nobody from being up to date');
  t.same(tested.encode(), ['read', 'encode']);
  t.equal(tested.publish(), 2);
  t.end();
});

void t.test('where publishing fails nothing is known to be there', (t) => {
  const tested = started(makePtnRoot(t, { positions: [open()] }));
  tested.last = 3;
  tested.store.publishingFailed();
  t.same(tested.store.due(), [HOTKEY]);
  t.equal(tested.store.claim(tested.store.readTo())?.last, 0);
  tested.encode();
  t.equal(tested.publish(), 3);
  t.end();
});
