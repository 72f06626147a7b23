import { comparePositions } from '@ptn-api/positions';
import type { Position } from '@ptn-api/protocol';
import { NEW_MINER } from '@ptn-api/rules';
import type { MinerState } from '@ptn-api/rules';

function placeOf({ open_ms: openMs, close_ms: closeMs, position_uuid: positionUuid }: Position) {
  return { openMs, closeMs, positionUuid };
}

/** What a validator knows of its miners: their positions, and how often they asked. */
export class MinerBook {
  readonly #miners = new Map<string, MinerState>();
  /** By hotkey, as they closed. */
  readonly #closed = new Map<string, Position[]>();

  /** Takes in the positions of a folder, in any order. */
  load(positions: readonly Position[]): void {
    for (const position of positions.toSorted((a, b) => a.open_ms - b.open_ms)) this.put(position);
    for (const closed of this.#closed.values())
      closed.sort((a, b) => comparePositions(placeOf(a), placeOf(b)));
  }

  minerOf(hotkey: string): MinerState {
    return this.#miners.get(hotkey) ?? NEW_MINER;
  }

  setMiner(hotkey: string, miner: MinerState): void {
    this.#miners.set(hotkey, miner);
  }

  /** Who has, or had, a position. */
  hotkeys(): readonly string[] {
    const withOpen = [...this.#miners].filter(([, { openPositions }]) => openPositions.size > 0);
    return [...new Set([...this.#closed.keys(), ...withOpen.map(([hotkey]) => hotkey)])];
  }

  closedOf(hotkey: string): readonly Position[] {
    return this.#closed.get(hotkey) ?? [];
  }

  /** Forgets a miner and its positions. */
  remove(hotkey: string): void {
    this.#miners.delete(hotkey);
    this.#closed.delete(hotkey);
  }

  find(hotkey: string, uuid: string): Position | undefined {
    const isMeant = (position: Position): boolean => position.position_uuid === uuid;
    return (
      [...this.minerOf(hotkey).openPositions.values()].find(isMeant) ??
      this.closedOf(hotkey).findLast(isMeant)
    );
  }

  /** Puts a position in the place of what it was before; a closed one that is new comes last. */
  put(position: Position): void {
    const { miner_hotkey: hotkey, position_uuid: uuid, trade_pair: pair } = position;
    const miner = this.minerOf(hotkey);
    const open = new Map(miner.openPositions);
    if (!position.is_closed_position) {
      this.#miners.set(hotkey, { ...miner, openPositions: open.set(pair[0], position) });
      return;
    }
    if (open.get(pair[0])?.position_uuid === uuid) {
      open.delete(pair[0]);
      this.#miners.set(hotkey, { ...miner, openPositions: open });
    }
    const closed = this.#closed.get(hotkey) ?? [];
    const index = closed.findLastIndex((known) => known.position_uuid === uuid);
    if (index === -1) closed.push(position);
    else closed[index] = position;
    this.#closed.set(hotkey, closed);
  }
}
