const EXPONENT_LIMIT = 100;

/** `1 / (1 + exp(spread * (x - shift)))`, the exponent cut to ±100: near 1 below `shift`, near 0 above. */
export function sigmoid(x: number, shift: number, spread: number): number {
  const exponent = Math.min(Math.max(spread * (x - shift), -EXPONENT_LIMIT), EXPONENT_LIMIT);
  return 1 / (1 + Math.exp(exponent));
}
