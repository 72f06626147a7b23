import type { MinerPositions, MinerPositionsChanges, Position } from '@ptn-api/protocol';
import { withStreamed } from './replica-positions.ts';

/** An order of the stream: its number, and the position as it stood after it. */
export interface StreamedPosition {
  readonly sequence: number;
  readonly position: Position;
}

/** Up to where a state is complete. */
export interface ReplicaHead {
  readonly sequence: number;
  readonly epoch: string;
  readonly generation: number;
}

/**
 * All miners, from two sources that know different things: REST answers, which are complete up to an order, and the
 * stream, which is ahead of them. What REST answered is kept as it is, and streamed positions are laid over it until an
 * answer is complete up to their order. So an answer that was under way while orders came neither loses one nor is
 * damaged by it, and once the answers have caught up, the content is exactly the server's.
 */
export class ReplicaState {
  /** As REST answered it. */
  #snapshot: ReadonlyMap<string, MinerPositions>;
  #head: ReplicaHead;
  /** Hotkey -> position uuid -> its newest streamed position that no answer is complete up to yet. */
  readonly #ahead = new Map<string, Map<string, StreamedPosition>>();
  #streamed = 0;
  #miners: ReadonlyMap<string, MinerPositions>;

  constructor(head: ReplicaHead, miners: Readonly<Record<string, MinerPositions>>) {
    this.#head = head;
    this.#snapshot = new Map(Object.entries(miners));
    this.#miners = this.#snapshot;
  }

  /** Replaced as a whole with every change, never changed in place. */
  get miners(): ReadonlyMap<string, MinerPositions> {
    return this.#miners;
  }

  /** Every order up to it is in {@link miners}. */
  get sequence(): number {
    return Math.max(this.#head.sequence, this.#streamed);
  }

  /** What REST answered is complete up to it. */
  get toldSequence(): number {
    return this.#head.sequence;
  }

  get epoch(): string {
    return this.#head.epoch;
  }

  get generation(): number {
    return this.#head.generation;
  }

  /** Whether orders were streamed that no answer is complete up to yet. */
  get isAhead(): boolean {
    return this.#ahead.size > 0;
  }

  /**
   * Orders of the stream, without a hole since the last ones.
   *
   * @returns the hotkeys whose value is another one now, as for all changes.
   */
  applyOrders(orders: readonly StreamedPosition[]): string[] {
    const touched = new Set<string>();
    for (const { sequence, position } of orders) {
      this.#streamed = Math.max(this.#streamed, sequence);
      if (sequence <= this.#head.sequence) continue;
      const { miner_hotkey: hotkey, position_uuid: uuid } = position;
      const ofMiner = this.#ahead.get(hotkey) ?? new Map<string, StreamedPosition>();
      this.#ahead.set(hotkey, ofMiner.set(uuid, { sequence, position }));
      touched.add(hotkey);
    }
    return this.#show(touched, this.#snapshot);
  }

  /** An answer about what changed since this state's generation. The head must be of the same epoch. */
  applyChanges(head: ReplicaHead, { miners, gone }: MinerPositionsChanges): string[] {
    const snapshot = new Map(this.#snapshot);
    for (const hotkey of gone) snapshot.delete(hotkey);
    for (const [hotkey, miner] of Object.entries(miners)) snapshot.set(hotkey, miner);
    return this.#take(head, snapshot, [...gone, ...Object.keys(miners)]);
  }

  /** An answer about all miners. The head must be of the same epoch and not behind in its sequence. */
  applySnapshot(head: ReplicaHead, miners: Readonly<Record<string, MinerPositions>>): string[] {
    const snapshot = new Map(Object.entries(miners));
    return this.#take(head, snapshot, [...this.#snapshot.keys(), ...snapshot.keys()]);
  }

  #take(
    head: ReplicaHead,
    snapshot: ReadonlyMap<string, MinerPositions>,
    touched: Iterable<string>,
  ): string[] {
    this.#head = head;
    this.#snapshot = snapshot;
    return this.#show(new Set([...touched, ...this.#dropKnown()]), snapshot);
  }

  /** Forgets streamed positions that the answers are complete up to; returns their hotkeys. */
  #dropKnown(): string[] {
    const caughtUp: string[] = [];
    for (const [hotkey, ofMiner] of this.#ahead) {
      const before = ofMiner.size;
      for (const [uuid, { sequence }] of ofMiner) if (sequence <= this.#head.sequence) ofMiner.delete(uuid);
      if (ofMiner.size < before) caughtUp.push(hotkey);
      if (ofMiner.size === 0) this.#ahead.delete(hotkey);
    }
    return caughtUp;
  }

  /** Shows the touched miners anew, all at once. */
  #show(touched: ReadonlySet<string>, snapshot: ReadonlyMap<string, MinerPositions>): string[] {
    const miners = new Map(this.#miners);
    const changed: string[] = [];
    for (const hotkey of touched) {
      const ahead = this.#ahead.get(hotkey);
      const base = snapshot.get(hotkey);
      const shown =
        ahead === undefined
          ? base
          : withStreamed(
              base,
              [...ahead.values()].map(({ position }) => position),
            );
      if (shown === miners.get(hotkey)) continue;
      changed.push(hotkey);
      if (shown === undefined) miners.delete(hotkey);
      else miners.set(hotkey, shown);
    }
    if (changed.length > 0) this.#miners = miners;
    return changed;
  }
}
