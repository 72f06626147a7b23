import type { StreamSession } from './stream-session.ts';

/** Between two checks of the network: an order that comes meanwhile waits no longer. */
const TURN_MS = 2;
/** How many times as long everything else of the process has after a turn, and other processes after that. */
const PAUSE_FACTOR = 3;

type Replaying = Pick<StreamSession, 'feedPart' | 'digest'>;

/**
 * Sessions that are far behind. Each key is given a part in turn, for a few milliseconds, a quarter of the time at most:
 * however many orders are replayed to however many, live ones go first.
 */
export class Replays {
  /** By key, so that one with many connections has no more of the time. Who waits longest first, of keys and sessions. */
  readonly #lines = new Map<string | undefined, Set<Replaying>>();
  #hasTurn = false;
  /** Before this, there is no further turn. */
  #pauseEndMs = 0;

  add(session: Replaying): void {
    const line = this.#lines.get(session.digest);
    if (line === undefined) this.#lines.set(session.digest, new Set([session]));
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
      this.#lines.delete(digest);
      const [session] = line;
      if (session === undefined) continue;
      line.delete(session);
      if (session.feedPart()) line.add(session);
      // To the end, behind the keys that this loop comes to yet.
      if (line.size > 0) this.#lines.set(digest, line);
      usedMs = performance.now() - startedMs;
      if (usedMs >= TURN_MS) break;
    }
    this.#pauseEndMs = startedMs + usedMs * (1 + PAUSE_FACTOR);
    if (this.#lines.size > 0) this.#schedule();
  }
}
