import { QUANTITY_RULES } from '../quantity-rules.ts';
import { pairTerms } from '../trade-pairs.ts';
import type { JsonRecord, PositionGeneration } from './generation.ts';
import {
  QUANTITY_ORDER_MEMBERS,
  QUANTITY_POSITION_MEMBERS,
  quantityRebuilder,
} from './quantity-rebuilder.ts';

const MARKS = ['net_quantity', 'net_value'];
/** Of every crypto pair in messages of the stream; in the records only the oldest pairs have it. */
const STREAMED_CRYPTO_FEE = 0.003;

/** Whether the record counts in quantities, as those of all validators since December 2025 do. */
export function countsInQuantities(record: JsonRecord, orders: readonly JsonRecord[]): boolean {
  return (
    MARKS.some((member) => Object.hasOwn(record, member)) ||
    orders.some((order) => Object.hasOwn(order, 'quantity'))
  );
}

/** Since December 2025 (Vanta): counts in quantities and US dollars. */
export const quantityGeneration: PositionGeneration = {
  name: 'quantity',
  recognises: countsInQuantities,
  delayed: 'cut',
  rules: {
    positionMembers: new Set(QUANTITY_POSITION_MEMBERS),
    orderMembers: new Set(QUANTITY_ORDER_MEMBERS),
    rebuilder: quantityRebuilder({ rules: QUANTITY_RULES }),
  },
  streamedFee: (tradePair) =>
    pairTerms(tradePair).assetClass === 'crypto' ? STREAMED_CRYPTO_FEE : undefined,
};
