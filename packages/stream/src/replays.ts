import { Budgets } from '@ptn-api/access';
import type { StreamSession } from './stream-session.ts';

/** Between two checks of the network: an order that comes meanwhile waits no longer. */
const TURN_MS = 2;
/** How many times as long everything else of the process has after a part that was sent before, and other processes after that. */
const PAUSE_FACTOR = 3;
/** Of this process, in ms, that a key has for what it could have had before: most resumes take less. */
const TIME_OF_KEY = { perSecond: 150, atOnce: 1000 };
/** Until the next look at keys that have used up theirs. */
const RETRY_MS = 10;

type Replaying = Pick<StreamSession, 'feedPart' | 'digest' | 'sentUpTo' | 'startedAt'>;

/**
 * Sessions that are far behind. Each key is given a part in turn, for a few milliseconds: however many orders are replayed
 * to however many, live ones go first.
 *
 * For orders that it was sent before, or that were there before this process, a key has a quarter of the time at most, and
 * less when it goes on. What came since is sent to it once without a limit, and to each session what came after it began: it
 * costs no more than if it had been sent at once, and in a burst, or after an outage, all clients are far behind.
 */
export class Replays {
  /** By key, so that one with many connections has no more of the time. Who waits longest first, of keys and sessions. */
  readonly #lines = new Map<string, Set<Replaying>>();
  #hasTurn = false;
  /** Before this, there is no further turn. */
  #pauseEndMs = 0;
  readonly #times: Budgets;
  /** The last order that was there before. */
  #openedAt = Infinity;
  /** By key, the last order that a session here was sent. */
  readonly #newest = new Map<string, number>();

  constructor(timeOfKey = TIME_OF_KEY) {
    this.#times = new Budgets(timeOfKey);
  }

  /** A log is read from now on whose last order is this one. */
  logOpened(last: number): void {
    this.#openedAt = last;
    this.#newest.clear();
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
    let againMs = 0;
    for (const [digest, line] of this.#lines) {
      const session = this.#next(digest, line);
      if (session === undefined) continue;
      this.#lines.delete(digest);
      line.delete(session);
      const isFirst = this.#isFirst(digest, session);
      if (session.feedPart()) line.add(session);
      // To the end, behind the keys that this loop comes to yet.
      if (line.size > 0) this.#lines.set(digest, line);
      const partMs = performance.now() - startedMs - usedMs;
      if (isFirst) this.#newest.set(digest, Math.max(session.sentUpTo ?? 0, this.#openedAt));
      else {
        this.#times.spend(digest, partMs);
        againMs += partMs;
      }
      usedMs += partMs;
      if (usedMs >= TURN_MS) break;
    }
    this.#pauseEndMs = performance.now() + (usedMs > 0 ? againMs * PAUSE_FACTOR : RETRY_MS);
    if (this.#lines.size > 0) this.#schedule();
    else this.#times.forgetWhole();
  }

  /** Of a key whose time is used up, one that goes where none of the key has been. */
  #next(digest: string, line: ReadonlySet<Replaying>): Replaying | undefined {
    const hasTime = this.#times.waitMs(digest) === 0;
    for (const session of line) if (hasTime || this.#isFirst(digest, session)) return session;
    return undefined;
  }

  /** What came after a session began was never sent to it, whatever other sessions of the key have. */
  #isFirst(digest: string, { sentUpTo = 0, startedAt }: Replaying): boolean {
    return sentUpTo >= Math.min(this.#newest.get(digest) ?? this.#openedAt, startedAt);
  }
}
