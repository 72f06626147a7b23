import type { MinerRecord } from '../miner-record.ts';
import { firstOrderMs } from '../penalties/scoring-positions.ts';
import { moveTo } from './buckets.ts';
import type { BucketEntry, ChallengeState } from './buckets.ts';
import type { Inspection } from './inspect-challenge.ts';

export interface AdmitInput {
  /** Unix ms. */
  readonly nowMs: number;
  readonly state: ChallengeState;
  readonly miners: ReadonlyMap<string, MinerRecord>;
  readonly eliminated: ReadonlySet<string>;
  /** Registered hotkeys; undefined where that is not known, and all count as registered. */
  readonly metagraph?: ReadonlySet<string> | undefined;
  /** Whether it is the first time since the validator started, when starts are set right by the orders. */
  readonly isFirst?: boolean | undefined;
}

/** The state before an inspection: without the eliminated, and with miners that placed their first order. */
export function admitMiners(input: AdmitInput): ChallengeState {
  const { nowMs, state, miners, eliminated, metagraph, isFirst = false } = input;
  const next = new Map<string, BucketEntry>();
  for (const [hotkey, entry] of state) {
    if (eliminated.has(hotkey)) continue;
    const firstMs = isFirst ? firstOrderMs(miners.get(hotkey)?.positions ?? []) : undefined;
    const isCorrected = entry.bucket === 'CHALLENGE' && firstMs !== undefined;
    next.set(hotkey, isCorrected ? { ...entry, startMs: firstMs } : entry);
  }
  for (const { hotkey, positions } of miners.values()) {
    const isRegistered = metagraph?.has(hotkey) ?? true;
    if (positions.length === 0 || next.has(hotkey) || eliminated.has(hotkey) || !isRegistered) continue;
    next.set(hotkey, { bucket: 'CHALLENGE', startMs: firstOrderMs(positions) ?? nowMs });
  }
  return next;
}

/** The state after an inspection at `nowMs` (Unix ms). */
export function applyInspection(
  state: ChallengeState,
  { promoted, demoted, moved, failed }: Omit<Inspection, 'reports'>,
  nowMs: number,
  metagraph?: ReadonlySet<string>,
): ChallengeState {
  const next = new Map([...state, ...moved]);
  for (const hotkey of promoted) next.set(hotkey, moveTo('MAINCOMP', state.get(hotkey), nowMs));
  for (const hotkey of demoted) next.set(hotkey, moveTo('PROBATION', state.get(hotkey), nowMs));
  for (const hotkey of failed.keys()) next.delete(hotkey);
  for (const hotkey of next.keys()) if (metagraph?.has(hotkey) === false) next.delete(hotkey);
  return next;
}
