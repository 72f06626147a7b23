import { createRandom } from '../random.ts';
import { hotkeyOf } from './hotkey.ts';

/** Of so many miners in a row, the second and the third trade for an entity. */
const MINERS_IN_ROW = 10;
const FIRST = 1;
const COUNT = 2;

/** A miner that trades for an entity. */
export interface Subaccount {
  readonly entityHotkey: string;
  /** From 0 on within the entity. */
  readonly id: number;
  readonly uuid: string;
}

/** The subaccount that the miner at `index` is; undefined where it is a miner of its own. */
export function subaccountAt(seed: number, index: number): Subaccount | undefined {
  const id = (index % MINERS_IN_ROW) - FIRST;
  if (id < 0 || id >= COUNT) return undefined;
  const entity = `${seed}/entity/${Math.floor(index / MINERS_IN_ROW)}`;
  return {
    entityHotkey: hotkeyOf(createRandom(entity).bytes(32)),
    id,
    uuid: createRandom(`${entity}/${id}`).uuid(),
  };
}

/** The hotkey under which a subaccount trades. */
export function syntheticHotkey({ entityHotkey, id }: Subaccount): string {
  return `${entityHotkey}_${id}`;
}
