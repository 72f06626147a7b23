import { sliceArray, sliceObject } from '@ptn-api/positions';

/** How far the numbers of two texts lie apart, and where they differ in anything else. */
export interface Difference {
  /** The largest relative one. */
  worst: number;
  numbers: number;
  /** Path and both texts of everything that is no close number in the same form. */
  readonly unequal: string[];
  /** Cases that are answered otherwise on purpose, and were answered so: name and reason. */
  readonly expected: string[];
}

export function noDifference(): Difference {
  return { worst: 0, numbers: 0, unequal: [], expected: [] };
}

/** The members of an object as texts. */
export function membersOf(text: string): Map<string, string> {
  return new Map(sliceObject(text).map((m) => [m.key, text.slice(m.valueStart, m.valueEnd)]));
}

/** The elements of a list as texts, by their index. */
export function elementsOf(text: string): Map<string, string> {
  return new Map(sliceArray(text).map(({ start, end }, index) => [String(index), text.slice(start, end)]));
}

/** 1 and 1.0 differ here, as they do to clients in typed languages. */
const isFloatLiteral = (text: string): boolean => /[.eE]/.test(text);
const isNumber = (text: string): boolean => /^-?\d/.test(text);

export interface CompareOptions {
  /** Where the texts stand, for what is found. */
  readonly path?: string;
  /** Whether 1 and 1.0 are the same: where Python did not read a record again, a float may still be an int. */
  readonly anyForm?: boolean;
  /** Whether members have to stand in the same order. */
  readonly inOrder?: boolean;
}

/** Compares two JSON texts: members in any order, numbers within 1e-12 relative and in the same form, int or float. */
export function compareTexts(
  got: string,
  want: string,
  difference: Difference,
  options: CompareOptions = {},
): void {
  const { path = '', anyForm = false, inOrder = false } = options;
  if (isNumber(got) && isNumber(want)) {
    const [a, b] = [Number(got), Number(want)];
    const distance = a === b ? 0 : Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b));
    difference.numbers += 1;
    difference.worst = Math.max(difference.worst, distance);
    if (distance <= 1e-12 && (anyForm || isFloatLiteral(got) === isFloatLiteral(want))) return;
  } else if ((got.startsWith('{') && want.startsWith('{')) || (got.startsWith('[') && want.startsWith('['))) {
    const slice = got.startsWith('{') ? membersOf : elementsOf;
    const [a, b] = [slice(got), slice(want)];
    for (const key of new Set([...a.keys(), ...b.keys()])) {
      const inside = { ...options, path: `${path}/${key}` };
      compareTexts(a.get(key) ?? 'absent', b.get(key) ?? 'absent', difference, inside);
    }
    const orders = [a, b].map((members) => [...members.keys()].join(' '));
    if (inOrder && orders[0] !== orders[1]) difference.unequal.push(`${path}: ${orders.join(' for ')}`);
    return;
  } else if (got === want || JSON.stringify(tryParse(got)) === JSON.stringify(tryParse(want))) {
    return;
  }
  difference.unequal.push(`${path}: ${got.slice(0, 100)} for ${want.slice(0, 100)}`);
}

function tryParse(text: string): unknown {
  return text === 'absent' ? Symbol('absent') : JSON.parse(text);
}

/** Adds what one case found, each with the case's name. */
export function addNamed(difference: Difference, name: string, found: Difference): void {
  difference.unequal.push(...found.unequal.map((line) => `${name}: ${line}`));
  difference.numbers += found.numbers;
  difference.worst = Math.max(difference.worst, found.worst);
}
