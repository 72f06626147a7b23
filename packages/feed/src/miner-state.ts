import { comparePositions, DAY_MS, isSettled, summaryFields, summaryText } from '@ptn-api/positions';
import type { SummarizedPosition, SummaryFields } from '@ptn-api/positions';
import type { EncodedValue } from '@ptn-api/runtime';
import type { EncodedMiner, EncodeMinerInput, PlacedBlock } from './tasks/encode-miner.ts';
import { summarized } from './tasks/load-miner.ts';
import type { LivePosition, LoadedMiner } from './tasks/load-miner.ts';
import type { PositionRead } from './tasks/read-positions.ts';
import type { SettledBlock } from './tasks/settled-blocks.ts';

/**
 * A closing position has its open file deleted first and its closed one written then; a rewrite may be a deletion and
 * a new file. For so long a position whose file is gone is still shown, so that it does not vanish in between.
 */
export const GONE_GRACE_MS = 1000;
/** A file that has not read for this long counts as gone: its orders are waited for no longer. */
const UNREAD_GRACE_MS = 60_000;
/** Files that are written every few seconds need not be looked at to the millisecond: 7-day expiries are gathered. */
const STRIP_GRID_MS = 15_000;

interface FileState {
  readonly stamp: string;
  readonly positionUuid: string;
  readonly isSettled: boolean;
}

interface LiveEntry extends LivePosition {
  /** Unix ms at which its file was found gone. */
  readonly goneMs: number | null;
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
export interface EncodePlan {
  /** Of the content it was made from. */
  readonly version: number;
  readonly input: EncodeMinerInput;
  readonly settling: readonly LiveEntry[];
  readonly summary: SummaryFields | null;
}

/** All that the feed holds of one miner. Does no work of its own: tasks read and encode, this applies the results. */
export class MinerState {
  readonly hotkey: string;
  readonly files = new Map<string, FileState>();
  readonly bad = new Map<string, BadFile>();
  readonly live = new Map<string, LiveEntry>();
  #version = 0;
  /** Whether it was ever read as a whole. */
  #wasRead = false;
  #blocks: SettledBlock[] = [];
  #settled: SummarizedPosition[] = [];
  /** Unix ms from which on the miner must be read from its folder again; Infinity if it need not. */
  reloadMs = 0;
  /** Unix ms at which it must be encoded again although nothing was written. */
  changeMs = Infinity;
  /** What was last encoded, for the order of miners; 1 while there is none. */
  thirtyDayReturns = 1;
  /** The members besides positions, where the source gives them; else they are computed. */
  rest: string | null = null;
  /** Positions left out of the delayed share because their generation cannot be cut. */
  unsupported = 0;

  constructor(hotkey: string) {
    this.hotkey = hotkey;
  }

  get isEmpty(): boolean {
    return this.#settled.length === 0 && this.live.size === 0 && this.rest === null;
  }

  /** Unix ms of the last close among the settled positions, -Infinity if there is none. */
  get lastSettledMs(): number {
    return this.#settled.at(-1)?.closeMs ?? -Infinity;
  }

  /** The encoded miner, once it was encoded. */
  value(live: EncodedMiner['live']): EncodedValue {
    return { kind: 'miner', settled: this.#blocks.map((block) => block.segment), live };
  }

  /** Takes over a miner that was read as a whole. */
  replace(loaded: LoadedMiner, rest: string | null, now: number): void {
    this.#version += 1;
    this.#blocks = [...loaded.blocks];
    this.#settled = [...loaded.settled];
    const filesBefore = new Map(this.files);
    const liveBefore = new Map(this.live);
    this.live.clear();
    for (const position of loaded.live) {
      this.live.set(position.facts.positionUuid, { ...position, goneMs: null });
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
    const before = new Map(this.bad);
    this.bad.clear();
    for (const { path, stamp, reason } of loaded.bad) {
      const known = before.get(path);
      const hidesOrders =
        !this.files.has(path) && (!this.#wasRead || filesBefore.has(path) || known?.hidesOrders === true);
      this.bad.set(path, { stamp, reason, sinceMs: known?.sinceMs ?? now, hidesOrders });
    }
    this.rest = rest;
    this.#wasRead = true;
    // Such a source is read as a whole: there is nothing to read a miner again from.
    if (rest !== null) this.reloadMs = Infinity;
  }

  /** Whether orders that were streamed may be missing because a file does not read just now. */
  isUnread(now: number): boolean {
    for (const { hidesOrders, sinceMs } of this.bad.values())
      if (hidesOrders && now - sinceMs < UNREAD_GRACE_MS) return true;
    return false;
  }

  /** The miner is no longer in the source. */
  clear(): void {
    this.#version += 1;
    this.#blocks = [];
    this.#settled = [];
    this.live.clear();
    this.files.clear();
    this.bad.clear();
    this.rest = null;
    this.changeMs = Infinity;
  }

  /**
   * What was due by the old time is due by the new one, or it would wait for as long as the clock was set back.
   *
   * @param canReload whether the source can read the miner by itself.
   */
  clockSetBack(now: number, canReload: boolean): void {
    // What is being encoded by the old time is not taken over.
    this.#version += 1;
    for (const [uuid, entry] of this.live) {
      if (entry.goneMs !== null) this.live.set(uuid, { ...entry, goneMs: Math.min(entry.goneMs, now) });
    }
    for (const [path, file] of this.bad)
      this.bad.set(path, { ...file, sinceMs: Math.min(file.sinceMs, now) });
    // What is settled by the old time only must come apart again.
    if (canReload && (this.reloadMs !== Infinity || this.lastSettledMs >= now - DAY_MS)) this.reload();
  }

  /** Whether the miner was not replaced since the plan was made: else what it encodes belongs to no state. */
  isCurrent(plan: EncodePlan): boolean {
    return plan.version === this.#version;
  }

  /** The miner must be read from its folder again, by whatever clock. */
  reload(): void {
    this.#requestReload(0);
  }

  #requestReload(atMs: number): void {
    this.reloadMs = Math.min(this.reloadMs, atMs);
    this.changeMs = Math.min(this.changeMs, this.reloadMs);
  }

  /**
   * Applies what was found at the path of one of its files.
   *
   * @returns whether the miner's value may have changed.
   */
  apply(read: PositionRead, now: number): boolean {
    switch (read.kind) {
      case 'same':
        return this.#found(read.path);
      case 'gone':
        return this.#gone(read.path, now);
      case 'bad':
        // The last good content stays until the file reads again or is gone.
        this.bad.set(read.path, {
          hidesOrders: false,
          sinceMs: now,
          ...this.bad.get(read.path),
          stamp: read.stamp,
          reason: read.reason,
        });
        return false;
      case 'read':
        return this.#read(read, now);
    }
  }

  /** A file that was taken for gone is there again, unchanged. */
  #found(path: string): boolean {
    this.bad.delete(path);
    const file = this.files.get(path);
    const entry = file && this.live.get(file.positionUuid);
    if (entry?.path !== path || entry.goneMs === null) return false;
    this.live.set(entry.facts.positionUuid, { ...entry, goneMs: null });
    return true;
  }

  #gone(path: string, now: number): boolean {
    this.bad.delete(path);
    const file = this.files.get(path);
    if (file === undefined) return false;
    this.files.delete(path);
    if (file.isSettled) {
      this.#requestReload(now + GONE_GRACE_MS);
      return true;
    }
    const entry = this.live.get(file.positionUuid);
    if (entry?.path !== path) return false;
    this.live.set(file.positionUuid, { ...entry, goneMs: now });
    this.changeMs = Math.min(this.changeMs, now + GONE_GRACE_MS);
    // The closed file of a position is gone and its open one is there: only the folder tells what holds.
    if (this.files.has(path.replace('/closed/', '/open/'))) this.#requestReload(now + GONE_GRACE_MS);
    return true;
  }

