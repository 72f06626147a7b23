import { writePosition } from '@ptn-api/positions';
import type { OrderType, Position } from '@ptn-api/protocol';
import { correctPrices, GENERATION_2025_05, isMarketOpen } from '@ptn-api/rules';
import type { PriceSource } from '@ptn-api/rules';
import { addNamed, compareTexts, elementsOf, membersOf, noDifference } from './compare-texts.ts';
import type { Difference } from './compare-texts.ts';
import { compareValues } from './compare-values.ts';
import { recordedFeaturesOf } from './intake-run.ts';
import { pairOf } from './pair-of.ts';
import { readText } from './read-text.ts';
import { isNamed } from './vector-form.ts';
import type { VectorForm } from './vector-form.ts';

interface CorrectionCase {
  readonly name: string;
  readonly trade_pair: string;
  readonly order_type: OrderType;
  readonly order_at_ms: number;
  readonly check_at_ms: number;
  readonly price_sources_at_check: readonly PriceSource[];
  readonly quote_lookup: readonly [bid: number, ask: number, ageMs: number] | null;
  readonly position_before: Position;
  readonly changed: boolean;
}

function runPriceCorrection(path: string, difference: Difference): number {
  const text = readText(path);
  const { cases } = JSON.parse(text) as { cases: readonly CorrectionCase[] };
  const texts = [...elementsOf(membersOf(text).get('cases') ?? '[]').values()].map(membersOf);
  for (const [index, row] of cases.entries()) {
    const [bid, ask] = row.quote_lookup ?? [];
    const isOpen = isMarketOpen(pairOf(row.trade_pair), row.check_at_ms);
    const { position, isChanged } = correctPrices(row.position_before, GENERATION_2025_05, {
      nowMs: row.check_at_ms,
      laterPricesOf: () => ({
        sources: row.price_sources_at_check,
        quote: bid === undefined || ask === undefined ? undefined : { bid, ask },
      }),
      currentSources: isOpen ? row.price_sources_at_check : [],
      slippageFeaturesOf: recordedFeaturesOf,
    });
    const found = noDifference();
    compareTexts(writePosition(position), texts[index]?.get('position_after') ?? '', found);
    compareValues(isChanged, row.changed, found, 'changed');
    addNamed(difference, row.name, found);
  }
  return cases.length;
}

export const CORRECTION_FORMS: readonly VectorForm[] = [
  {
    name: 'prices as a validator corrects them',
    recognises: (path) => isNamed(path, 'price_correction', 'cases.json'),
    run: runPriceCorrection,
  },
];
