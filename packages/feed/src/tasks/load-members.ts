import { createHash } from 'node:crypto';
import { deflateSegment, lastMembers, sliceObject } from '@ptn-api/positions';
import type { MinersFileMember, MinerView } from '@ptn-api/runtime';
import type { NothingRead } from './read-file.ts';
import { MINER_VIEWS } from './miner-views.ts';
import { finiteText, newestOf, readText } from './read-text.ts';

/** A miner whose value is not the known one. */
export interface LoadedMember {
  readonly hotkey: string;
  readonly digest: string;
  readonly views: MinersFileMember['views'];
}

/** A file that is kept by miner: what changed in it. */
export type LoadedMembers =
  | NothingRead
  | {
      readonly kind: 'read';
      readonly stamp: string;
      readonly modifiedMs: number;
      /** Every miner, in the order of the file. */
      readonly hotkeys: readonly string[];
      readonly changed: readonly LoadedMember[];
      /** How many NaN and Infinity were replaced by null. */
      readonly nonFinite: number;
    };

export interface LoadMembersInput {
  /** Where the file may lie; the newest is read. */
  readonly paths: readonly [string, ...string[]];
  /** The member that is the map; absent: the file is. */
  readonly within?: string | undefined;
  readonly views: readonly MinerView[];
  readonly stamp?: string | undefined;
  /** Digests by hotkey of what is already held. */
  readonly known: ReadonlyMap<string, string>;
}

/** Level 6 takes twice as long for 7 % less, and ledgers of tens of MB are written every 5 minutes. */
const LEVEL = 4;

/** Reads a map from hotkeys to values and compresses what changed of it. NaN and Infinity become null. */
export function loadMembers({ paths, within, views, stamp, known }: LoadMembersInput): LoadedMembers {
  const path = newestOf(paths);
  const isKnown = stamp?.endsWith(`\n${path}`) === true;
  const file = readText(path, isKnown ? stamp.slice(0, -path.length - 1) : undefined);
  if (file.kind !== 'read') return file;
  const { modifiedMs } = file;
  const bad = (reason: string): LoadedMembers => ({ kind: 'bad', stamp: file.stamp, reason });
  const { text, count: nonFinite } = finiteText(file);
  try {
    if (!text.startsWith('{')) return bad('is not a JSON object');
    let members = sliceObject(text);
    if (within !== undefined) {
      const map = lastMembers(members).get(within);
      if (map === undefined) return bad(`has no member "${within}"`);
      if (text[map.valueStart] !== '{') return bad(`holds a "${within}" that is no object`);
      members = sliceObject(text, map.valueStart);
    }
    const hotkeys: string[] = [];
    const changed: LoadedMember[] = [];
    for (const [hotkey, { valueStart, valueEnd }] of lastMembers(members)) {
      const value = text.slice(valueStart, valueEnd);
      const digest = createHash('sha256').update(value).digest('base64url');
      hotkeys.push(hotkey);
      if (known.get(hotkey) !== digest)
        changed.push({ hotkey, digest, views: viewsOf(views, value, hotkey) });
    }
    return { kind: 'read', stamp: `${file.stamp}\n${path}`, modifiedMs, hotkeys, changed, nonFinite };
  } catch (error) {
    return bad(`is not JSON: ${(error as Error).message}`);
  }
}

function viewsOf(names: readonly MinerView[], value: string, hotkey: string): MinersFileMember['views'] {
  const views: [MinerView, { text: ReturnType<typeof deflateSegment>; items: number }][] = [];
  for (const name of names) {
    if (!(name in MINER_VIEWS)) throw new Error(`no value has the view ${name}`);
    const view = MINER_VIEWS[name as keyof typeof MINER_VIEWS](value, hotkey);
    if (view !== null) views.push([name, { text: deflateSegment(view.text, LEVEL), items: view.items }]);
  }
  return Object.fromEntries(views);
}
