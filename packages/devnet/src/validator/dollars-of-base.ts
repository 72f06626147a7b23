/**
 * What one unit of a pair's base currency costs in US dollars; undefined where no price says so.
 *
 * @param priceOf the price of a pair, if it has one.
 */
export function dollarsOfBase(
  pairId: string,
  priceOf: (pairId: string) => number | undefined,
): number | undefined {
  const base = pairId.slice(0, 3);
  if (base === 'USD') return 1;
  const direct = priceOf(`${base}USD`);
  if (direct !== undefined) return direct;
  const inverse = priceOf(`USD${base}`);
  return inverse === undefined ? undefined : 1 / inverse;
}
