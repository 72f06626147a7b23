import { listOf, membersOf, textOf } from '../../model/members.ts';
import { timeOf } from './read-positions.ts';

/** How one validator answered when it was last asked. */
export interface ValidatorAnswer {
  readonly hotkey: string;
  /** `answered`, `refused`, `unanswered`. */
  readonly result: string;
  /** The reason of a refusal, or of having no answer. */
  readonly text: string;
  /** Time of the newest order that it knows of, Unix ms. */
  readonly lastOrderMs: number | null;
  /** Whether the page shows its data. */
  readonly isShown: boolean;
}

/** What the miner says of its data; times are Unix ms by the miner's clock. */
export interface MinerStatus {
  readonly hotkey: string;
  /** How far the miner's clock is ahead of this computer's, in ms. */
  readonly clockOffsetMs: number;
  readonly isAsking: boolean;
  /** When validators were last asked. */
  readonly askedMs: number | null;
  /** When one of them last gave its data. */
  readonly answeredMs: number | null;
  /** Another one with each change of the data. */
  readonly dataId: string;
  readonly validators: readonly ValidatorAnswer[];
}

/** Reads what `/status.json` answers. */
export function readStatus(value: unknown, nowMs: number): MinerStatus {
  const status = membersOf(value);
  const minerNowMs = timeOf(status['now_ms']);
  return {
    hotkey: textOf(status['hotkey']),
    clockOffsetMs: minerNowMs === null ? 0 : minerNowMs - nowMs,
    isAsking: status['is_asking'] === true,
    askedMs: timeOf(status['asked_ms']),
    answeredMs: timeOf(status['answered_ms']),
    dataId: textOf(status['data_id']),
    validators: listOf(status['validators']).map((entry) => {
      const validator = membersOf(entry);
      return {
        hotkey: textOf(validator['hotkey']),
        result: textOf(validator['result']),
        text: textOf(validator['text']),
        lastOrderMs: timeOf(validator['last_order_ms']),
        isShown: validator['is_shown'] === true,
      };
    }),
  };
}

/** Data that is older is said to be old: validators are asked once a minute while a page is open. */
const STALE_MS = 5 * 60_000;

export type Freshness = 'asking' | 'fresh' | 'stale' | 'unanswered';

/** How far the data may be relied on, at a time by the miner's clock. */
export function freshnessOf({ askedMs, answeredMs }: MinerStatus, minerNowMs: number): Freshness {
  if (answeredMs !== null) return minerNowMs - answeredMs > STALE_MS ? 'stale' : 'fresh';
  return askedMs === null ? 'asking' : 'unanswered';
}
