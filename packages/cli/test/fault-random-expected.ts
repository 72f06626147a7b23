/** What a server should answer, from the files alone and by the rules of `core`. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  comparePositions,
  filterDashboard,
  readPosition,
  stripPriceSources,
  summaryFields,
  summaryText,
} from '@ptn-api/positions';
import { TIERS } from '@ptn-api/protocol';
import type { Tier } from '@ptn-api/protocol';
import type { Source } from './fault-random-validator.ts';

function folders(path: string): string[] {
  return existsSync(path) ? readdirSync(path) : [];
}

/** The dashboard map that a validator would make of its tree at that time (Unix ms). */
function mapOfTree(root: string, now: number): string {
  const base = join(root, 'validation', 'miners');
  const miners = folders(base).flatMap((hotkey) => {
    const pairs = folders(join(base, hotkey, 'positions'));
    const paths = pairs.flatMap((pair) =>
      ['open', 'closed'].flatMap((side) => {
        const folder = join(base, hotkey, 'positions', pair, side);
        return folders(folder).map((file) => join(folder, file));
      }),
    );
    if (paths.length === 0) return [];
    const positions = paths.map((path) => {
      const read = readPosition(readFileSync(path, 'utf8'));
      if (!read.ok) throw new Error(`${path} ${read.reason}`);
      return read;
    });
    positions.sort((a, b) => comparePositions(a.facts, b.facts));
    const texts = positions.map(({ text, facts }) => stripPriceSources(text, facts, now));
    const summary = summaryFields(
      positions.map(({ facts }) => facts),
      now,
    );
    return [
      {
        hotkey,
        returns: summary.thirty_day_returns,
        text: `{"positions": [${texts.join(', ')}], ${summaryText(summary)}}`,
      },
    ];
  });
  miners.sort((a, b) => b.returns - a.returns || (a.hotkey < b.hotkey ? -1 : 1));
  return `{${miners.map(({ hotkey, text }) => `${JSON.stringify(hotkey)}: ${text}`).join(', ')}}`;
}

/** The text of `/miner-positions` by tier at that time (Unix ms), as `ptn-api filter` gives it. */
export function expectedPositions(root: string, source: Source, now: number): Map<Tier, string> {
  const map =
    source === 'tree'
      ? mapOfTree(root, now)
      : readFileSync(join(root, 'validation/outputs/output.json'), 'utf8');
  return new Map(TIERS.map((tier) => [tier, filterDashboard(map, tier, now).text]));
}

function contentOf(root: string, path: string): unknown {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

/** The answers that are no positions, by path, as values. */
export function expectedDocuments(root: string): Map<string, unknown> {
  const scores = join(root, 'validation/plagiarism/miners');
  return new Map<string, unknown>([
    ['/statistics', contentOf(root, 'runnable/minerstatistics.json')],
    ['/eliminations', contentOf(root, 'validation/eliminations.json')],
    ['/validator-checkpoint', contentOf(root, 'runnable/validator_checkpoint.json')],
    [
      '/miner-copying',
      Object.fromEntries(folders(scores).map((name) => [name.replace('.json', ''), contentOf(scores, name)])),
    ],
  ]);
}

/** The first difference between two dashboard maps, for people. */
export function firstDifference(shown: string, expected: string): string {
  type Map_ = Record<string, Record<string, unknown> & { positions: { position_uuid: string }[] }>;
  const [a, b] = [JSON.parse(shown) as Map_, JSON.parse(expected) as Map_];
  for (const hotkey of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const [left, right] = [a[hotkey], b[hotkey]];
    if (left === undefined || right === undefined)
      return `${hotkey} is ${left === undefined ? 'missing' : 'there and should not be'}`;
    const texts = (value: typeof left): Map<string, string> =>
      new Map(value.positions.map((position) => [position.position_uuid, JSON.stringify(position)]));
    const [had, wanted] = [texts(left), texts(right)];
    for (const uuid of new Set([...had.keys(), ...wanted.keys()])) {
      if (had.get(uuid) === wanted.get(uuid)) continue;
      return `${uuid} of ${hotkey}: ${had.get(uuid) ?? 'missing'} and not ${wanted.get(uuid) ?? 'missing'}`;
    }
    if (JSON.stringify(left) !== JSON.stringify(right)) {
      const rest = ({ positions, ...others }: typeof left): string =>
        `${positions.map((position) => position.position_uuid).join()} ${JSON.stringify(others)}`;
      return `${hotkey}: ${rest(left)} and not ${rest(right)}`;
    }
  }
  return `the order of the miners: ${Object.keys(a).join()} and not ${Object.keys(b).join()}`;
}
