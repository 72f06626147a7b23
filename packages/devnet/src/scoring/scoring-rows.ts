import type { Scoring } from './scoring.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 1440 * MINUTE_MS;
/** How often validators write what others read. */
export const FILES_EVERY_MS = 15 * SECOND_MS;

/** Something that scoring does again and again, in simulated time. */
export interface ScoringRow {
  readonly name: string;
  readonly everyMs: number;
  readonly run: (nowMs: number) => void | Iterable<void>;
}

/**
 * When scoring does what; rows that are due at the same time run in this order, so that the files hold what was decided just
 * before.
 *
 * @param filesEveryMs how often the large files are written that only others read. A fast clock should write them as often in
 *   real time as a slow one.
 */
export function scoringRows(scoring: Scoring, filesEveryMs = (): number => FILES_EVERY_MS): ScoringRow[] {
  const ledgersEveryMs = 5 * MINUTE_MS;
  return [
    row('drawdown watch', 5 * SECOND_MS, (nowMs) => {
      scoring.watchDrawdowns(nowMs);
    }),
    row('ledgers', ledgersEveryMs, (nowMs) => scoring.updateLedgers(nowMs)),
    row(
      'ledger file',
      () => Math.max(ledgersEveryMs, filesEveryMs()),
      () => scoring.writeLedgers(),
    ),
    row('challenge period', MINUTE_MS, (nowMs) => {
      scoring.refreshChallenge(nowMs);
    }),
    row('weights', 5 * MINUTE_MS, (nowMs) => {
      scoring.setWeights(nowMs);
    }),
    row('plagiarism', DAY_MS, (nowMs) => scoring.reportPlagiarism(nowMs)),
    row('outputs', filesEveryMs, (nowMs) => scoring.writeOutputs(nowMs)),
    row('statistics', filesEveryMs, (nowMs) => scoring.writeStatistics(nowMs)),
    row('checkpoint', filesEveryMs, (nowMs) => scoring.writeCheckpoint(nowMs)),
  ];
}

function row(name: string, every: number | (() => number), run: ScoringRow['run']): ScoringRow {
  return {
    name,
    get everyMs() {
      return typeof every === 'number' ? every : every();
    },
    run,
  };
}