  #read(read: Extract<PositionRead, { kind: 'read' }>, now: number): boolean {
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
    // Read again because its stamp could not tell.
    if (other?.path === path && other.goneMs === null && other.text === position.text) return false;
    const otherIsNewer =
      other !== undefined &&
      other.path !== path &&
      other.goneMs === null &&
      other.facts.isClosed &&
      !position.facts.isClosed;
    if (otherIsNewer) return false;
    this.live.set(positionUuid, { ...position, path, goneMs: null });
    return true;
  }

  /** What must be encoded at this time. Positions that are due settle or vanish here. */
  plan(now: number, strip: boolean): EncodePlan {
    for (const [uuid, entry] of this.live) {
      if (entry.goneMs !== null && entry.goneMs + GONE_GRACE_MS <= now) this.live.delete(uuid);
    }
    const live = [...this.live.values()];
    if (this.rest === null) live.sort((a, b) => comparePositions(a.facts, b.facts));
    // Settled ones leave from the front only, so that the order holds; in a file's own order others may stand before.
    let count = 0;
    while (count < live.length && this.#settles(live[count], now)) count += 1;
    const settling = live.slice(0, count);
    const remaining = live.slice(count);
    const outdated = this.#blocks.flatMap((block, index): PlacedBlock[] =>
      block.stripMs <= now ? [[index, block]] : [],
    );
    const last = this.#blocks.at(-1);
    const summary =
      this.rest === null ? summaryFields([...this.#settled, ...live.map(({ facts }) => facts)], now) : null;
    return {
      version: this.#version,
      settling,
      summary,
      input: {
        now,
        strip,
        outdated,
        ...(settling.length > 0 && last !== undefined ? { last: [this.#blocks.length - 1, last] } : {}),
        settling: settling.map(({ text, facts }) => ({ text, facts })),
        live: remaining.map(({ text, facts }) => ({ text, facts })),
        hasSettled: this.#settled.length + settling.length > 0,
        rest: summary === null ? (this.rest ?? '') : summaryText(summary),
      },
    };
  }

  #settles(entry: LiveEntry | undefined, now: number): boolean {
    if (entry === undefined || entry.goneMs !== null || !isSettled(entry.facts, now)) return false;
    return this.rest !== null || (entry.facts.closeMs ?? 0) >= this.lastSettledMs;
  }

  /** Takes over what was encoded by a plan of this miner. */
  encoded(plan: EncodePlan, result: EncodedMiner): EncodedValue {
    for (const [index, block] of result.blocks) this.#blocks[index] = block;
    for (const entry of plan.settling) {
      const { facts, path } = entry;
      this.#settled.push(summarized(facts));
      // A newer content that came meanwhile is put in its place by reading the folder.
      if (this.live.get(facts.positionUuid) === entry) this.live.delete(facts.positionUuid);
      else this.reload();
      const file = this.files.get(path);
      if (file !== undefined) this.files.set(path, { ...file, isSettled: true });
    }
    this.unsupported = result.unsupported;
    if (plan.summary !== null) this.thirtyDayReturns = plan.summary.thirty_day_returns;
    this.changeMs = Math.min(
      result.changeMs,
      plan.summary?.changeMs ?? Infinity,
      Math.ceil(Math.min(...this.#blocks.map((block) => block.stripMs)) / STRIP_GRID_MS) * STRIP_GRID_MS,
      this.reloadMs,
      ...[...this.live.values()].flatMap(({ goneMs }) => (goneMs === null ? [] : [goneMs + GONE_GRACE_MS])),
    );
    return this.value(result.live);
  }
}
