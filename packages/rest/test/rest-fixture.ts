import type { ServedFileName } from '@ptn-api/runtime';
import { PublishedMiners } from '../../feed/dist/positions/published-miners.js';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { EncodedValue, Segment } from '@ptn-api/positions';
import { deflateSegment } from '@ptn-api/positions';
import { keyDigest } from '@ptn-api/access';
import type { KeyTier, Tier } from '@ptn-api/protocol';
import { pino } from 'pino';
import type { Test } from 'tap';
import { buildApp } from '../dist/app.js';
import type { AppOptions } from '../dist/app.js';
import type { OrderLogReader } from '../../order-log/dist/order-log.js';
import { Connections } from '../dist/connections.js';
import { Snapshots } from '../dist/snapshots/snapshots.js';
import type {
  AnyTransaction,
  DocumentValue,
  KeyGrant,
  PositionsHead,
  StatisticsMiner,
  Transaction,
} from '../../runtime/dist/ipc/messages.js';

/** Tests run compiled, from `dist-test/`. */
export const FIXTURES = new URL('../fixtures/http/', import.meta.url);
export const MODIFIED_MS = Date.UTC(2025, 10, 10, 16, 47, 14);

export function readFixture(path: string): string {
  return readFileSync(new URL(path, FIXTURES), 'utf8');
}

// --- positions ------------------------------------------------------------------------------------------------------

/** A miner's value as the feed sends it: settled positions, then the live ones of each tier and the summary. */
export function minerValue(
  settled: readonly unknown[],
  live: Readonly<Record<Tier, readonly unknown[]>>,
  summary: Readonly<Record<string, unknown>> = {},
): EncodedValue {
  const texts = (positions: readonly unknown[]) => positions.map((position) => JSON.stringify(position));
  const segment = (tier: Tier): Segment => {
    const before = settled.length > 0 && live[tier].length > 0 ? ', ' : '';
    const fields = JSON.stringify({ ...summary, tier }).slice(1);
    return deflateSegment(`${before}${texts(live[tier]).join(', ')}], ${fields}`);
  };
  return {
    settled: [deflateSegment('{"positions": ['), deflateSegment(texts(settled).join(', '))],
    live: { 0: [segment(0)], 30: [segment(30)], 50: [segment(50)], 100: [segment(100)] },
  };
}

/** A miner with one live position at tier 100, named so that a test can tell values apart. */
export function namedMiner(name: string): EncodedValue {
  return minerValue([], { 0: [], 30: [], 50: [], 100: [{ position_uuid: name }] });
}

export interface PositionsChange {
  readonly generation: number;
  readonly hotkeys: readonly string[];
  readonly put?: Readonly<Record<string, EncodedValue>>;
  readonly remove?: readonly string[];
  readonly reset?: boolean;
  readonly head?: Partial<PositionsHead>;
}

/** @param feed what the feed knows of earlier ones; by default it has just been started */
export function positionsTransaction(
  change: PositionsChange,
  feed = new PublishedMiners(),
): Transaction<'positions'> {
  const changes = [
    ...(change.remove ?? []).map((hotkey) => feed.remove(hotkey)),
    ...Object.entries(change.put ?? {}).map(([hotkey, value]) => feed.put(hotkey, value, change.generation)),
  ];
  const head: PositionsHead = {
    kind: 'positions-head',
    generation: change.generation,
    source: 'tree',
    hotkeys: change.hotkeys,
    modifiedMs: MODIFIED_MS,
    ...change.head,
  };
  return {
    topic: 'positions',
    reset: change.reset ?? false,
    put: [['head', head], ...changes.flatMap(({ put }) => put)],
    remove: changes.flatMap(({ remove }) => remove),
  };
}

interface FixturePosition {
  readonly is_closed_position: boolean;
}

/** The dashboard map of the fixtures; open positions are shown at tier 100 alone. */
export function fixturePositions(generation = 1): Transaction<'positions'> {
  const map = JSON.parse(readFixture('root/validation/outputs/output.json')) as Record<
    string,
    { positions: FixturePosition[] } & Record<string, unknown>
  >;
  const put = Object.entries(map).map(([hotkey, { positions, ...summary }]): [string, EncodedValue] => {
    const closed = positions.filter((position) => position.is_closed_position);
    const open = positions.filter((position) => !position.is_closed_position);
    return [hotkey, minerValue(closed, { 0: [], 30: [], 50: [], 100: open }, summary)];
  });
  return positionsTransaction({
    generation,
    hotkeys: Object.keys(map),
    put: Object.fromEntries(put),
    reset: true,
    head: { source: 'outputs' },
  });
}

// --- the other topics -----------------------------------------------------------------------------------------------

