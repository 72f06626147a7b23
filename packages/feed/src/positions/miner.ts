import { comparePositions, DAY_MS, isSettled, MinerEncoding } from '@ptn-api/positions';
import type { EncodedMiner, EncodedValue, EncodingPlan } from '@ptn-api/positions';
import type { LivePosition, LoadedMiner } from '../tasks/load-miner.ts';
import type { PositionRead } from '../tasks/read-positions.ts';

/**
 * A closing position has its open file deleted first and its closed one written then; a rewrite may be a deletion and
 * a new file. For so long a position whose file is missing is still shown, so that it does not vanish in between.
 */
export const MISSING_GRACE_MS = 1000;
/** A file that has not read for this long counts as missing: its orders are waited for no longer. */
const UNREADABLE_GRACE_MS = 60_000;

interface FileState {
  readonly stamp: string;
  readonly positionUuid: string;
  readonly isSettled: boolean;
}

interface LiveEntry extends LivePosition {
  /** Unix ms at which its file was found missing. */
  readonly missingSinceMs: number | null;
}

/** A position file that could not be read as one. */
export interface BadFile {
  readonly stamp: string;
  readonly reason: string;
  readonly sinceMs: number;
  /** Orders that were streamed may be in it and nowhere else: nothing that was read from it before is shown. */
  readonly hidesOrders: boolean;
}

/** What an encoding was asked for, to know afterwards what it covers. */
export interface EncodePlan extends EncodingPlan {
  /** Of the content it was made from. */
  readonly version: number;
  readonly settling: readonly LiveEntry[];
}

/** All that is known of one miner, and when something of it is due. Times are Unix ms. */
export class Miner {
  readonly files = new Map<string, FileState>();
  readonly bad = new Map<string, BadFile>();
  readonly live = new Map<string, LiveEntry>();
  #encoding = new MinerEncoding();
  #version = 0;
  /** Whether it was ever read as a whole. */
  #wasRead = false;
  /** The members besides positions, where the source gives them; else they are computed. */
  #rest: string | null = null;
  /** From when on the miner must be read anew as a whole; Infinity if it need not. */
  #reloadMs = Infinity;
  /** When it must be encoded again although nothing was written. */
  changeMs = Infinity;

  get isEmpty(): boolean {
    return !this.#encoding.hasSettled && this.live.size === 0 && this.#rest === null;
  }

  /** For the order of miners; 1 while it is not known. */
  get thirtyDayReturns(): number {
    return this.#encoding.thirtyDayReturns;
  }

