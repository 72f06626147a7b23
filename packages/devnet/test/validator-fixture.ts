import * as fs from 'node:fs';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseJson } from '@ptn-api/positions';
import type { JsonObject } from '@ptn-api/positions';
import { GENERATION_2025_05 } from '@ptn-api/rules';
import type { PriceSource, PricesAt, SignalAnswer } from '@ptn-api/rules';
import type { Elimination } from '@ptn-api/scoring';
import { Keypair } from '@ptn-api/wire';
import { makeTemporaryFolder } from '@ptn-api/testkit';
import type { TestScope } from '@ptn-api/testkit';
import { DurableFolder } from '../dist/validator/durable-folder.js';
import type { DurableFolderOptions, FileCalls } from '../dist/validator/durable-folder.js';
import type { Prices } from '../dist/validator/prices.js';
import { Validator } from '../dist/validator/validator.js';

/** Wednesday 2025-05-14 14:00 UTC: crypto and forex are open. */
export const WEDNESDAY_MS = 1_747_231_200_000;
/** The Saturday after: only crypto is. */
export const SATURDAY_MS = WEDNESDAY_MS + 3 * 86_400_000;

const key = (number: number): Keypair => Keypair.fromSeed(new Uint8Array(32).fill(number));
export const VALIDATOR = key(1);
export const MINER = key(2);
export const OTHER = key(3);
export const UNREGISTERED = key(4);

function event(price: number, startMs: number, lagMs: number): PriceSource {
  return {
    ...{ source: 'Polygon_ws', timespan_ms: 0, open: price, close: price, vwap: price, high: price },
    ...{ low: price, start_ms: startMs, websocket: true, lag_ms: lagMs, bid: 0, ask: 0 },
  };
}

/** Prices of a test: for each pair one price, whatever the market does. Later ones may be known of a past order. */
export class SetPrices implements Prices {
  readonly span = { fromMs: 0, toMs: Infinity };
  readonly prices = new Map<string, number>([
    ['BTCUSD', 100_000],
    ['ETHUSD', 3000],
    ['EURUSD', 1.1],
  ]);
  readonly pairIds = [...this.prices.keys()];
  /** What is known of orders a minute after them. */
  readonly later = new Map<string, number>();

  at(pairId: string, timeMs: number, knownMs = timeMs): PricesAt {
    const price = this.prices.get(pairId);
    const later = this.later.get(pairId);
    if (price === undefined) return { websocket: [], rest: [] };
    if (later !== undefined && knownMs - timeMs >= 30_000) {
      return { websocket: [event(later, timeMs, 0)], rest: [] };
    }
    return { websocket: [event(price, timeMs - 500, 500)], rest: [] };
  }

  quoteAt(): undefined {
    return undefined;
  }

  closeAt(pairId: string): number | undefined {
    return this.prices.get(pairId);
  }

  slippageFeatures() {
    return { annualizedVolatility: 0.08, averageDailyVolume: 100_000, baseToUsd: 1.1 };
  }
}

/** What stands for SIGKILL: nothing is done after it. */
export class Killed extends Error {}

/** The file system, of which single calls can be made to fail. It syncs nothing: tests cut no power. */
export class FailingCalls {
  readonly calls: FileCalls;
  /** Calls made so far. */
  made = 0;
  /** Whether the call of this number, from 1, fails; of which the name is given, too. */
  fails: (number: number, name: string) => boolean = () => false;
  /** From this call on none is made, as if the process were killed. */
  killedAt = Infinity;

  constructor() {
    const wrapped = <Args extends unknown[], R>(name: string, call: (...args: Args) => R) => {
      return (...args: Args): R => {
        this.made += 1;
        if (this.made >= this.killedAt) throw new Killed();
        if (this.fails(this.made, name)) {
          const error = new Error(`ENOSPC: no space left on device, ${name}`);
          throw Object.assign(error, { code: 'ENOSPC', errno: -28, syscall: name });
        }
        return call(...args);
      };
    };
    this.calls = Object.fromEntries(
      (
        [
          ...['closeSync', 'linkSync', 'mkdirSync'],
          ...['openSync', 'renameSync', 'unlinkSync', 'writeFileSync'],
        ] as (keyof FileCalls)[]
      ).map((name) => [name, wrapped(name, fs[name] as (...args: unknown[]) => unknown)]),
    ) as unknown as FileCalls;
    this.calls = { ...this.calls, fsyncSync: wrapped('fsyncSync', () => undefined) };
  }
}

export interface TestValidator {
  readonly validator: Validator;
  readonly prices: SetPrices;
  readonly root: string;
  readonly folder: DurableFolder;
  readonly warnings: string[];
  /** Sends a signal as {@link MINER}, or as another. */
  readonly send: (signal: string, nowMs: number, uuid?: string, hotkey?: string) => SignalAnswer;
}

export interface ValidatorParts extends DurableFolderOptions {
  readonly root?: string;
  readonly hotkey?: string;
}

/** A validator over a folder: an empty one, or the one of an earlier validator. */
export function makeValidator(
  scope: TestScope,
  { root = makeTemporaryFolder(scope), hotkey = VALIDATOR.address, ...options }: ValidatorParts = {},
): TestValidator {
  const folder = new DurableFolder(root, options);
  const prices = new SetPrices();
  const warnings: string[] = [];
  let made = 0;
  const validator = new Validator({
    hotkey,
    generation: GENERATION_2025_05,
    folder,
    prices,
    newUuid: () => `made-${++made}`,
    warn: (text) => warnings.push(text),
  });
  validator.load();
  validator.setRegistered([MINER.address, OTHER.address]);
  let sent = 0;
  return {
    ...{ validator, prices, root, folder, warnings },
    send: (signal, nowMs, uuid = `order-${nowMs}-${++sent}`, hotkey = MINER.address) =>
      validator.submit({ hotkey, signal: parseJson(signal) as JsonObject, uuid }, nowMs),
  };
}

export function signalText(pair: string, type: string, leverage: number | string): string {
  return `{"trade_pair": {"trade_pair_id": "${pair}"}, "order_type": "${type}", "leverage": ${leverage}}`;
}

/** Every file below a folder with its content, drafts left out. */
export function contentsOf(root: string, below = 'validation/miners'): Record<string, string> {
  const contents: Record<string, string> = {};
  const names = fs.existsSync(join(root, below))
    ? readdirSync(join(root, below), { recursive: true, encoding: 'utf8' }).sort()
    : [];
  for (const name of names) {
    const path = join(root, below, name);
    if (statSync(path).isFile()) contents[name] = readFileSync(path, 'utf8');
  }
  return contents;
}

export const LONG = signalText('BTCUSD', 'LONG', 0.1);
export const FLAT = signalText('BTCUSD', 'FLAT', 0);

/** Looks at all positions, as once in a minute. */
export function refresh({ validator }: TestValidator, nowMs: number): void {
  Array.from(validator.refresh(nowMs));
}

export function eliminationOf(hotkey: string): Elimination {
  return { hotkey, elimination_initiated_time_ms: WEDNESDAY_MS, dd: 10.5, reason: 'MAX_TOTAL_DRAWDOWN' };
}

/** The file of a position of {@link MINER}, below the folder of all miners. */
export function place(state: 'open' | 'closed', uuid: string, pair = 'BTCUSD'): string {
  return `${MINER.address}/positions/${pair}/${state}/${uuid}`;
}

/** The files of all positions, below the folder of all miners. */
export function namesIn(root: string): string[] {
  return Object.keys(contentsOf(root));
}
