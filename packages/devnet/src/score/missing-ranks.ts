import { PORTFOLIO } from '@ptn-api/scoring';
import type { Generation, MinerExplanation, MinerRecord, Round } from '@ptn-api/scoring';

/** Why miners cannot be ranked by a generation. */
export interface MissingRanks {
  /** What the ledgers lack, as a candidate's row says it. */
  readonly lack: string;
  /** What that means for a report: a sentence. */
  readonly problem: string;
  /** Whether a metric is known all the same. */
  readonly isKnown: (metric: string) => boolean;
}

const UNKNOWN = 'who is promoted or put on probation cannot be determined';
const KNOWN = 'drawdowns, penalties, days, times and eliminations are shown';

/** What the ledgers lack to rank miners by the rules of a generation; undefined where they do not. */
export function missingRanks(
  miners: readonly MinerRecord[],
  { name, segments, metrics }: Generation,
): MissingRanks | undefined {
  const ledgers = miners.flatMap(({ ledgers: own }) => [...(own ?? [])]);
  const isDivided = segments.some((segment) => segment.name !== PORTFOLIO);
  if (isDivided && ledgers.every(([pair]) => pair === PORTFOLIO)) {
    const classes = segments.map((segment) => segment.name).join(' and ');
    return {
      lack: 'its ledger is of all pairs together',
      problem:
        `each miner has one ledger, of all pairs together, as checkpoints have it, and validators since 2026, whose own ` +
        `rules are not known here. ${name} ranks ${classes} apart: there are no metrics, and ${UNKNOWN}; ${KNOWN}`,
      isKnown: () => false,
    };
  }
  const pnl = metrics.find((metric) => metric.name === 'pnl');
  const hasPnl = ledgers.some(([, { cps }]) => cps.some((cell) => 'pnl_gain' in cell || 'pnl_loss' in cell));
  if (pnl === undefined || hasPnl) return undefined;
  return {
    lack: 'its ledger has no pnl_gain and pnl_loss',
    problem:
      `the ledgers have no pnl_gain and pnl_loss, in place of which validators since December 2025 keep other members: the ` +
      `metric pnl, which counts ${pnl.weight} in ${name}, is missing, and ${UNKNOWN}`,
    isKnown: (metric) => metric !== pnl.name,
  };
}

/** A miner as it is shown without ranks. */
export function withoutRanks<Miner extends MinerExplanation>(
  miner: Miner,
  { lack, isKnown }: MissingRanks,
  { inspection: { promoted, demoted }, eliminations }: Round,
): Miner {
  const { hotkey, candidate, metrics, outcome } = miner;
  const isRanked = promoted.includes(hotkey) || demoted.includes(hotkey);
  const isEliminated = eliminations.some((row) => row.hotkey === hotkey);
  const { segments, ...others } = candidate ?? {};
  return {
    ...miner,
    metrics: metrics.filter(({ name }) => isKnown(name)),
    // One that was tried.
    candidate:
      segments === undefined ? candidate : ({ ...others, skipped: lack } as MinerExplanation['candidate']),
    outcome: isRanked && !isEliminated ? undefined : outcome,
  };
}
