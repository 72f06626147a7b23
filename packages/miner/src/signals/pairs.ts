import { assetClassOf, floatText, JsonNumber, jsonValueOf, pairTerms, TRADE_PAIRS } from '@ptn-api/positions';
import type { JsonObject, JsonValue } from '@ptn-api/positions';

/** A trade pair as signals describe it. */
export interface SignalPair {
  readonly id: string;
  /** `BTC/USD`. */
  readonly name: string;
  /** As it stands in a signal's file and in the request to validators. */
  readonly json: JsonObject;
  /** As Python shows it: `<TradePairCategory.CRYPTO: 'crypto'>`. */
  readonly category: string;
}

function describe(id: string): SignalPair[] {
  const pair = TRADE_PAIRS[id];
  const assetClass = assetClassOf(id);
  if (pair === undefined || assetClass === undefined) return [];
  const [, name, , minLeverage, maxLeverage] = pair;
  const json = new Map<string, JsonValue>([
    ['trade_pair_id', id],
    ['trade_pair', name],
    // The fee of the records is another one for the oldest pairs.
    ['fees', JsonNumber.float(pairTerms([id]).fee)],
    ['min_leverage', jsonValueOf(minLeverage)],
    ['max_leverage', jsonValueOf(maxLeverage)],
    ['trade_pair_category', assetClass],
  ]);
  return [{ id, name, json, category: `<TradePairCategory.${assetClass.toUpperCase()}: '${assetClass}'>` }];
}

const ALL = Object.keys(TRADE_PAIRS).flatMap(describe);
/** Pairs that Vanta's generation has added. */
const ADDED = new Set(['ADAUSD', 'TAOUSD']);

/** Every pair of a generation, by id, in its order. */
export const VANTA_PAIRS: ReadonlyMap<string, SignalPair> = new Map(ALL.map((pair) => [pair.id, pair]));
export const PTN_PAIRS: ReadonlyMap<string, SignalPair> = new Map(
  ALL.filter(({ id }) => !ADDED.has(id)).map((pair) => [pair.id, pair]),
);

const numeral = (value: JsonValue | undefined): string =>
  value instanceof JsonNumber ? (value.isInteger ? value.lexeme : floatText(value.value)) : '';

/** The pair as the dict that Python prints. */
export function pairText({ id, name, json, category }: SignalPair): string {
  const members = ['fees', 'min_leverage', 'max_leverage'].map(
    (key) => `'${key}': ${numeral(json.get(key))}`,
  );
  return `{'trade_pair_id': '${id}', 'trade_pair': '${name}', ${members.join(', ')}, 'trade_pair_category': ${category}}`;
}

/** All pairs of a generation as pydantic lists what it would have taken. */
export function pairChoices(pairs: ReadonlyMap<string, SignalPair>): string {
  const texts = [...pairs.values()].map(({ id, name, json, category }) => {
    const numbers = ['fees', 'min_leverage', 'max_leverage'].map((key) => numeral(json.get(key)));
    return `['${id}', '${name}', ${numbers.join(', ')}, ${category}]`;
  });
  return `${texts.slice(0, -1).join(', ')} or ${texts.at(-1) ?? ''}`;
}
