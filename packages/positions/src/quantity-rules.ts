import type { Position } from '@ptn-api/protocol';
import { SLIPPAGE_V1_MS } from './fees.ts';
import type { QuantityRules, QuantityTerms } from './quantity-accounting.ts';
import { lotSizeOf, pairTerms, quotedPair } from './trade-pairs.ts';

/** The rules of validators since December 2025. */
export const QUANTITY_RULES: QuantityRules = {
  closesByLeverage: true,
  slippageFromMs: SLIPPAGE_V1_MS,
  unpricedSources: new Set([1, 2]),
  feesInReturn: true,
  closesLiquidated: true,
  closesAtZero: false,
  realizesInOrder: false,
  lotSizes: {},
};

/** The rules of validators since 2026. */
export const RULES_2026: QuantityRules = {
  closesByLeverage: false,
  slippageFromMs: 0,
  unpricedSources: new Set([1]),
  feesInReturn: false,
  closesLiquidated: false,
  closesAtZero: true,
  realizesInOrder: true,
  lotSizes: { XAUUSD: 100, XAGUSD: 5000 },
};

/** The rules of the generation that counts in quantities and wrote the position; undefined for older ones. */
export function quantityRulesOf({ net_quantity, fee_history }: Position): QuantityRules | undefined {
  if (net_quantity === undefined) return undefined;
  return fee_history === undefined ? QUANTITY_RULES : RULES_2026;
}

/** What the accounting must know of a position that counts in quantities. */
export function quantityTerms(
  tradePair: readonly unknown[],
  accountSize: number,
  { lotSizes }: QuantityRules,
): QuantityTerms {
  const { assetClass, fee } = pairTerms(tradePair);
  const lotSize = lotSizes[String(tradePair[0])] ?? lotSizeOf(assetClass);
  return { ...quotedPair(tradePair), assetClass, fee, lotSize, accountSize };
}
