import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';

/** Where the Python server kept its last sequence number, the newer place first. */
const PLACES = ['vanta_api/sequence_number.json', 'ptn_api/sequence_number.json'];

/**
 * The last sequence number that the Python server used, 0 if there is none: numbering goes on above it, so that no
 * client sees it go back.
 */
export function pythonSequence(ptnRoot: string, log: Logger): number {
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
    const sequence = Number(text);
    if (Number.isSafeInteger(sequence) && sequence >= 0 && text !== '') highest = Math.max(highest, sequence);
    else
      log.warn(
        { event: 'sequence-file-bad', place },
        'the old sequence number is no whole number and is ignored',
      );
  }
  return highest;
}
