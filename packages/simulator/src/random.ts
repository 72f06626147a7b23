import { createHash } from 'node:crypto';

/** A stream of numbers that is the same for the same name, on every machine. */
export interface Random {
  /** Evenly spread in [0, 1). */
  next(): number;
  /** Normally distributed, mean 0, standard deviation 1. */
  normal(): number;
  /** Exponentially distributed with this mean. */
  exponential(mean: number): number;
  /** Evenly spread in [from, to). */
  between(from: number, to: number): number;
  /** A whole number in [0, below). */
  integer(below: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** A version 4 UUID. */
  uuid(): string;
  bytes(count: number): Uint8Array;
}

/** A bijective mix of 32 bits (the finishing steps of MurmurHash3). */
export function mixBits(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** The standard normal number at two evenly spread ones in [0, 1). */
export function normalFrom(a: number, b: number): number {
  return Math.sqrt(-2 * Math.log(1 - a)) * Math.cos(2 * Math.PI * b);
}

/**
 * The stream called `name`. Everything random comes from streams named after the seed and their purpose, so
 * that one more draw in one place changes nothing anywhere else.
 */
export function createRandom(name: string): Random {
  // The generator is Chris Doty-Humphrey's sfc32 (public domain), with 128 bits of state taken from the name.
  const seed = createHash('sha256').update(name).digest();
  let a = seed.readInt32LE(0);
  let b = seed.readInt32LE(4);
  let c = seed.readInt32LE(8);
  let d = seed.readInt32LE(12);

  function word(): number {
    const sum = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  }
  // Mixes the state before first use, as the generator's author advises.
  for (let round = 0; round < 15; round++) word();

  const next = (): number => word() / 2 ** 32;
  const integer = (below: number): number => Math.floor(next() * below);
  const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => word() & 0xff);

  return {
    next,
    integer,
    bytes,
    normal: () => normalFrom(next(), next()),
    exponential: (mean) => -mean * Math.log(1 - next()),
    between: (from, to) => from + (to - from) * next(),
    chance: (probability) => next() < probability,
    pick: <T>(items: readonly T[]): T => {
      if (items.length === 0) throw new RangeError('nothing to pick from');
      return items[integer(items.length)] as T;
    },
    uuid: () => {
      const raw = bytes(16);
      raw[6] = ((raw[6] ?? 0) & 0x0f) | 0x40;
      raw[8] = ((raw[8] ?? 0) & 0x3f) | 0x80;
      const hex = Buffer.from(raw).toString('hex');
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
    },
  };
}
