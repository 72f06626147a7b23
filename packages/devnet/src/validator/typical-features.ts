import type { AssetClass } from '@ptn-api/positions';
import type { SlippageFeatures } from '@ptn-api/rules';

type Features = Pick<SlippageFeatures, 'annualizedVolatility' | 'averageDailyVolume'>;

/**
 * What slippage depends on where the prices do not say it: lots of forex, shares of equities, as in the recordings of
 * the network's orders. Crypto and indices are charged without them.
 */
export const TYPICAL_FEATURES: Readonly<Record<AssetClass, Features>> = {
  crypto: { annualizedVolatility: 0.6, averageDailyVolume: 1 },
  forex: { annualizedVolatility: 0.08, averageDailyVolume: 100_000 },
  equities: { annualizedVolatility: 0.4, averageDailyVolume: 40_000_000 },
  indices: { annualizedVolatility: 0.2, averageDailyVolume: 1 },
};
