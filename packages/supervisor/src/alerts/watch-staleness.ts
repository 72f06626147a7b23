export interface StalenessOptions {
  /** For how long nothing has proved that the positions are up to date; `null` before the first proof. */
  readonly uncheckedMs: () => number | null;
  /** Stale is what is longer unproved. */
  readonly maxStalenessMs: number;
  /** Told of every change from fresh to stale and back. */
  readonly onChange: (isStale: boolean, uncheckedMs: number) => void;
  /** How often it is looked. */
  readonly everyMs: number;
}

/**
 * Looks again and again whether the positions are stale, by the same measure as `/readyz`. A feed that hangs, or a disk
 * that does, tells nobody: somebody else has to look.
 *
 * @returns what ends it.
 */
export function watchStaleness(options: StalenessOptions): () => void {
  const { uncheckedMs, maxStalenessMs, onChange, everyMs } = options;
  let wasStale = false;
  const timer = setInterval(() => {
    const unchecked = uncheckedMs();
    if (unchecked === null || unchecked > maxStalenessMs === wasStale) return;
    wasStale = !wasStale;
    onChange(wasStale, unchecked);
  }, everyMs).unref();
  return () => {
    clearInterval(timer);
  };
}
