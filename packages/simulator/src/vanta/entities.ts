import { pythonJsonWriter } from '@ptn-api/positions';
import type { Miner } from '../records/miners.ts';

interface Entity {
  readonly entity_hotkey: string;
  readonly subaccounts: Record<string, object>;
}

const write = pythonJsonWriter({
  values: { fields: { entity_hotkey: 'plain', subaccounts: { values: { values: 'plain' } } } },
});

/** `entities.json`: every entity with the miners that trade for it. */
export function entitiesText(miners: readonly Miner[]): string {
  const entities = new Map<string, Entity>();
  for (const { hotkey, elimination, subaccount } of miners) {
    if (subaccount === undefined) continue;
    const { entityHotkey, id, uuid } = subaccount;
    const entity = entities.get(entityHotkey) ?? { entity_hotkey: entityHotkey, subaccounts: {} };
    entities.set(entityHotkey, entity);
    entity.subaccounts[id] = {
      subaccount_id: id,
      subaccount_uuid: uuid,
      synthetic_hotkey: hotkey,
      status: elimination === undefined ? 'active' : 'eliminated',
    };
  }
  return write(Object.fromEntries(entities));
}
