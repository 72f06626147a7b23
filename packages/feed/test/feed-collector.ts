import { join } from 'node:path';
import { inflateSegment } from '@ptn-api/positions';
import type { DashboardMap, Tier } from '@ptn-api/protocol';
import pino from 'pino';
import type { ServerConfig } from '../../runtime/dist/config.js';
import { Feed } from '../dist/feed.js';
import type { FeedOptions } from '../dist/feed.js';
import { segmentKey } from '../../runtime/dist/ipc/messages.js';
import type {
  AnyTransaction,
  MinerValue,
  PositionsHead,
  SegmentValue,
} from '../../runtime/dist/ipc/messages.js';
import { RetainedState } from '../../runtime/dist/ipc/retained.js';

interface Scope {
  teardown(action: () => Promise<void>): void;
}

/** One miner's value at a tier, or undefined. */
export function minerText(retained: RetainedState, hotkey: string, tier: Tier): string | undefined {
  const value = retained.get('positions', `miner:${hotkey}`) as MinerValue | undefined;
  const texts =
    value &&
    [...value.settled, ...value.live[tier]].map((reference) => {
      if (typeof reference !== 'string') return inflateSegment(reference).toString();
      const { segment } = retained.get('positions', segmentKey(hotkey, reference)) as SegmentValue;
      return inflateSegment(segment).toString();
    });
  return texts?.join('');
}

/** A feed in this process, and everything it has published. */
export class FeedUnderTest {
  readonly retained = new RetainedState();
  readonly transactions: AnyTransaction[] = [];
  readonly logged: Record<string, unknown>[] = [];
  readonly feed: Feed;

  constructor(
    scope: Scope,
    ptnRoot: string,
    config: Partial<ServerConfig> = {},
    options: Pick<Partial<FeedOptions>, 'pool' | 'now' | 'publish' | 'alert'> = {},
  ) {
    const stream = {
      write: (line: string) => void this.logged.push(JSON.parse(line) as Record<string, unknown>),
    };
    this.feed = new Feed({
      config: {
        ptnRoot,
        stateDir: join(ptnRoot, '.ptn-api'),
        orderRetentionMs: 7 * 86_400_000,
        orderRetentionCount: 1_000_000,
        orderRetentionBytes: 4 * 2 ** 30,
        isTakeover: false,
        positionsSource: 'auto',
        watch: 'auto',
        ...config,
      } as ServerConfig,
      lastGeneration: 0,
      log: pino({ level: 'debug' }, stream),
      ...options,
      publish: async (transactions) => {
        await options.publish?.(transactions);
        this.transactions.push(...structuredClone(transactions));
        this.retained.applyAll(transactions);
      },
    });
    scope.teardown(() => this.feed.close());
  }

  head(): PositionsHead {
    return this.retained.get('positions', 'head') as PositionsHead;
  }

  /** One miner's value at a tier, or undefined. */
  minerText(hotkey: string, tier: Tier): string | undefined {
    return minerText(this.retained, hotkey, tier);
  }

  mapText(tier: Tier): string {
    const values = this.head().hotkeys.map(
      (hotkey) => `${JSON.stringify(hotkey)}: ${this.minerText(hotkey, tier) ?? 'missing'}`,
    );
    return `{${values.join(', ')}}`;
  }

  map(tier: Tier): DashboardMap {
    return JSON.parse(this.mapText(tier)) as DashboardMap;
  }

  /** The uuids of a miner's positions at a tier. */
  uuids(hotkey: string, tier: Tier = 100): string[] {
    const text = this.minerText(hotkey, tier);
    if (text === undefined) return [];
    return (JSON.parse(text) as DashboardMap[string]).positions.map((position) => position.position_uuid);
  }

  events(name: string): Record<string, unknown>[] {
    return this.logged.filter((line) => line['event'] === name);
  }
}
