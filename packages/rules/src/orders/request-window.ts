/** How many requests of a kind a hotkey may send in a time. */
export interface RequestLimit {
  readonly maxRequests: number;
  readonly windowMs: number;
}

/** The requests of a hotkey since its window began. */
export interface RequestWindow {
  /** Unix ms of the first request. */
  readonly startMs: number;
  readonly count: number;
}

export type RequestCount =
  | { readonly ok: true; readonly window: RequestWindow }
  /** How long until a new window may begin. */
  | { readonly ok: false; readonly waitMs: number };

/**
 * Counts a request. The window is fixed: it begins with a request, and the next one begins with the first request more
 * than `windowMs` later. Requests that are refused here do not count.
 */
export function countRequest(
  window: RequestWindow | undefined,
  { maxRequests, windowMs }: RequestLimit,
  nowMs: number,
): RequestCount {
  if (window === undefined || nowMs - window.startMs > windowMs) {
    return { ok: true, window: { startMs: nowMs, count: 1 } };
  }
  if (window.count < maxRequests) return { ok: true, window: { ...window, count: window.count + 1 } };
  return { ok: false, waitMs: window.startMs + windowMs - nowMs };
}
