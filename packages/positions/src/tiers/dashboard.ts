import type { Tier } from '@ptn-api/protocol';
import { replaceNonFinite } from '../json/non-finite.ts';
import { lastMembers, sliceArray, sliceObject } from '../json/slice.ts';
import { readPosition } from '../read-position.ts';
import { positionAtTier } from './tier-filter.ts';

/** One miner of a dashboard map, cut into its texts. */
interface DashboardMiner {
  readonly hotkey: string;
  /** The text of each position. */
  readonly positions: readonly string[];
  /** All other members but `tier`, as they are written there, joined by ", " and without braces; may be empty. */
  readonly rest: string;
}

export interface DashboardSlices {
  /** In the order of the map. */
  readonly miners: readonly DashboardMiner[];
  /** How many NaN and Infinity were replaced by null. */
  readonly nonFinite: number;
}

/** JSON that is no dashboard map; the message goes on "the file ...". */
export class NotADashboardError extends Error {
  override readonly name = 'NotADashboardError';
}

function sliceMiner(text: string, hotkey: string, valueStart: number): DashboardMiner {
  const name = JSON.stringify(hotkey);
  if (text[valueStart] !== '{')
    throw new NotADashboardError(`is not a dashboard map: the value of ${name} is no object`);
  const members = lastMembers(sliceObject(text, valueStart));
  const list = members.get('positions');
  if (list === undefined || text[list.valueStart] !== '[') {
    throw new NotADashboardError(`is not a dashboard map: ${name} has no list "positions"`);
  }
  members.delete('positions');
  members.delete('tier');
  return {
    hotkey,
    positions: sliceArray(text, list.valueStart).map(({ start, end }) => text.slice(start, end)),
    rest: Array.from(members.values(), ({ keyStart, valueEnd }) => text.slice(keyStart, valueEnd)).join(', '),
  };
}

/**
 * Cuts a dashboard map (hotkey to positions and summary fields) into the texts of its positions. Python's NaN and
 * Infinity become null. Where a key stands twice, the last one counts.
 *
 * @throws JsonSyntaxError, NotADashboardError
 */
export function sliceDashboard(input: string): DashboardSlices {
  const { text, count: nonFinite } = replaceNonFinite(input.trim());
  if (text !== '' && !text.startsWith('{'))
    throw new NotADashboardError('is not a dashboard map: it is no object');
  const miners = new Map<string, DashboardMiner>();
  for (const { key, valueStart } of sliceObject(text)) miners.set(key, sliceMiner(text, key, valueStart));
  return { miners: [...miners.values()], nonFinite };
}

export interface FilteredDashboard {
  /** The map for the tier; every value ends with `"tier": N`. */
  readonly text: string;
  readonly nonFinite: number;
  /** Positions of which the tier shows nothing. */
  readonly dropped: number;
  /** One line each: positions that could not be read, could not be cut, or only by guessing. */
  readonly warnings: readonly string[];
}

/**
 * The dashboard map as a tier shows it.
 *
 * @param now Unix ms.
 * @throws JsonSyntaxError, NotADashboardError
 */
export function filterDashboard(input: string, tier: Tier, now: number): FilteredDashboard {
  const { miners, nonFinite } = sliceDashboard(input);
  const warnings: string[] = [];
  let dropped = 0;
  const values = miners.map(({ hotkey, positions, rest }) => {
    const shown: string[] = [];
    positions.forEach((original, index) => {
      const read = readPosition(original);
      if (!read.ok) {
        // What cannot be read cannot be delayed either.
        dropped += 1;
        warnings.push(`position ${index} of ${hotkey} is left out: it ${read.reason}`);
        return;
      }
      const view = positionAtTier(read.text, read.facts, tier, now);
      if (view.kind === 'same') shown.push(read.text);
      if (view.kind === 'cut') shown.push(view.text);
      if (view.kind === 'dropped') dropped += 1;
      if (view.kind === 'dropped' && view.reason === 'unsupported-generation') {
        warnings.push(
          `position ${read.facts.positionUuid} is left out: its form is not known, so it cannot be delayed`,
        );
      }
      if ('warning' in view) warnings.push(view.warning);
    });
    return `${JSON.stringify(hotkey)}: {"positions": [${shown.join(', ')}], ${rest === '' ? '' : `${rest}, `}"tier": ${tier}}`;
  });
  return { text: `{${values.join(', ')}}`, nonFinite, dropped, warnings };
}
