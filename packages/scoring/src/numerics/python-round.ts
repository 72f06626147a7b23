/** How many digits a JavaScript number is written with at most by `toFixed`. */
const MAX_DIGITS = 100;

/**
 * `round(value, digits)` of Python: to the nearest decimal of the number's exact binary value, ties to even. `toFixed`
 * works with the exact value too, and a tie that is exact in binary is the only case in which it decides otherwise.
 */
export function pythonRound(value: number, digits: number): number {
  if (!Number.isFinite(value) || Math.abs(value) >= 1e21) return value;
  const rounded = Number(value.toFixed(digits));
  const scaled = value * 10 ** digits;
  if (Math.abs(scaled - Math.trunc(scaled)) !== 0.5) return rounded;
  const exact = value.toFixed(Math.min(MAX_DIGITS, digits + 60));
  const tail = exact.slice(exact.indexOf('.') + 1 + digits);
  if (!/^50*$/.test(tail)) return rounded;
  const kept = exact.slice(0, exact.length - tail.length);
  const isEven = Number(kept.replace('.', '').at(-1)) % 2 === 0;
  const towardsZero = Number(kept);
  return isEven ? towardsZero : rounded;
}

/** The nearest integer, ties to even, as `numpy.rint`. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
