import { createHash } from 'node:crypto';

/**
 * SHA-256 of a position uuid, as a big-endian integer, modulo 100. A position is in the real-time share of every tier
 * above this number, for good.
 */
export function sampleBucket(positionUuid: string): number {
  let remainder = 0;
  for (const byte of createHash('sha256').update(positionUuid).digest())
    remainder = (remainder * 256 + byte) % 100;
  return remainder;
}
