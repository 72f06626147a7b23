import { rebuildPosition } from '@ptn-api/positions';
import type { Order, Position } from '@ptn-api/protocol';
import { CHECKPOINT_DEFAULTS, PORTFOLIO } from '@ptn-api/scoring';
import type { Checkpoint, PerfLedger } from '@ptn-api/scoring';
import { makePtnRoot } from '@ptn-api/testkit';
import type { PtnRoot, TestScope } from '@ptn-api/testkit';

const DAY_MS = 86_400_000;
/** Thursday 2025-05-01, when the newest ledger ends. */
export const AT_MS = Date.UTC(2025, 4, 1);

/** A miner of a folder that is scored. */
export interface FolderMiner {
  readonly hotkey: string;
  /** The log return of each day, the last one ending at `AT_MS`. */
  readonly days: readonly number[];
  readonly mdd: number;
  readonly bucket: 'testing' | 'success';
}

/** Hotkeys look alike behind their first letters, as real ones do not. */
export function hotkeyOf(index: number): string {
  return `5${String.fromCharCode(65 + index)}ptn${'x'.repeat(40)}${String(index).padStart(2, '0')}`;
}

/** Members and candidates of unlike skill: the same in every run. */
export function sampleMiners(count = 12): FolderMiner[] {
  return Array.from({ length: count }, (_, index) => ({
    hotkey: hotkeyOf(index),
    days: Array.from(
      { length: index % 5 === 4 ? 20 : 70 },
      (_day, day) => 0.0004 * (index - 4) + 0.004 * Math.sin(day * (index + 1.3)),
    ),
    mdd: 0.985 - 0.005 * (index % 6),
    bucket: index % 3 === 2 ? 'testing' : 'success',
  }));
}

export function ledgerOf({ days, mdd }: FolderMiner): PerfLedger {
  const cps = days.flatMap((value, day): Checkpoint[] => {
    const startMs = AT_MS - (days.length - day) * DAY_MS;
    return [1, 2].map((half) => ({
      ...CHECKPOINT_DEFAULTS,
      last_update_ms: startMs + (half * DAY_MS) / 2,
      accum_ms: DAY_MS / 2,
      open_ms: DAY_MS / 2,
      gain: Math.max(value, 0) / 2,
      loss: Math.min(value, 0) / 2,
      mdd,
    }));
  });
  return {
    initialization_time_ms: AT_MS - days.length * DAY_MS,
    max_return: 1.1,
    target_cp_duration_ms: DAY_MS / 2,
    target_ledger_window_ms: 90 * DAY_MS,
    cps,
  };
}

/** A position from the miner's first day that was closed after an hour. */
export function positionOf({ hotkey, days }: FolderMiner): Position {
  const openMs = AT_MS - days.length * DAY_MS;
  const order = (changes: Partial<Order>): Order => ({
    order_type: 'LONG',
    leverage: 0.1,
    price: 100,
    bid: 0,
    ask: 0,
    slippage: 0,
    processed_ms: openMs,
    order_uuid: `${hotkey}-open`,
    price_sources: [],
    src: 0,
    ...changes,
  });
  const close = { order_type: 'FLAT', leverage: -0.1, processed_ms: openMs + 3_600_000, price: 101 } as const;
  return rebuildPosition(
    {
      miner_hotkey: hotkey,
      position_uuid: `${hotkey}-position`,
      trade_pair: ['BTCUSD', 'BTC/USD', 0.003, 0.01, 0.5],
    },
    [order({}), order({ ...close, order_uuid: `${hotkey}-close` })],
  );
}

export const ELIMINATED = {
  hotkey: '5Zgone',
  elimination_initiated_time_ms: AT_MS - DAY_MS,
  dd: 10.5,
  reason: 'MAX_TOTAL_DRAWDOWN',
};

/** What the files of a validator hold, to be changed before they are written. */
export interface FolderContent {
  ledgers: Record<string, unknown>;
  challenge: unknown;
  eliminations: unknown;
  positions: Position[];
}

export function contentOf(miners: readonly FolderMiner[]): FolderContent {
  const bucket = (name: FolderMiner['bucket']): Record<string, number> =>
    Object.fromEntries(
      miners
        .filter((miner) => miner.bucket === name)
        .map(({ hotkey, days }) => [hotkey, AT_MS - days.length * DAY_MS]),
    );
  return {
    ledgers: Object.fromEntries(miners.map((miner) => [miner.hotkey, { [PORTFOLIO]: ledgerOf(miner) }])),
    challenge: { testing: bucket('testing'), success: bucket('success') },
    eliminations: { eliminations: [ELIMINATED] },
    positions: miners.map(positionOf),
  };
}

/** A validator's folder; `undefined` leaves a file out, a text is written as it is. */
export function writeFolder(
  scope: TestScope,
  { ledgers, challenge, eliminations, positions }: FolderContent,
): PtnRoot {
  const root = makePtnRoot(scope, { positions });
  const files = { perf_ledgers: ledgers, challengeperiod: challenge, eliminations };
  for (const [name, content] of Object.entries(files)) {
    if (content === undefined) continue;
    root.writeFile(
      `validation/${name}.json`,
      typeof content === 'string' ? content : JSON.stringify(content),
    );
  }
  return root;
}

/** The same content as a checkpoint. */
export function checkpointOf({ ledgers, challenge, eliminations, positions }: FolderContent): unknown {
  const byMiner = new Map<string, Position[]>();
  for (const position of positions) {
    byMiner.set(position.miner_hotkey, [...(byMiner.get(position.miner_hotkey) ?? []), position]);
  }
  return {
    challengeperiod: challenge,
    ...(eliminations as object),
    positions: Object.fromEntries([...byMiner].map(([hotkey, own]) => [hotkey, { positions: own }])),
    perf_ledgers: Object.fromEntries(
      Object.entries(ledgers).map(([hotkey, bundle]) => [
        hotkey,
        (bundle as Record<string, unknown>)[PORTFOLIO],
      ]),
    ),
  };
}
