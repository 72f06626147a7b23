import type { Session } from './session.ts';

/** Between two looks at the network: an order that comes meanwhile waits no longer. */
const TURN_MS = 5;

/**
 * Sessions that are far behind. Each is given a part in turn, for a few milliseconds, and then everything else of the
 * process has its turn: however many orders are replayed to however many, live ones go first.
 */
export class Replays {
  /** Who waits longest first. */
  readonly #waiting = new Set<Pick<Session, 'feedPart'>>();
  #hasTurn = false;

  add(session: Pick<Session, 'feedPart'>): void {
    this.#waiting.add(session);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#hasTurn) return;
    this.#hasTurn = true;
    setImmediate(() => {
      this.#hasTurn = false;
      this.#takeTurn();
    });
  }

  #takeTurn(): void {
    const untilMs = performance.now() + TURN_MS;
    for (const session of this.#waiting) {
      this.#waiting.delete(session);
      // To the end of the line, behind those that this loop comes to yet.
      if (session.feedPart()) this.#waiting.add(session);
      if (performance.now() >= untilMs) break;
    }
    if (this.#waiting.size > 0) this.#schedule();
  }
}
