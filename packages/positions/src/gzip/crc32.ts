import { crc32 as zlibCrc32 } from 'node:zlib';

/** CRC-32 (as in gzip and zip) of `bytes`, an unsigned 32-bit number. */
export function crc32(bytes: Uint8Array): number {
  return zlibCrc32(bytes);
}

/** The CRC-32 polynomial x^32 + x^26 + … + 1, reflected: bit 31 is the coefficient of x^0. */
const POLYNOMIAL = 0xedb88320;

/** Product of two polynomials modulo the CRC polynomial, both reflected. */
function multiply(a: number, b: number): number {
  let product = 0;
  let factor = b;
  for (let mask = 0x80000000; mask !== 0; mask >>>= 1) {
    if (a & mask) product ^= factor;
    factor = factor & 1 ? (factor >>> 1) ^ POLYNOMIAL : factor >>> 1;
  }
  return product >>> 0;
}

/** `SQUARES[k]` is x^(2^k) modulo the CRC polynomial. */
const SQUARES: readonly number[] = (() => {
  const squares: number[] = [];
  let power = 0x40000000;
  for (let k = 0; k < 56; k++) {
    squares.push(power);
    power = multiply(power, power);
  }
  return squares;
})();

/** x^(8 * `sizeBytes`) modulo the CRC polynomial: what appending that many zero bytes multiplies a CRC by. */
function shift(sizeBytes: number): number {
  let result = 0x80000000;
  let remaining = sizeBytes;
  for (let k = 3; remaining > 0; k++) {
    if (remaining % 2 === 1) result = multiply(SQUARES[k] ?? 0, result);
    remaining = Math.floor(remaining / 2);
  }
  return result;
}

/**
 * CRC-32 of two texts joined, from the CRC-32 of each and the length of the second in bytes (below 2^53).
 * Source: the combination of CRCs by multiplication in GF(2)[x], as in zlib's `crc32_combine`.
 */
export function combineCrc32(first: number, second: number, secondSizeBytes: number): number {
  return (multiply(shift(secondSizeBytes), first) ^ second) >>> 0;
}
