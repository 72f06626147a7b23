import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import { counted } from '@ptn-api/protocol';
import { minersFiles, STATISTICS_FILE, wholeFiles } from '@ptn-api/runtime';
import type { ServerConfig } from '@ptn-api/runtime';
import { MAX_TEXT_BYTES } from '@ptn-api/feed';
import { ok, problem, warning } from './finding.ts';
import type { Finding } from './finding.ts';

interface CheckedFile {
  readonly what: string;
  readonly load: string;
  readonly places: readonly string[];
  readonly maxAgeMs: number;
  /** Validators of some generations do not write it. */
  readonly isOptional: boolean;
}

/** The single files that are served: where they may lie, and the age from which something is wrong with them. */
const DOCUMENTS: readonly CheckedFile[] = [
  {
    what: 'statistics',
    load: 'json',
    places: [STATISTICS_FILE.place],
    maxAgeMs: STATISTICS_FILE.maxAgeMs,
    isOptional: false,
  },
  ...wholeFiles.flatMap(([what, { load, places, maxAgeMs }]) =>
    maxAgeMs === undefined ? [] : [{ what, load, places, maxAgeMs, isOptional: false }],
  ),
  ...minersFiles.flatMap(([what, { load, places, maxAgeMs = Infinity }]) =>
    load === 'members' ? [{ what, load, places, maxAgeMs, isOptional: true }] : [],
  ),
];

/** The files that are served: there, readable, and not left behind by a validator that has stopped. */
export function checkDocuments({ ptnRoot }: Pick<ServerConfig, 'ptnRoot'>, nowMs: number): Finding[] {
  return DOCUMENTS.flatMap(({ what, load, places, maxAgeMs, isOptional }) => {
    const found = places
      .map((place) => ({
        path: join(ptnRoot, place),
        stats: statSync(join(ptnRoot, place), { throwIfNoEntry: false }),
      }))
      .filter(({ stats }) => stats !== undefined)
      .sort((a, b) => (b.stats?.mtimeMs ?? 0) - (a.stats?.mtimeMs ?? 0));
    const [newest] = found;
    if (newest?.stats === undefined) {
      if (isOptional) return [];
      return warning(
        what,
        `there is no ${places.join(' nor ')} in ${ptnRoot}`,
        'it is answered by 404 until the validator writes it',
      );
    }
    try {
      accessSync(newest.path, constants.R_OK);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      return problem(what, detail, 'let the user of the server read it');
    }
    if (load !== 'checkpoint' && newest.stats.size > MAX_TEXT_BYTES) {
      const detail = `${newest.path} is larger than ${MAX_TEXT_BYTES / 2 ** 20} MiB`;
      return problem(what, detail, 'what was read last is served on; find out what makes it so large');
    }
    const ageMs = nowMs - newest.stats.mtimeMs;
    const age = counted(Math.max(Math.round(ageMs / 60_000), 0), 'minute');
    return ageMs > maxAgeMs
      ? warning(what, `${newest.path} was last written ${age} ago`, 'does the validator run, and write here?')
      : ok(what, `${newest.path}, written ${age} ago`);
  });
}
