import { createHash } from 'node:crypto';
import {
  buildSettled,
  isSettled,
  JsonSyntaxError,
  readPosition,
  removeMember,
  sliceDashboard,
  summarized,
} from '@ptn-api/positions';
import type { EncodeOptions, PositionText } from '@ptn-api/positions';
import { hasOrderSince } from './load-miner.ts';
import type { LivePosition, LoadedMiner, OrderHorizon } from './load-miner.ts';
import type { NothingRead } from './read-file.ts';
import { readText } from './read-text.ts';

/** A miner of an outputs file; its value's members besides `positions` are kept as they are written there. */
export interface OutputsMiner extends LoadedMiner {
  readonly rest: string;
  /** Changes with the text of the miner's value. */
  readonly digest: string;
}

export type LoadedOutputs =
  | NothingRead
  | {
      readonly kind: 'read';
      readonly stamp: string;
      /** Every miner, in the order of the file. */
      readonly hotkeys: readonly string[];
      /** Those whose digest is not the known one. */
      readonly changed: readonly OutputsMiner[];
      /** How many NaN and Infinity were replaced by null. */
      readonly nonFinite: number;
    };

export interface LoadOutputsInput extends EncodeOptions, OrderHorizon {
  readonly path: string;
  readonly stamp?: string;
  /** Digest by hotkey of what is already held. */
  readonly known: ReadonlyMap<string, string>;
}

function loadMinerOf(
  hotkey: string,
  texts: readonly string[],
  rest: string,
  digest: string,
  options: EncodeOptions & OrderHorizon,
): OutputsMiner {
  const settled: PositionText[] = [];
  const live: LivePosition[] = [];
  const bad: { path: string; stamp: string; reason: string }[] = [];
  texts.forEach((text, index) => {
    const read = readPosition(text);
    const path = `${hotkey}/${index}`;
    if (!read.ok) {
      bad.push({ path, stamp: '', reason: read.reason });
      return;
    }
    const { facts } = read;
    // The file's order is kept: only a settled run at its beginning can be shared by the tiers.
    if (isSettled(facts, options.now) && live.length === 0) settled.push({ text: read.text, facts });
    else live.push({ text: read.text, facts, path });
  });
  return {
    hotkey,
    files: [],
    bad,
    blocks: buildSettled(settled, options),
    settled: settled.map(({ facts }) => summarized(facts)),
    live,
    recent: settled.filter((position) => hasOrderSince(position, options.ordersSinceMs)),
    nonFinite: 0,
    rest,
    digest,
  };
}

/** The members of a value without the tier that files for one tier have at its end: each tier gets its own. */
function withoutTier(rest: string): string {
  return rest.includes('"tier"') ? removeMember(`{${rest}}`, 0, 'tier').slice(1, -1) : rest;
}

/** Reads the dashboard map and prepares the miners whose value is not the known one. */
export function loadOutputs(input: LoadOutputsInput): LoadedOutputs {
  const file = readText(input.path, input.stamp);
  if (file.kind !== 'read') return file;
  let sliced;
  try {
    sliced = sliceDashboard(file.text);
  } catch (error) {
    const { message } = error as Error;
    const reason = error instanceof JsonSyntaxError ? `is not JSON: ${message}` : message;
    return { kind: 'bad', stamp: file.stamp, reason };
  }
  const changed: OutputsMiner[] = [];
  for (const { hotkey, positions, rest: members } of sliced.miners) {
    const rest = withoutTier(members);
    const hash = createHash('sha256').update(rest);
    for (const text of positions) hash.update('\n').update(text);
    const digest = hash.digest('base64url');
    if (input.known.get(hotkey) !== digest) changed.push(loadMinerOf(hotkey, positions, rest, digest, input));
  }
  const hotkeys = sliced.miners.map(({ hotkey }) => hotkey);
  return { kind: 'read', stamp: file.stamp, hotkeys, changed, nonFinite: sliced.nonFinite };
}
