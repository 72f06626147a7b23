import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Scoring, scoringRows } from '@ptn-api/devnet';
import type { ClosePrices } from '@ptn-api/devnet';
import { SCORING_GENERATIONS } from '@ptn-api/scoring';
import type { Generation } from '@ptn-api/scoring';
import { makeTemporaryFolder } from '@ptn-api/testkit';
import type { TestScope } from '@ptn-api/testkit';
import { PaperFolder, PaperValidator } from './paper-validator.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
/** Monday. */
export const START_MS = Date.UTC(2025, 4, 5);

const rules = SCORING_GENERATIONS['2025-05'];
/** Two trading days are enough, and four days the limit. */
export const QUICK: Generation = {
  ...rules,
  minimumDays: () => 2,
  challenge: { ...rules.challenge, challengeMs: 4 * DAY_MS, minimumDays: () => 2 },
};

/** Does what a row does in steps. */
export function finish(steps: Iterable<void> | void): void {
  Array.from(steps ?? []);
}

/** Rises slowly; `drop` tells since when it lies lower, and by how much. */
export function pricesWith(drop?: { readonly sinceMs: number; readonly share: number }): ClosePrices {
  return {
    closeAt: (_pair, timeMs) => {
      const hours = (timeMs - START_MS) / HOUR_MS;
      const isDropped = drop !== undefined && timeMs >= drop.sinceMs;
      return 100 * (1 + 0.0005 * hours) * (isDropped ? 1 - drop.share : 1);
    },
  };
}

/** A validator's scoring on a folder of its own. */
export interface World {
  readonly validator: PaperValidator;
  readonly folder: PaperFolder;
  readonly scoring: Scoring;
  readonly lines: string[];
  /** Does all rows. */
  readonly tick: (nowMs: number) => void;
  /** Another run on the same folder. */
  readonly restarted: () => World;
}

function worldOn(
  folder: PaperFolder,
  validator: PaperValidator,
  prices: ClosePrices,
  generation: Generation,
): World {
  const lines: string[] = [];
  let uuids = 0;
  const scoring = new Scoring({
    validator,
    prices,
    folder,
    generation,
    version: '6.0.0',
    newUuid: () => `uuid-${++uuids}`,
    say: (line) => lines.push(line),
  });
  scoring.load();
  const rows = scoringRows(scoring);
  return {
    validator,
    folder,
    scoring,
    lines,
    tick: (nowMs) => {
      for (const { run } of rows) finish(run(nowMs));
    },
    restarted: () => worldOn(folder, validator, prices, generation),
  };
}

/** A new one, in a folder that is removed after the test. */
export function world(scope: TestScope, prices = pricesWith(), generation = QUICK): World {
  return worldOn(new PaperFolder(makeTemporaryFolder(scope)), new PaperValidator(), prices, generation);
}

/** The JSON of a file. */
export function read(folder: PaperFolder, path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(folder.root, path), 'utf8')) as Record<string, unknown>;
}

/** Miners that trade for a few days: `long` gains, `short` loses, `idle` has one position that it never closes. */
export function trade({ validator, tick }: World, days: number): number {
  const prices = pricesWith();
  const price = (timeMs: number): number => prices.closeAt('BTCUSD', timeMs) ?? NaN;
  let nowMs = START_MS;
  validator.order('idle', 'only', START_MS + HOUR_MS, 0.1, price(START_MS + HOUR_MS));
  for (let day = 0; day < days; day++) {
    for (let hour = 0; hour < 24; hour += 6) {
      nowMs = START_MS + day * DAY_MS + hour * HOUR_MS;
      for (const [hotkey, leverage] of [
        ['long', 0.3],
        ['short', -0.3],
      ] as const) {
        validator.order(hotkey, `${day}-${hour}`, nowMs, leverage, price(nowMs));
        validator.order(hotkey, `${day}-${hour}`, nowMs + 5 * HOUR_MS, 0, price(nowMs + 5 * HOUR_MS));
      }
      tick(nowMs + 6 * HOUR_MS);
    }
  }
  return nowMs + 6 * HOUR_MS;
}
