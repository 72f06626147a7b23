import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSegment, gzipMember, replaceNonFinite } from '@ptn-api/positions';
import type { DocumentValue } from '@ptn-api/runtime';
import { readStamped } from './read-file.ts';
import type { NothingRead } from './read-file.ts';

export type LoadedDocument =
  | NothingRead
  | {
      readonly kind: 'read';
      readonly stamp: string;
      readonly value: DocumentValue;
      /** How many NaN and Infinity were replaced by null. */
      readonly nonFinite: number;
    };

export interface LoadDocumentInput {
  readonly path: string;
  readonly stamp?: string | undefined;
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
}

function documentOf(gzip: Uint8Array, sizeBytes: number, modifiedMs: number): DocumentValue {
  return { kind: 'document', gzip, sizeBytes, digest: digestOf(gzip), modifiedMs };
}

/** Compresses a text whole; level 6 for what is small, 1 for what is rewritten every 15 s and large. */
function compress(text: Uint8Array | string, modifiedMs: number, level: number): DocumentValue {
  const segment = deflateSegment(text, level);
  return documentOf(gzipMember([segment]), segment.sizeBytes, modifiedMs);
}

/** Reads a JSON file of moderate size as a whole. NaN and Infinity become null. */
export function loadJsonDocument(input: LoadDocumentInput): LoadedDocument {
  const file = readStamped(input.path, input.stamp);
  if (file.kind !== 'read') return file;
  const text = file.bytes.toString('utf8').trim();
  const { text: finite, count } = replaceNonFinite(text);
  try {
    JSON.parse(finite);
  } catch (error) {
    return { kind: 'bad', stamp: file.stamp, reason: `is not JSON: ${(error as Error).message}` };
  }
  return { kind: 'read', stamp: file.stamp, value: compress(finite, file.modifiedMs, 6), nonFinite: count };
}

/**
 * Reads the plagiarism scores: `validation/miner_copying.json` where it exists, else the map hotkey -> score file
 * content, built from the folder of one file per miner.
 *
 * @param input.path the single file; `input.folder` the folder.
 */
export function loadMinerCopying(input: LoadDocumentInput & { readonly folder: string }): LoadedDocument {
  const whole = loadJsonDocument(input);
  if (whole.kind !== 'gone') return whole;
  let names: string[];
  try {
    names = readdirSync(input.folder).filter((name) => name.endsWith('.json'));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'gone' };
    return {
      kind: 'bad',
      stamp: '',
      reason: `the folder cannot be listed (${code ?? (error as Error).message})`,
    };
  }
  const members: string[] = [];
  const stamps: string[] = [];
  let modifiedMs = 0;
  let nonFinite = 0;
  for (const name of names.sort()) {
    const file = readStamped(join(input.folder, name));
    // Left out, a miner would be missing until the folder changes.
    if (file.kind === 'bad') return { ...file, reason: `${name} ${file.reason}` };
    if (file.kind !== 'read') continue;
    const { text, count } = replaceNonFinite(file.bytes.toString('utf8').trim());
    try {
      JSON.parse(text);
    } catch (error) {
      return { kind: 'bad', stamp: file.stamp, reason: `${name} is not JSON: ${(error as Error).message}` };
    }
    members.push(`${JSON.stringify(name.slice(0, -'.json'.length))}: ${text}`);
    stamps.push(file.stamp);
    nonFinite += count;
    modifiedMs = Math.max(modifiedMs, file.modifiedMs);
  }
  if (members.length === 0) return { kind: 'gone' };
  const stamp = digestOf(Buffer.from(stamps.join()));
  if (stamp === input.stamp) return { kind: 'same' };
  return { kind: 'read', stamp, value: compress(`{${members.join(', ')}}`, modifiedMs, 6), nonFinite };
}
