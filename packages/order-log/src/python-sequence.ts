import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A number that is taken over can never be taken back: this many orders were never placed. */
const MAX_PLAUSIBLE = 1e12;

/** Where the Python server kept its last sequence number, the newer place first. */
const PLACES = ['vanta_api/sequence_number.json', 'ptn_api/sequence_number.json'];

/** Takes what is wrong with a file. */
export interface SequenceLog {
  warn(
    fields: { readonly event: string; readonly place: string; readonly err?: unknown },
    text: string,
  ): void;
}

/**
 * The last sequence number that the Python server used, 0 if there is none: numbering goes on above it, so that no
 * client sees it go back.
 */
export function pythonSequence(ptnRoot: string, log: SequenceLog): number {
  let highest = 0;
  for (const place of PLACES) {
    let text: string;
    try {
      text = readFileSync(join(ptnRoot, place), 'utf8').trim();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        log.warn({ event: 'sequence-file-bad', place, err: error }, 'the old sequence number cannot be read');
      }
      continue;
    }
    const sequence = text === '' ? NaN : Number(text);
    if (Number.isSafeInteger(sequence) && sequence >= 0 && sequence <= MAX_PLAUSIBLE)
      highest = Math.max(highest, sequence);
    else
      log.warn(
        { event: 'sequence-file-bad', place },
        `the old sequence number is no whole number from 0 to ${MAX_PLAUSIBLE} and is ignored`,
      );
  }
  return highest;
}