  /** The miner was read as a whole. `rest`: its members besides positions, where the source gives them. */
  read(loaded: LoadedMiner, rest: string | null, now: number): void {
    this.#version += 1;
    this.#encoding = new MinerEncoding(loaded.blocks, loaded.settled);
    const filesBefore = new Map(this.files);
    const liveBefore = new Map(this.live);
    this.live.clear();
    for (const position of loaded.live) {
      this.live.set(position.facts.positionUuid, { ...position, missingSinceMs: null });
    }
    this.files.clear();
    // A file that does not read just now keeps its last good content; two of one position keep it together.
    const kept = new Set<string>();
    for (const { path } of loaded.bad) {
      const file = filesBefore.get(path);
      const entry = file && liveBefore.get(file.positionUuid);
      if (file === undefined || entry === undefined) continue;
      if (this.live.has(file.positionUuid) && !kept.has(file.positionUuid)) continue;
      this.files.set(path, file);
      this.live.set(file.positionUuid, entry);
      kept.add(file.positionUuid);
    }
    for (const { path, ...state } of loaded.files) this.files.set(path, state);
    const badBefore = new Map(this.bad);
    this.bad.clear();
    for (const { path, stamp, reason } of loaded.bad) {
      const known = badBefore.get(path);
      const hidesOrders =
        !this.files.has(path) && (!this.#wasRead || filesBefore.has(path) || known?.hidesOrders === true);
      this.bad.set(path, { stamp, reason, sinceMs: known?.sinceMs ?? now, hidesOrders });
    }
    this.#rest = rest;
    this.#wasRead = true;
  }

  /** Whether orders that were streamed may be missing because a file does not read just now. */
  isUnread(now: number): boolean {
    for (const { hidesOrders, sinceMs } of this.bad.values())
      if (hidesOrders && now - sinceMs < UNREADABLE_GRACE_MS) return true;
    return false;
  }

  /** The miner is no longer in the source. */
  clear(): void {
    this.#version += 1;
    this.#encoding = new MinerEncoding();
    this.live.clear();
    this.files.clear();
    this.bad.clear();
    this.#rest = null;
    this.changeMs = Infinity;
  }

  /** What was due by the old time is due by the new one, or it would wait for as long as the clock was set back. */
  clockSetBack(now: number): void {
    // What is or was encoded by the old time is not taken over.
    this.#version += 1;
    this.#encoding.forgetLive();
    for (const [uuid, entry] of this.live) {
      const { missingSinceMs } = entry;
      if (missingSinceMs !== null)
        this.live.set(uuid, { ...entry, missingSinceMs: Math.min(missingSinceMs, now) });
    }
    for (const [path, file] of this.bad)
      this.bad.set(path, { ...file, sinceMs: Math.min(file.sinceMs, now) });
    // What is settled by the old time only must come apart again.
    if (this.#reloadMs !== Infinity || this.#encoding.lastCloseMs >= now - DAY_MS) this.reload();
  }

  /** The miner must be read anew as a whole, by default at once by whatever clock. */
  reload(atMs = 0): void {
    this.#reloadMs = Math.min(this.#reloadMs, atMs);
    this.changeMs = Math.min(this.changeMs, this.#reloadMs);
  }

  /** Whether it must be read anew now. Who asks does so: what makes it necessary from now on needs another reading. */
  takeReload(now: number): boolean {
    if (this.#reloadMs > now) return false;
    this.#reloadMs = Infinity;
    return true;
  }

  /**
   * Applies what was found at the path of one of its files.
   *
   * @returns whether the miner's value may have changed.
   */
  fileFound(read: PositionRead, now: number): boolean {
    switch (read.kind) {
      case 'same':
        return this.#same(read.path);
      case 'gone':
        return this.#missing(read.path, now);
      case 'bad':
        // The last good content stays until the file reads again or is missing.
        this.bad.set(read.path, {
          hidesOrders: false,
          sinceMs: now,
          ...this.bad.get(read.path),
          stamp: read.stamp,
          reason: read.reason,
        });
        return false;
      case 'read':
        return this.#fileRead(read, now);
    }
  }

  /** A file that was missing is there again, unchanged. */
  #same(path: string): boolean {
    this.bad.delete(path);
    const file = this.files.get(path);
    const entry = file && this.live.get(file.positionUuid);
    if (entry?.path !== path || entry.missingSinceMs === null) return false;
    this.live.set(entry.facts.positionUuid, { ...entry, missingSinceMs: null });
    return true;
  }

  #missing(path: string, now: number): boolean {
    this.bad.delete(path);
    const file = this.files.get(path);
    if (file === undefined) return false;
    this.files.delete(path);
    const graceEndMs = now + MISSING_GRACE_MS;
    if (file.isSettled) {
      this.reload(graceEndMs);
      return true;
    }
    const entry = this.live.get(file.positionUuid);
    if (entry?.path !== path) return false;
    this.live.set(file.positionUuid, { ...entry, missingSinceMs: now });
    this.changeMs = Math.min(this.changeMs, graceEndMs);
    // The closed file of a position is missing and its open one is there: only the folder shows what holds.
    if (this.files.has(path.replace('/closed/', '/open/'))) this.reload(graceEndMs);
    return true;
  }

  #fileRead(read: Extract<PositionRead, { kind: 'read' }>, now: number): boolean {
    const { path, stamp, position } = read;
    const { positionUuid } = position.facts;
    this.bad.delete(path);
    const before = this.files.get(path);
    const settled = isSettled(position.facts, now);
    this.files.set(path, { stamp, positionUuid, isSettled: settled });
    // What is compressed together with others is put in its place by reading the folder; it is rare.
    if (settled || before?.isSettled === true) {
      this.reload();
      return true;
    }
    if (before !== undefined && before.positionUuid !== positionUuid) this.live.delete(before.positionUuid);
    const other = this.live.get(positionUuid);
    const isThere = other !== undefined && other.missingSinceMs === null;
    // Read again because its stamp said nothing.
    if (isThere && other.path === path && other.text === position.text) return false;
    // While a position closes both of its files may be there.
    if (isThere && other.path !== path && other.facts.isClosed && !position.facts.isClosed) return false;
    this.live.set(positionUuid, { ...position, path, missingSinceMs: null });
    return true;
  }

  /** What must be encoded at this time. Positions that are due settle or vanish here. */
  plan(now: number, strip: boolean): EncodePlan {
    for (const [uuid, { missingSinceMs }] of this.live) {
      if (missingSinceMs !== null && missingSinceMs + MISSING_GRACE_MS <= now) this.live.delete(uuid);
    }
    const live = [...this.live.values()];
    if (this.#rest === null) live.sort((a, b) => comparePositions(a.facts, b.facts));
    // Settled ones leave from the front only, so that the order holds; in a file's own order others may stand before.
    const first = live.findIndex((entry) => !this.#settles(entry, now));
    const settling = live.slice(0, first === -1 ? live.length : first);
    const remaining = live.slice(settling.length);
    return {
      version: this.#version,
      ...this.#encoding.plan(settling, remaining, this.#rest, { now, strip }),
      settling,
    };
  }

  #settles({ facts, missingSinceMs }: LiveEntry, now: number): boolean {
    if (missingSinceMs !== null || !isSettled(facts, now)) return false;
    return this.#rest !== null || (facts.closeMs ?? 0) >= this.#encoding.lastCloseMs;
  }

  /**
   * Takes over what was encoded by a plan of this miner.
   *
   * @returns its value; `null` where it was replaced since, as what was encoded belongs to no state.
   */
  encoded(plan: EncodePlan, result: EncodedMiner): EncodedValue | null {
    if (plan.version !== this.#version) return null;
    const value = this.#encoding.take(plan, result);
    for (const entry of plan.settling) {
      const { facts, path } = entry;
      // A newer content that came meanwhile is put in its place by reading the folder.
      if (this.live.get(facts.positionUuid) === entry) this.live.delete(facts.positionUuid);
      else this.reload();
      const file = this.files.get(path);
      if (file !== undefined) this.files.set(path, { ...file, isSettled: true });
    }
    this.changeMs = Math.min(
      this.#encoding.changeMs,
      this.#reloadMs,
      ...[...this.live.values()].flatMap(({ missingSinceMs }) =>
        missingSinceMs === null ? [] : [missingSinceMs + MISSING_GRACE_MS],
      ),
    );
    return value;
  }
}
