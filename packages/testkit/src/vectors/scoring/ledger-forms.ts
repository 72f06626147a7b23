import { isMarketOpen } from '@ptn-api/rules';
import { FeeCache, SCORING_GENERATIONS, updateLedgers } from '@ptn-api/scoring';
import type { LedgerBundle, MarketData, PerfLedger } from '@ptn-api/scoring';
import type { Difference } from '../compare-texts.ts';
import { compareValues } from '../compare-values.ts';
import { pairOf } from '../pair-of.ts';
import { jsonForm, objectsOf } from './scoring-file.ts';
import type { LedgerRows, Positions } from './scoring-file.ts';

/** A price as a function of time, as the vectors say it. */
interface PriceFormula {
  readonly base: number;
  readonly amp: number;
  readonly trend_per_day: number;
  readonly t0: number;
  readonly missing_every?: number;
}

interface LedgerFile {
  readonly cases: readonly {
    readonly name: string;
    readonly price: Readonly<Record<string, PriceFormula>>;
    readonly steps: readonly {
      readonly now_ms: number;
      readonly wall_clock_ms: number;
      readonly positions: Positions;
      readonly expect: Readonly<Record<string, LedgerRows>>;
      readonly eliminations: readonly unknown[];
    }[];
  }[];
}

function marketOf(prices: Readonly<Record<string, PriceFormula>>): MarketData {
  return {
    isOpen: (pair, timeMs) => isMarketOpen(pairOf(pair), timeMs),
    close: (pair, timeMs) => {
      const formula = prices[pair];
      if (formula === undefined) return undefined;
      const { base, amp, trend_per_day: trend, t0, missing_every: missing } = formula;
      const minute = Math.floor(timeMs / 60_000);
      if (missing !== undefined && minute % missing === 0) return undefined;
      const wave = amp * (((minute * 7919) % 1000) / 1000 - 0.5);
      return Math.max(base * (1 + wave + (trend * (timeMs - t0)) / 86_400_000), base * 0.0001);
    },
  };
}

/** A ledger in the columns that the vectors have. */
function shown(ledger: PerfLedger, cols: readonly string[]): unknown {
  return {
    initialization_time_ms: ledger.initialization_time_ms,
    max_return: ledger.max_return,
    cells: ledger.cps.map((cell) =>
      Object.fromEntries(Object.entries(cell).filter(([name]) => cols.includes(name))),
    ),
  };
}

function runLedgers({ cases }: LedgerFile, difference: Difference): number {
  for (const { name, price, steps } of cases) {
    const fees = new FeeCache();
    let ledgers: LedgerBundle | undefined;
    for (const [index, step] of steps.entries()) {
      const updated = updateLedgers({
        hotkey: 'hk',
        ledgers,
        positions: step.positions,
        nowMs: step.now_ms,
        wallClockMs: step.wall_clock_ms,
        market: marketOf(price),
        terms: SCORING_GENERATIONS['2025-05'].ledger,
        fees,
      });
      ledgers = updated.ledgers;
      const at = `${name}/${index}`;
      compareValues([...ledgers.keys()].sort(), Object.keys(step.expect).sort(), difference, at);
      for (const [pair, want] of Object.entries(step.expect)) {
        const { initialization_time_ms, max_return } = want;
        const got = ledgers.get(pair);
        if (got === undefined) continue;
        const cells = objectsOf(want);
        compareValues(
          shown(got, want.cols),
          { initialization_time_ms, max_return, cells },
          difference,
          `${at}/${pair}`,
        );
      }
      const liquidations = updated.liquidation === undefined ? [] : [updated.liquidation];
      compareValues(liquidations, step.eliminations, difference, `${at}/eliminations`);
    }
  }
  return cases.reduce((sum, { steps }) => sum + steps.length, 0);
}

export const LEDGER_FORMS = [
  jsonForm<LedgerFile>('perf_ledger.json', 'performance ledgers built from positions and prices', runLedgers),
];
