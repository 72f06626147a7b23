import { generation2025 } from './2025.ts';
import { generation2026 } from './2026.ts';
import { accountSizeGeneration } from './account-size.ts';
import type { JsonRecord, PositionGeneration } from './generation.ts';
import { quantityGeneration } from './quantity.ts';
import { unknownGeneration } from './unknown.ts';

/** Every generation of records, the newest first. A further one is a file here, and a row. */
export const GENERATIONS: readonly PositionGeneration[] = [
  unknownGeneration,
  generation2026,
  quantityGeneration,
  accountSizeGeneration,
  generation2025,
];

/** Which generation of the validator wrote a record. */
export function generationOf(record: JsonRecord, orders: readonly JsonRecord[]): PositionGeneration {
  return GENERATIONS.find(({ recognises }) => recognises(record, orders)) ?? generation2025;
}

/** The generation of this name, of a record that was recognised before. */
export function generationNamed(name: string): PositionGeneration | undefined {
  return GENERATIONS.find((generation) => generation.name === name);
}
