/** A place in the order stream: everything up to `sequence` of the order log `epoch` has been worked on. */
export interface Cursor {
  readonly sequence: number;
  /** Identity of the order log; `null` where the server has not sent one. */
  readonly epoch: string | null;
}

/** Where a program keeps its place in the stream from one run to the next. */
export interface CursorStore {
  /** `null` where nothing was saved yet. */
  load(): Promise<Cursor | null> | Cursor | null;
  /** Called after the orders up to the cursor were worked on; one call at a time. */
  save(cursor: Cursor): Promise<void> | void;
}

/** Keeps the cursor for as long as the program runs: for several clients one after the other, and for tests. */
export class MemoryCursorStore implements CursorStore {
  #cursor: Cursor | null;

  constructor(cursor: Cursor | null = null) {
    this.#cursor = cursor;
  }

  load(): Cursor | null {
    return this.#cursor;
  }

  save(cursor: Cursor): void {
    this.#cursor = cursor;
  }
}

/** Whether a value from outside is a cursor. */
export function isCursor(value: unknown): value is Cursor {
  if (typeof value !== 'object' || value === null || !('sequence' in value) || !('epoch' in value))
    return false;
  const { sequence, epoch } = value;
  return (
    typeof sequence === 'number' &&
    Number.isSafeInteger(sequence) &&
    sequence >= 0 &&
    (epoch === null || (typeof epoch === 'string' && epoch !== ''))
  );
}
