import type { Logger } from 'pino';
import type { BadFile } from './miner.ts';

/** A file that does not read is reported when it has been so for this long: until then it may still be written. */
const REPORT_AFTER_MS = 5000;
/** Of files that are to be reported at one moment this many are named, the others are counted. */
const MAX_NAMED = 10;

/** Reports files that have not read for a while: each once until it reads again, however often it is written. */
export class BadFileReports {
  readonly #log: Logger;
  readonly #reported = new Set<string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** @param bad by path, all that does not read now (Unix ms) */
  report(bad: ReadonlyMap<string, BadFile>, now: number): void {
    for (const path of this.#reported) if (!bad.has(path)) this.#reported.delete(path);
    const late = [...bad].filter(
      ([path, { sinceMs }]) => now - sinceMs >= REPORT_AFTER_MS && !this.#reported.has(path),
    );
    for (const [path] of late) this.#reported.add(path);
    for (const [path, { reason }] of late.slice(0, MAX_NAMED)) {
      this.#log.warn(
        { event: 'bad-position', path, reason },
        'a position is left out or shown as it last was, because its file does not read',
      );
    }
    if (late.length > MAX_NAMED) {
      this.#log.warn(
        { event: 'bad-positions', count: late.length - MAX_NAMED },
        'further positions are left out or shown as they last were, because their files do not read',
      );
    }
  }
}
