import { gzipSync } from 'node:zlib';

/** Level 1: the validator shares the machine with what is tried on it. */
const GZIP_LEVEL = 1;

/** The folder that becomes PTN_ROOT. */
export interface ScoringFolder {
  readonly root: string;
  /** Writes a file whole: readers see the old or the new content. `path` is relative to the root. */
  write(path: string, content: string | Uint8Array): void;
}

/** Puts a large file together, a part at a step, and writes it at the end. */
export function* writeInParts(
  folder: ScoringFolder,
  path: string,
  parts: Iterable<string>,
  isGzip = false,
): Generator<void> {
  const texts: string[] = [];
  for (const part of parts) {
    texts.push(part);
    yield;
  }
  const text = texts.join('');
  folder.write(path, isGzip ? gzipSync(text, { level: GZIP_LEVEL }) : text);
}
