import { basename, dirname } from 'node:path';
import { filterDashboard, readPosition, sliceDashboard } from '@ptn-api/positions';
import { TIERS } from '@ptn-api/protocol';
import type { DashboardMap, Position } from '@ptn-api/protocol';
import { compareTexts } from './compare-texts.ts';
import type { Difference } from './compare-texts.ts';
import { beside, hasBeside } from './beside.ts';
import { readText } from './read-text.ts';

const TIER_FILE = /^tier_(\d+)\.json\.gz$/;

/** Whether a file holds a dashboard map as a tier sees it, with the whole map and the time beside it. */
export function isTierFile(path: string): boolean {
  return TIER_FILE.test(basename(path)) && hasBeside(path, 'input.json.gz', 'now.json');
}

/** The first validators that take their own rules to records of older ones; a folder with their tiers is named so. */
const REWRITING_GENERATION = 'quantity';

/** Whether the tiers were written by such a validator, of records of which none is its own. */
export function holdsOlderRecords(path: string): boolean {
  if (basename(dirname(path)) !== REWRITING_GENERATION) return false;
  const generations = sliceDashboard(readText(beside(path, 'input.json.gz'))).miners.flatMap(
    ({ positions }) =>
      positions.map((position) => {
        const read = readPosition(position);
        return read.ok ? read.facts.generation : null;
      }),
  );
  return !generations.includes(REWRITING_GENERATION);
}

/** Which positions a map shows, and which of their orders; not those that a validator adds, by its rules, to its own. */
function contentsOf(map: string): string {
  const ordersOf = ({ position_uuid: uuid, orders }: Position): string[] => {
    const liquidation = Array.from(uuid).reverse().join('');
    return orders.map(({ order_uuid: order }) => order).filter((order) => order !== liquidation);
  };
  const contents = Object.entries(JSON.parse(map) as DashboardMap).map(([hotkey, { positions }]) => [
    hotkey,
    positions.map((position) => [position.position_uuid, ordersOf(position)]),
  ]);
  return JSON.stringify(contents);
}

/** Compares a map at its tier with what this project makes of the whole map, and gives the number of positions. */
export function compareTiers(path: string, difference: Difference, what: 'all' | 'contents'): number {
  const tier = TIERS.find((known) => String(known) === TIER_FILE.exec(basename(path))?.[1]);
  if (tier === undefined) throw new Error(`${path}: there is no such tier`);
  const { now_ms: now } = JSON.parse(readText(beside(path, 'now.json'))) as { now_ms: number };
  const input = readText(beside(path, 'input.json.gz'));
  const shape = what === 'all' ? (map: string): string => map : contentsOf;
  compareTexts(shape(filterDashboard(input, tier, now).text), shape(readText(path)), difference);
  return sliceDashboard(input).miners.reduce((sum, { positions }) => sum + positions.length, 0);
}
