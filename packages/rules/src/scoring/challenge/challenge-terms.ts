import type { InspectChallenge } from './inspect-challenge.ts';

/** How a generation decides who joins the main competition and who has to leave. */
export interface ChallengeTerms {
  /** A miner in `CHALLENGE` has this long. */
  readonly challengeMs: number;
  /** One in `PROBATION` has this long; undefined where there is no such bucket. */
  readonly probationMs: number | undefined;
  /** Trading days that a candidate needs at a time (Unix ms). */
  readonly minimumDays: (nowMs: number) => number;
  readonly inspect: InspectChallenge;
}
