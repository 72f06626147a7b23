import type { OrderType } from '@ptn-api/protocol';
import { floatText, numericOf, reprOf, typeNameOf } from '../python-text.ts';
import type { PythonValue } from '../python-text.ts';
import { ORDER_LEVERAGE } from './leverage.ts';

const ORDER_TYPES: readonly OrderType[] = ['LONG', 'SHORT', 'FLAT'];

/** The order type of that name, which validators read to the letter. */
export function orderTypeOf(value: PythonValue): OrderType | undefined {
  return ORDER_TYPES.find((type) => type === value);
}

/** What an order is made of, before its leverage is bounded. */
export interface OrderDraft {
  readonly orderType: OrderType;
  /** As it was sent. */
  readonly leverage: PythonValue;
  readonly price: number;
  readonly bid: number;
  readonly ask: number;
}

/** The leverage is signed by the order's type. */
export type DraftCheck =
  { readonly ok: true; readonly leverage: number } | { readonly ok: false; readonly reason: string };

/** How validators print what was wrong with a field, as pydantic does: the middle of a long value is left out. */
const [SHOWN_HEAD, SHOWN_TAIL] = [25, 24];

function shortened(text: string): string {
  const characters = Array.from(text);
  if (characters.length <= SHOWN_HEAD + SHOWN_TAIL + 1) return text;
  return `${characters.slice(0, SHOWN_HEAD).join('')}...${characters.slice(-SHOWN_TAIL).join('')}`;
}

interface FieldError {
  /** Absent where the order as a whole is wrong. */
  readonly field?: string;
  readonly text: string;
  readonly type: string;
  readonly shown: string;
  readonly typeName: string;
}

function validationError(errors: readonly FieldError[]): string {
  const rows = errors.map(
    ({ field, text, type, shown, typeName }) =>
      `${field === undefined ? '' : `${field}\n`}  ${text} ` +
      `[type=${type}, input_value=${shortened(shown)}, input_type=${typeName}]\n` +
      `    For further information visit https://errors.pydantic.dev/2.13/v/${type}`,
  );
  return `${errors.length} validation error${errors.length === 1 ? '' : 's'} for Order\n${rows.join('\n')}`;
}

function leverageError(text: string, type: string, leverage: PythonValue): FieldError {
  return { field: 'leverage', text, type, shown: reprOf(leverage), typeName: typeNameOf(leverage) };
}

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The leverage of a FLAT, which decides nothing but the slippage; a number in a text counts as one. */
function flatLeverage(leverage: PythonValue): number | FieldError {
  if (typeof leverage === 'string' && !DECIMAL.test(leverage.trim())) {
    const text = 'Input should be a valid number, unable to parse string as a number';
    return leverageError(text, 'float_parsing', leverage);
  }
  const number = typeof leverage === 'string' ? Number(leverage) : numericOf(leverage);
  if (number === undefined) return leverageError('Input should be a valid number', 'float_type', leverage);
  // Python would go on with it, and with what it makes of the slippage.
  if (!Number.isFinite(number)) {
    return leverageError('Input should be a finite number', 'finite_number', leverage);
  }
  return number;
}

/** Checks what an order is made of, with the texts of validators. */
export function checkDraft({ orderType, leverage, price, bid, ask }: OrderDraft): DraftCheck {
  const errors: FieldError[] = [];
  let signed = 0;
  if (orderType === 'FLAT') {
    const flat = flatLeverage(leverage);
    if (typeof flat === 'number') signed = flat;
    else errors.push(flat);
  } else {
    const size = numericOf(leverage);
    if (size === undefined) {
      return { ok: false, reason: `bad operand type for abs(): '${typeNameOf(leverage)}'` };
    }
    const { min, max } = ORDER_LEVERAGE;
    if (!(Math.abs(size) >= min && Math.abs(size) <= max)) {
      const text =
        `Value error, Order leverage must be between ${min} and ${max}, provided - lev [${reprOf(leverage)}] ` +
        `and order_type [${orderType}] (<enum 'OrderType'>)`;
      // The whole draft is shown, of which the ends are left.
      const shown = `{'trade_pair': <TradePair., 'bid': ${floatText(bid)}, 'ask': ${floatText(ask)}}`;
      return {
        ok: false,
        reason: validationError([{ text, type: 'value_error', shown, typeName: 'dict' }]),
      };
    }
    signed = orderType === 'SHORT' ? -Math.abs(size) : size;
    if (signed < 0 && orderType === 'LONG') {
      const text = 'Value error, Leverage must be positive for LONG orders.';
      errors.push(leverageError(text, 'value_error', leverage));
    }
  }
  if (price < 0) {
    const text = 'Value error, Price must be greater than 0';
    errors.push({ field: 'price', text, type: 'value_error', shown: floatText(price), typeName: 'float' });
  }
  if (errors.length > 0) return { ok: false, reason: validationError(errors) };
  return { ok: true, leverage: signed };
}
