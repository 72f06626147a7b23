import { statSync } from 'node:fs';
import { join } from 'node:path';

/** Where the validator writes the dashboard map: as text, and what tier 100 sees of it as gzip, which is the same. */
const PLACES = ['output.json', 'tiered_positions/100/output.json.gz'] as const;

/** Both are written in one go; a text that is older than that by so much was left behind by an older validator. */
const LEFT_BEHIND_MS = 5 * 60_000;

/** All places of the dashboard map below the validator's folder: a change of any is noticed. */
export function outputsPlaces(ptnRoot: string): string[] {
  return PLACES.map((place) => join(ptnRoot, 'validation', 'outputs', place));
}

/** The file that holds the dashboard map; `undefined` where there is none. Validators of 2026 write no text. */
export function outputsFile(ptnRoot: string): string | undefined {
  const [text = '', gzip = ''] = outputsPlaces(ptnRoot);
  const [textMs, gzipMs] = [text, gzip].map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs);
  if (textMs === undefined) return gzipMs === undefined ? undefined : gzip;
  return gzipMs !== undefined && gzipMs - textMs > LEFT_BEHIND_MS ? gzip : text;
}
