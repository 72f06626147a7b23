import type { TradePair } from '@ptn-api/protocol';

/** Metals count as forex. */
export type AssetClass = 'crypto' | 'forex' | 'equities' | 'indices';

/** What the accounting must know of a trade pair. */
export interface PairTerms {
  readonly assetClass: AssetClass;
  /** Fee as a fraction; not the legacy one that stands in the records. */
  readonly fee: number;
  /** False where the pair is unknown and was judged by the fee in its own record. */
  readonly isKnown: boolean;
}

interface ClassTerms {
  readonly fee: number;
  readonly minLeverage: number;
  readonly maxLeverage: number;
  readonly slash: boolean;
  readonly ids: string;
}

const CLASSES: Readonly<Record<AssetClass, ClassTerms>> = {
  crypto: {
    fee: 0.001,
    minLeverage: 0.01,
    maxLeverage: 0.5,
    slash: true,
    ids: 'BTCUSD ETHUSD SOLUSD XRPUSD DOGEUSD ADAUSD TAOUSD',
  },
  forex: {
    fee: 0.00007,
    minLeverage: 0.1,
    maxLeverage: 5,
    slash: true,
    ids:
      'AUDCAD AUDCHF AUDUSD AUDJPY AUDNZD CADCHF CADJPY CHFJPY EURAUD EURCAD EURUSD EURCHF EURGBP EURJPY EURNZD ' +
      'NZDCAD NZDCHF NZDJPY NZDUSD GBPAUD GBPCAD GBPCHF GBPJPY GBPNZD GBPUSD USDCAD USDCHF USDJPY USDMXN XAUUSD XAGUSD',
  },
  equities: {
    fee: 0.00009,
    minLeverage: 0.1,
    maxLeverage: 3,
    slash: false,
    ids: 'NVDA AAPL TSLA AMZN MSFT GOOG META',
  },
  indices: {
    fee: 0.00009,
    minLeverage: 0.1,
    maxLeverage: 5,
    slash: false,
    ids: 'SPX DJI NDX VIX FTSE GDAXI',
  },
};

/** The oldest pairs carry the fee of their first days in the records. */
const LEGACY_FEES = new Map([
  ['BTCUSD', 0.003],
  ['ETHUSD', 0.003],
]);

const ASSET_CLASSES = Object.keys(CLASSES) as AssetClass[];

/** The currencies of a pair. */
export interface QuotedPair {
  readonly base: string;
  readonly quote: string;
}

/** What a quantity of 1 is of currencies and metals, in units of the base currency. Of all others it is 1 unit. */
const FOREX_LOT_SIZE = 100_000;

function displayName(id: string, slash: boolean): string {
  // The quoted currency is always the last three letters; all but DOGE are written with three before it.
  return slash ? `${id.slice(0, -3)}/${id.slice(-3)}` : id;
}

const classById = new Map<string, AssetClass>();
const pairs: [string, TradePair][] = [];
for (const assetClass of ASSET_CLASSES) {
  const { ids, fee, minLeverage, maxLeverage, slash } = CLASSES[assetClass];
  for (const id of ids.split(' ')) {
    classById.set(id, assetClass);
    pairs.push([id, [id, displayName(id, slash), LEGACY_FEES.get(id) ?? fee, minLeverage, maxLeverage]]);
  }
}

/** Every known pair as the validator writes it, by id. Without a prototype: `TRADE_PAIRS['constructor']` is absent. */
export const TRADE_PAIRS: Readonly<Record<string, TradePair | undefined>> = Object.freeze(
  Object.assign(Object.create(null) as Record<string, TradePair>, Object.fromEntries(pairs)),
);

/** The class of a known pair. */
export function assetClassOf(id: string): AssetClass | undefined {
  return classById.get(id);
}

/**
 * The terms of the pair of a record. An unknown pair gets the class whose fee is closest to the one in its record, and
 * that fee; without a fee there, crypto, which is charged most.
 */
export function pairTerms(tradePair: readonly unknown[]): PairTerms {
  const [id, , recordFee] = tradePair;
  const known = classById.get(String(id));
  if (known !== undefined) return { assetClass: known, fee: CLASSES[known].fee, isKnown: true };
  const fee = typeof recordFee === 'number' && recordFee >= 0 ? recordFee : CLASSES.crypto.fee;
  const distance = (assetClass: AssetClass): number => Math.abs(CLASSES[assetClass].fee - fee);
  const assetClass = ASSET_CLASSES.reduce((best, other) => (distance(other) < distance(best) ? other : best));
  return { assetClass, fee, isKnown: false };
}

/** The currencies of the pair of a record, from its display name; what has no slash in it is quoted in US dollars. */
export function quotedPair([id, display]: readonly unknown[]): QuotedPair {
  const [base = '', quote = 'USD'] = String(display ?? id).split('/');
  return { base, quote };
}

/** Units of the base currency in a quantity of 1 of a class: a lot of forex, a coin or a share. */
export function lotSizeOf(assetClass: AssetClass): number {
  return assetClass === 'forex' ? FOREX_LOT_SIZE : 1;
}

/** Whether the pair of a record has the very fee of one of the classes, as all pairs of validators since 2026 do. */
export function hasClassFee([, , fee]: readonly unknown[]): boolean {
  return ASSET_CLASSES.some((assetClass) => CLASSES[assetClass].fee === fee);
}
