import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { DashboardMap, Position } from '@ptn-api/protocol';

const folder = new URL('../fixtures/', import.meta.url);

/** What the Python validator wrote for one input: a set and the generation of the code that wrote it. */
export interface VectorSet {
  readonly name: string;
  readonly now: number;
  readonly input: string;
  /** Text of a further file of the set, such as `tier_30`. */
  read(name: string): string;
}

export function readGzip(path: string): string {
  return gunzipSync(readFileSync(new URL(path, folder))).toString();
}

export function vectorSet(name: string): VectorSet {
  const read = (file: string): string => readGzip(`tiers/${name}/${file}.json.gz`);
  const { now_ms: now } = JSON.parse(readFileSync(new URL(`tiers/${name}/now.json`, folder), 'utf8')) as {
    now_ms: number;
  };
  return { name, now, input: read('input'), read };
}

export function vectorSets(): VectorSet[] {
  return readdirSync(new URL('tiers/', folder)).flatMap((set) =>
    readdirSync(new URL(`tiers/${set}/`, folder)).map((generation) => vectorSet(`${set}/${generation}`)),
  );
}

export function positionsOf(dashboard: string): Position[] {
  return Object.values(JSON.parse(dashboard) as DashboardMap).flatMap(({ positions }) => positions);
}
