import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** Marks a generated key, so that readers and secret scanners recognise it in logs, mails and repositories. */
const PREFIX = 'ptn_';
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 32 digits of 62 are 190 bits. */
const SECRET_LENGTH = 32;
/** 62^6 is above 2^32, so that every CRC-32 has room. */
const CHECKSUM_LENGTH = 6;
const FORM = /^ptn_([0-9A-Za-z]{32})([0-9A-Za-z]{6})$/;

/** `foreign`: not of the generated form, which says nothing against a key that the operator made up. */
export type ApiKeyForm = 'good' | 'damaged' | 'foreign';

function checksum(secret: string): string {
  let rest = crc32(Buffer.from(secret, 'ascii'));
  let text = '';
  for (let place = 0; place < CHECKSUM_LENGTH; place++) {
    text = DIGITS.charAt(rest % DIGITS.length) + text;
    rest = Math.floor(rest / DIGITS.length);
  }
  return text;
}

/** A new key: `ptn_`, 32 random base62 digits, and the CRC-32 of those as 6 more. */
export function createApiKey(): string {
  let secret = '';
  for (let place = 0; place < SECRET_LENGTH; place++) secret += DIGITS.charAt(randomInt(DIGITS.length));
  return `${PREFIX}${secret}${checksum(secret)}`;
}

/** Distinguishes a key that was mistyped or cut from a whole one, without knowing any key. */
export function apiKeyForm(key: string): ApiKeyForm {
  const [, secret, sum] = FORM.exec(key) ?? [];
  if (secret !== undefined) return checksum(secret) === sum ? 'good' : 'damaged';
  return key.startsWith(PREFIX) ? 'damaged' : 'foreign';
}