/** A statistics file as the feed sends it. */
export function statisticsTransaction(text: string): Transaction<'statistics'> {
  const { data, ...rest } = JSON.parse(text) as { data: Record<string, unknown>[] } & Record<string, unknown>;
  const head = JSON.stringify(rest).slice(0, -1);
  const miners = data.map(({ checkpoints, ...base }): [string, StatisticsMiner] => [
    `miner:${String(base['hotkey'])}`,
    {
      kind: 'statistics-miner',
      base: deflateSegment(JSON.stringify(base).slice(0, -1)),
      ...(checkpoints === undefined
        ? {}
        : { checkpoints: deflateSegment(`, "checkpoints": ${JSON.stringify(checkpoints)}`) }),
    },
  ]);
  return {
    topic: 'statistics',
    reset: true,
    put: [
      [
        'head',
        {
          kind: 'statistics-head',
          generation: 1,
          hotkeys: data.map((element) => String(element['hotkey'])),
          head: deflateSegment(`${head}${head === '{' ? '' : ', '}"data": [`),
          tail: deflateSegment(']}'),
          modifiedMs: MODIFIED_MS,
        },
      ],
      ...miners,
    ],
    remove: [],
  };
}

export function documentTransaction(name: ServedFileName, text: string): AnyTransaction {
  const value: DocumentValue = {
    kind: 'document',
    gzip: gzipSync(text),
    sizeBytes: Buffer.byteLength(text),
    digest: createHash('sha256').update(text).digest('base64url').slice(0, 22),
    modifiedMs: MODIFIED_MS,
  };
  return { topic: 'documents', reset: false, put: [[name, value]], remove: [] };
}

export function feedHealth(up: boolean): AnyTransaction {
  return {
    topic: 'health',
    reset: false,
    put: [['feed', { kind: 'feed-health', up, sinceMs: MODIFIED_MS }]],
    remove: [],
  };
}

/** Everything in the fixtures' folder. */
export function fixtureTransactions(): AnyTransaction[] {
  return [
    fixturePositions(),
    statisticsTransaction(readFixture('root/runnable/minerstatistics.json')),
    documentTransaction('eliminations', readFixture('root/validation/eliminations.json')),
    documentTransaction('checkpoint', readFixture('root/runnable/validator_checkpoint.json')),
    documentTransaction('miner-copying', readFixture('root/validation/miner_copying.json')),
    feedHealth(true),
  ];
}

// --- keys and app ---------------------------------------------------------------------------------------------------

/** What the fixtures' key file grants, and `xxxx`, the key of the first generation's server. */
const ACCESS: Readonly<Record<string, Tier>> = {
  'key-tier0': 0,
  'key-tier30': 30,
  'key-tier50': 50,
  'key-tier75': 50,
  'key-tier100': 100,
  'key-legacy': 100,
  'key-notier': 0,
  'key-strtier': 100,
  'key with space': 100,
  xxxx: 100,
};

export function grant(key: string, tier: KeyTier): KeyGrant {
  return { sha256: keyDigest(key), userId: 'somebody', tier };
}

export function keysTransaction(entries: readonly KeyGrant[]): AnyTransaction {
  return { topic: 'keys', reset: true, put: [['ring', { kind: 'keys', entries }]], remove: [] };
}

export interface LogLine {
  readonly level: number;
  readonly reqId?: string;
  readonly event?: string;
  readonly route?: string;
  readonly err?: { readonly message: string };
}

export interface TestApp {
  readonly app: ReturnType<typeof buildApp>;
  readonly snapshots: Snapshots;
  readonly connections: Connections;
  /** Everything logged so far but the lines of single requests. */
  readonly logged: LogLine[];
  /** The lines of single requests. */
  readonly requests: LogLine[];
}

const INFO = pino.levels.values['info'] ?? 30;

/** An app over these transactions, closed when the test ends. */
export function testApp(
  t: Test,
  transactions: readonly AnyTransaction[] = fixtureTransactions(),
  orders?: () => OrderLogReader | undefined,
  options: Pick<AppOptions, 'maxStalenessMs' | 'dashboardFiles' | 'publicWsUrl' | 'limits' | 'forward'> = {},
): TestApp {
  const snapshots = new Snapshots();
  snapshots.apply([
    keysTransaction(Object.entries(ACCESS).map(([key, tier]) => grant(key, tier))),
    ...transactions,
  ]);
  const logged: LogLine[] = [];
  const requests: LogLine[] = [];
  const log = pino(
    { level: 'debug' },
    {
      write: (text) => {
        const line = JSON.parse(text) as LogLine;
        if (line.event === 'request') requests.push(line);
        else if (line.level >= INFO) logged.push(line);
      },
    },
  );
  const app = buildApp({
    snapshots,
    log,
    ...(orders === undefined ? {} : { orders }),
    ...options,
    isDraining: () => connections.isDraining,
    ...options,
  });
  const connections = new Connections(app.server);
  t.teardown(() => app.close());
  return { app, snapshots, connections, logged, requests };
}

export const BEARER = { authorization: 'Bearer key-tier100' };
