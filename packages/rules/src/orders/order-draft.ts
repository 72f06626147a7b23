import { floatText, JsonNumber, pythonRepr, pythonTypeName } from '@ptn-api/positions';
import type { JsonValue } from '@ptn-api/positions';
import type { OrderType } from '@ptn-api/protocol';
import { ORDER_LEVERAGE } from './leverage.ts';

const ORDER_TYPES: readonly OrderType[] = ['LONG', 'SHORT', 'FLAT'];

/** The order type of that name, which validators read to the letter. */
export function orderTypeOf(value: JsonValue): OrderType | undefined {
  return ORDER_TYPES.find((type) => type === value);
}

/** What an order is made of, before its leverage is bounded. */
export interface OrderDraft {
  readonly orderType: OrderType;
  /** As it was sent. */
  readonly leverage: JsonValue;
  readonly price: number;
  readonly bid: number;
  readonly ask: number;
}

/** The leverage is signed by the order's type. */
export type DraftCheck =
  | { readonly ok: true; readonly leverage: number }
  | { readonly ok: false; readonly reason: string };

/** Longest text of a value that validators print as it is, and what is left of both ends of a longer one. UTF-8. */
const SHOWN_BYTES = { whole: 50, head: 25, tail: 24 };

function utf8Bytes(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

/** How many of the characters, from the first on, have at most `maxBytes` together. */
function fitting(characters: readonly string[], maxBytes: number): number {
  let bytes = 0;
  const index = characters.findIndex((character) => (bytes += utf8Bytes(character)) > maxBytes);
  return index === -1 ? characters.length : index;
}

function shortened(text: string): string {
  const characters = Array.from(text);
  const { whole, head, tail } = SHOWN_BYTES;
  if (fitting(characters, whole) === characters.length) return text;
  const tailCount = fitting(characters.toReversed(), tail);
  return `${characters.slice(0, fitting(characters, head)).join('')}...${characters.slice(-tailCount).join('')}`;
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

function leverageError(text: string, type: string, leverage: JsonValue): FieldError {
  return { field: 'leverage', text, type, shown: pythonRepr(leverage), typeName: pythonTypeName(leverage) };
}

const DIGITS = String.raw`\d(?:_?\d)*`;
const DECIMAL = new RegExp(`^[+-]?(?:${DIGITS}(?:\\.(?:${DIGITS})?)?|\\.${DIGITS})(?:[eE][+-]?${DIGITS})?$`);
const NOT_FINITE = /^[+-]?(?:inf|infinity|nan)$/i;

/** A value that Python counts with, booleans included, as a number; `undefined` for any other. */
function numericOf(value: JsonValue): number | undefined {
  if (typeof value === 'boolean') return Number(value);
  return value instanceof JsonNumber ? value.value : undefined;
}

/** The number that a text holds for pydantic, NaN where it is none that is finite; undefined where it holds none. */
function numberInText(text: string): number | undefined {
  const trimmed = text.trim();
  if (NOT_FINITE.test(trimmed)) return NaN;
  return DECIMAL.test(trimmed) ? Number(trimmed.replaceAll('_', '')) : undefined;
}

/** The leverage of a FLAT, which decides nothing but the slippage; a number in a text counts as one. */
function flatLeverage(leverage: JsonValue): number | FieldError {
  const isText = typeof leverage === 'string';
  const number = isText ? numberInText(leverage) : numericOf(leverage);
  if (number !== undefined && Number.isFinite(number)) return number;
  if (isText && number === undefined) {
    const text = 'Input should be a valid number, unable to parse string as a number';
    return leverageError(text, 'float_parsing', leverage);
  }
  const typeName = pythonTypeName(leverage);
  // Python would go on with a float that is not finite, and with what it makes of the slippage.
  if (isText || typeName === 'float') {
    return leverageError('Input should be a finite number', 'finite_number', leverage);
  }
  return leverageError('Input should be a valid number', 'float_type', leverage);
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
      return { ok: false, reason: `bad operand type for abs(): '${pythonTypeName(leverage)}'` };
    }
    const { min, max } = ORDER_LEVERAGE;
    if (!(Math.abs(size) >= min && Math.abs(size) <= max)) {
      const text =
        `Value error, Order leverage must be between ${min} and ${max}, provided - lev [${pythonRepr(leverage)}] ` +
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
