/** An error that was logged. */
export interface LoggedError {
  /** Unix ms. */
  readonly timeMs: number;
  /** `event` of the line, where it has one. */
  readonly event: string | null;
  readonly message: string;
}

/** The maximum that is kept. */
const KEPT_ERRORS = 20;

const recent: LoggedError[] = [];

/**
 * Keeps the arguments of a call of the log, for whoever asks what went wrong last in this process: the name of the
 * event, the message and that of its `err`, and nothing else of the line.
 */
export function keepLoggedError(args: readonly unknown[], nowMs = Date.now()): void {
  const [first, second] = args;
  const fields = typeof first === 'object' && first !== null ? (first as Record<string, unknown>) : {};
  const text = [first, second].find((arg) => typeof arg === 'string') ?? '';
  const { event, err } = fields;
  const cause = err instanceof Error && err.message !== text ? `: ${err.message}` : '';
  recent.push({ timeMs: nowMs, event: typeof event === 'string' ? event : null, message: `${text}${cause}` });
  if (recent.length > KEPT_ERRORS) recent.shift();
}

/** The last errors of this process, oldest first. */
export function recentErrors(): readonly LoggedError[] {
  return [...recent];
}
