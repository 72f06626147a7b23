import { Budgets } from '@ptn-api/access';
import type { StreamSession } from './stream-session.ts';

/** Between two checks of the network: an order that comes meanwhile waits no longer. */
const TURN_MS = 2;
/** How many times as long everything else of the process has after a turn, and other processes after that. */
const PAUSE_FACTOR = 3;
/** Of this process, in ms, that a key has: more than most resumes take, and then a part of each second. */
const TIME_OF_KEY = { perSecond: 150, atOnce: 1000 };
/** Until the next look at keys that have used up theirs. */
const RETRY_MS = 10;

type Replaying = Pick<StreamSession, 'feedPart' | 'digest'>;

/**
 * Sessions that are far behind. Each key is given a part in turn, for a few milliseconds, a quarter of the time at most,
 * and less when it goes on: however many orders are replayed to however many, live ones go first.
 */
export class Replays {
  /** By key, so that one with many connections has no more of the time. Who waits longest first, of keys and sessions. */
  readonly #lines = new Map<string, Set<Replaying>>();
  #hasTurn = false;
  /** Before this, there is no further turn. */
  #pauseEndMs = 0;
  readonly #times: Budgets;

  constructor(timeOfKey = TIME_OF_KEY) {
    this.#times = new Budgets(timeOfKey);
  }

  add(session: Replaying): void {
    const { digest = '' } = session;
    const line = this.#lines.get(digest);
    if (line === undefined) this.#lines.set(digest, new Set([session]));
    else line.add(session);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#hasTurn) return;
    this.#hasTurn = true;
    const take = (): void => {
      this.#hasTurn = false;
      this.#takeTurn();
    };
    const pauseMs = this.#pauseEndMs - performance.now();
    if (pauseMs <= 0) setImmediate(take);
    else setTimeout(take, pauseMs);
  }

  #takeTurn(): void {
    const startedMs = performance.now();
    let usedMs = 0;
    for (const [digest, line] of this.#lines) {
      if (this.#times.waitMs(digest) > 0) continue;
      this.#lines.delete(digest);
      const [session] = line;
      if (session === undefined) continue;
      line.delete(session);
      if (session.feedPart()) line.add(session);
      // To the end, behind the keys that this loop comes to yet.
      if (line.size > 0) this.#lines.set(digest, line);
      const partMs = performance.now() - startedMs - usedMs;
      this.#times.spend(digest, partMs);
      usedMs += partMs;
      if (usedMs >= TURN_MS) break;
    }
    this.#pauseEndMs = performance.now() + (usedMs > 0 ? usedMs * PAUSE_FACTOR : RETRY_MS);
    if (this.#lines.size > 0) this.#schedule();
    else this.#times.forgetWhole();
  }
}
