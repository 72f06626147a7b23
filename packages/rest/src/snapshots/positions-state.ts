import { deflateSegment, storedSegment } from '@ptn-api/positions';
import type { Segment } from '@ptn-api/positions';
import type { Tier } from '@ptn-api/protocol';
import { createHash } from 'node:crypto';
import type { MinerValue, PositionsHead, Transaction } from '@ptn-api/runtime';
import { advance, isKnown } from './history.ts';
import type { History } from './history.ts';
import { minerState } from './miner-state.ts';
import type { MinerState } from './miner-state.ts';
import { joinedSnapshot, keptSnapshot } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';

const MINER_KEY = 'miner:';
const OPENING = storedSegment('{');
const SEPARATOR = storedSegment(', ');
const CLOSING = storedSegment('}');

/** The positions in one generation. Never changes: a new generation is a new state, and readers keep theirs. */
export class PositionsState {
  readonly head: PositionsHead;
  /** In the order of the dashboard map. */
  readonly miners: ReadonlyMap<string, MinerState>;
  readonly history: History;
  readonly #full = new Map<Tier, Snapshot>();
  #hotkeys: Snapshot | undefined;

  constructor(head: PositionsHead, miners: ReadonlyMap<string, MinerState>, history: History) {
    this.head = head;
    this.miners = miners;
    this.history = history;
  }

  /** The dashboard map at a tier. Joined once per generation, on first demand, for all who ask. */
  full(tier: Tier): Snapshot {
    let full = this.#full.get(tier);
    if (full === undefined) {
      const miners = [...this.miners.values()];
      full = keptSnapshot(mapSegments(miners, tier), this.head.modifiedMs, mapDigest(miners, tier));
      this.#full.set(tier, full);
    }
    return full;
  }

  /** One miner's value at a tier; `undefined` where there is no such miner. */
  miner(hotkey: string, tier: Tier): Snapshot | undefined {
    const miner = this.miners.get(hotkey);
    if (miner === undefined) return undefined;
    return joinedSnapshot(miner.segments[tier], this.head.modifiedMs, `${tier}-${miner.digest[tier]}`);
  }

  /** The array of hotkeys, in the order of the map. */
  hotkeys(): Snapshot {
    this.#hotkeys ??= keptSnapshot(
      [deflateSegment(JSON.stringify([...this.miners.keys()]))],
      this.head.modifiedMs,
    );
    return this.#hotkeys;
  }

  /** The generation in which what the tier shows last changed: of one above nothing else can be said. */
  generationAt(tier: Tier): number {
    const changed = [...this.miners.values()].map((miner) => miner.changedAt[tier]);
    return [...changed, ...this.history.gone.values()].reduce(
      (latest, generation) => Math.max(latest, generation),
      this.head.goneAt ?? 0,
    );
  }

  /**
   * What changed at a tier after a generation, as `MinerPositionsChanges`; `undefined` where this worker does not
   * know.
   *
   * @param generation which one the answer says to be of
   */
  changes(tier: Tier, since: number, generation = this.history.generation): Snapshot | undefined {
    if (!isKnown(this.history, since)) return undefined;
    const changed = [...this.miners.values()].filter((miner) => miner.changedAt[tier] > since);
    const gone = [...this.history.gone].filter(([, goneAt]) => goneAt > since).map(([hotkey]) => hotkey);
    return joinedSnapshot(
      [
        storedSegment(`{"since": ${since}, "generation": ${generation}, "tier": ${tier}, "miners": `),
        ...mapSegments(changed, tier),
        deflateSegment(`, "gone": ${JSON.stringify(gone)}}`),
      ],
      this.head.modifiedMs,
    );
  }
}

function mapSegments(miners: readonly MinerState[], tier: Tier): Segment[] {
  const segments: Segment[] = [OPENING];
  for (const miner of miners) {
    if (segments.length > 1) segments.push(SEPARATOR);
    segments.push(miner.label, ...miner.segments[tier]);
  }
  segments.push(CLOSING);
  return segments;
}

/** Equal exactly for equal maps, and cheaper than the digest of all their segments. */
function mapDigest(miners: readonly MinerState[], tier: Tier): string {
  const hash = createHash('sha256');
  for (const miner of miners) hash.update(`${JSON.stringify(miner.hotkey)}${miner.digest[tier]}`);
  return `${tier}-${hash.digest('base64url').slice(0, 22)}`;
}

/**
 * The positions with one transaction more.
 *
 * @returns `undefined` when nothing is kept under the topic.
 * @throws Error when the transaction breaks the promises of its topic: without a head, or with a hotkey in the head
 * whose value was never sent. The worker must not go on with such a state.
 */
export function foldPositions(
  previous: PositionsState | undefined,
  { reset, put, remove }: Transaction<'positions'>,
): PositionsState | undefined {
  if (reset && put.length === 0) return undefined;
  const values = new Map<string, MinerValue>();
  const arrived = new Map<string, Segment>();
  let head: PositionsHead | undefined;
  for (const [key, value] of put) {
    if (value.kind === 'positions-head') head = value;
    else if (value.kind === 'segment') arrived.set(key, value.segment);
    else values.set(key.slice(MINER_KEY.length), value);
  }
  if (head === undefined) throw new Error('a transaction of the positions has no head');
  const present = new Set(head.hotkeys);
  const removed = [
    ...(previous?.miners.keys() ?? []),
    ...remove.flatMap((key) => (key.startsWith(MINER_KEY) ? [key.slice(MINER_KEY.length)] : [])),
  ].filter((hotkey) => !present.has(hotkey));
  const history = advance(previous?.history, head, reset, removed, present);
  // A feed that was started anew counts everything as changed; another world has nothing to do with this one.
  const isContinued = reset && previous !== undefined && head.generation > previous.history.generation;
  const miners = new Map<string, MinerState>();
  for (const hotkey of head.hotkeys) {
    const before = previous?.miners.get(hotkey);
    const value = values.get(hotkey);
    if (value !== undefined) {
      const held = isContinued ? before : undefined;
      miners.set(hotkey, minerState(hotkey, value, { arrived, previous: before, held }));
    } else if (before !== undefined && !reset) {
      miners.set(hotkey, before);
    } else {
      throw new Error(`the head of the positions names ${hotkey}, whose value was never sent`);
    }
  }
  return new PositionsState(head, miners, history);
}
