import t from 'tap';
import { connectionKey } from '../../runtime/dist/ipc/messages.js';
import type {
  AnyTransaction,
  ServingRole,
  Transaction,
  WsConnection,
} from '../../runtime/dist/ipc/messages.js';
import { Broker } from '../dist/broker.js';
import type { Publisher } from '../dist/broker.js';
import { feedSpec, memoryLog, restSpec, wsSpec } from './supervisor-fixture.ts';
import type { LogLine } from './supervisor-fixture.ts';

const FEED: Publisher = { spec: feedSpec(), pid: 10 };
const REST: Publisher = { spec: restSpec(1), pid: 11 };
const WS: Publisher = { spec: wsSpec(1), pid: 12 };
/** Its id begins as that of the other. */
const OTHER_WS: Publisher = { spec: wsSpec(2), pid: 123 };

const CONNECTION: WsConnection = { kind: 'ws-connection', userDigest: 'ab', sinceMs: 1 };

interface TestBroker {
  readonly broker: Broker;
  readonly sent: [role: ServingRole, transactions: readonly AnyTransaction[]][];
  readonly lines: readonly LogLine[];
}

function makeBroker(): TestBroker {
  const { log, lines } = memoryLog();
  const sent: TestBroker['sent'] = [];
  const broker = new Broker({ log, forward: (role, transactions) => sent.push([role, transactions]) });
  return { broker, sent, lines };
}

function connections(
  put: readonly string[],
  over: Partial<Transaction<'connections'>> = {},
): Transaction<'connections'> {
  return {
    topic: 'connections',
    reset: false,
    put: put.map((key) => [key, CONNECTION]),
    remove: [],
    ...over,
  };
}

function ordersOf(last: number): Transaction<'orders'> {
  const head = { kind: 'orders-head', epoch: 'e', oldest: 1, last, path: '/log' } as const;
  return { topic: 'orders', reset: false, put: [['head', head]], remove: [] };
}

function connectionKeys(broker: Broker): unknown[] {
  return broker
    .snapshot('ws')
    .flatMap(({ topic, put }) => (topic === 'connections' ? put.map(([key]) => key) : []));
}

void t.test('the orders of the feed are told to all who serve', (t) => {
  const { broker, sent } = makeBroker();
  broker.publishFor(FEED, [ordersOf(5)]);
  t.same(sent, [
    ['rest', [ordersOf(5)]],
    ['ws', [ordersOf(5)]],
  ]);
  t.same(broker.snapshot('rest'), [{ ...ordersOf(5), reset: true }]);
  t.end();
});

void t.test('connections are told to WebSocket workers alone, at once and when they come online', (t) => {
  const { broker, sent } = makeBroker();
  const published = connections([connectionKey(12, 1)]);
  broker.publishFor(WS, [published]);
  t.same(sent, [['ws', [published]]]);
  t.same(broker.snapshot('ws'), [{ ...published, reset: true }]);
  t.same(broker.snapshot('rest'), []);
  t.end();
});

void t.test('the connections of a process are forgotten, those of others stay', (t) => {
  const { broker, sent } = makeBroker();
  broker.publishFor(WS, [connections(['12:1', '12:2'])]);
  broker.publishFor(OTHER_WS, [connections(['123:1'])]);
  sent.length = 0;
  broker.forgetConnections(12);
  t.same(sent, [['ws', [connections([], { remove: ['12:1', '12:2'] })]]]);
  t.same(connectionKeys(broker), ['123:1']);

  broker.forgetConnections(12);
  t.equal(sent.length, 1, 'nothing is published where nothing has changed');
  t.end();
});

const REFUSED: readonly (readonly [what: string, Publisher, AnyTransaction])[] = [
  ['REST publishes connections', REST, connections(['11:1'])],
  ['the feed publishes connections', FEED, connections(['10:1'])],
  ['a WebSocket worker publishes orders', WS, ordersOf(6)],
  ['a WebSocket worker puts a connection of another', WS, connections(['123:2'])],
  ['a WebSocket worker removes a connection of another', WS, connections([], { remove: ['123:1'] })],
  ['a WebSocket worker forgets all connections', WS, connections([], { reset: true })],
  [
    'the feed publishes keys',
    FEED,
    { topic: 'keys', reset: false, put: [['ring', { kind: 'keys', entries: [] }]], remove: [] },
  ],
];
for (const [what, publisher, transaction] of REFUSED) {
  void t.test(`refused as a whole and logged: ${what}`, (t) => {
    const { broker, sent, lines } = makeBroker();
    broker.publishFor(OTHER_WS, [connections(['123:1'])]);
    broker.publishFor(FEED, [ordersOf(5)]);
    const before = broker.snapshot('ws');
    sent.length = 0;
    const allowed =
      publisher.spec.role === 'feed' ? ordersOf(7) : connections([connectionKey(publisher.pid ?? 0, 9)]);
    broker.publishFor(publisher, [allowed, transaction]);
    t.same(broker.snapshot('ws'), before);
    t.same(sent, []);
    const expected = { event: 'publish-refused', worker: publisher.spec.id, level: 50 };
    t.match(lines, [expected]);
    t.end();
  });
}
