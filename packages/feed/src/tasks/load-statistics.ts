import { createHash } from 'node:crypto';
import { deflateSegment, replaceNonFinite, sliceArray, sliceObject, storedSegment } from '@ptn-api/positions';
import type { Member, Segment } from '@ptn-api/positions';
import { readStamped } from './read-file.ts';
import type { NothingRead } from './read-file.ts';

/** A miner of the statistics file; what equals the known one is not compressed again and is absent here. */
interface LoadedStatisticsMiner {
  readonly hotkey: string;
  readonly baseDigest: string;
  readonly base?: Segment;
  /** Empty where the element has no checkpoints. */
  readonly checkpointsDigest: string;
  readonly checkpoints?: Segment;
}

/** Digests of a miner's parts that are already held. */
interface KnownStatisticsMiner {
  readonly baseDigest: string;
  readonly checkpointsDigest: string;
}

export type LoadedStatistics =
  | NothingRead
  | {
      readonly kind: 'read';
      readonly stamp: string;
      readonly modifiedMs: number;
      readonly head: Segment;
      readonly tail: Segment;
      /** In the order of the file. */
      readonly miners: readonly LoadedStatisticsMiner[];
      readonly nonFinite: number;
    };

export interface LoadStatisticsInput {
  readonly path: string;
  readonly stamp?: string | undefined;
  readonly known: ReadonlyMap<string, KnownStatisticsMiner>;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function memberText(text: string, member: Member): string {
  return text.slice(member.keyStart, member.valueEnd);
}

function loadElement(element: string, known: LoadStatisticsInput['known']): LoadedStatisticsMiner | null {
  const members = sliceObject(element);
  const named = members.findLast((member) => member.key === 'hotkey');
  const hotkey: unknown = named && JSON.parse(element.slice(named.valueStart, named.valueEnd));
  if (typeof hotkey !== 'string') return null;
  const others = members.filter((member) => member.key !== 'checkpoints');
  const last = members.findLast((member) => member.key === 'checkpoints');
  const base = `{${others.map((member) => memberText(element, member)).join(', ')}`;
  const checkpoints = last === undefined ? '' : `, ${memberText(element, last)}`;
  const baseDigest = digestOf(base);
  const checkpointsDigest = checkpoints === '' ? '' : digestOf(checkpoints);
  const held = known.get(hotkey);
  return {
    hotkey,
    baseDigest,
    ...(held?.baseDigest === baseDigest ? {} : { base: deflateSegment(base) }),
    checkpointsDigest,
    ...(held?.checkpointsDigest === checkpointsDigest || checkpoints === ''
      ? {}
      : { checkpoints: deflateSegment(checkpoints) }),
  };
}

function found({ stamp, modifiedMs }: { stamp: string; modifiedMs: number }) {
  return { kind: 'read', stamp, modifiedMs } as const;
}

/** Reads `minerstatistics.json` and compresses what changed of it, per miner. NaN and Infinity become null. */
export function loadStatistics(input: LoadStatisticsInput): LoadedStatistics {
  const file = readStamped(input.path, input.stamp);
  if (file.kind !== 'read') return file;
  const bad = (reason: string): LoadedStatistics => ({ kind: 'bad', stamp: file.stamp, reason });
  const { text, count: nonFinite } = replaceNonFinite(file.bytes.toString('utf8').trim());
  try {
    if (!text.startsWith('{')) return bad('is not a JSON object');
    const members = sliceObject(text);
    const list = members.findLast((member) => member.key === 'data');
    const miners = new Map<string, LoadedStatisticsMiner>();
    if (list === undefined) {
      // A file without miners is passed on as it is.
      const tail = storedSegment('');
      return { ...found(file), head: deflateSegment(text), tail, miners: [], nonFinite };
    }
    if (text[list.valueStart] !== '[') return bad('holds a "data" that is no list');
    for (const { start, end } of sliceArray(text, list.valueStart)) {
      const miner = loadElement(text.slice(start, end), input.known);
      if (miner === null) return bad('holds an element of "data" without a hotkey');
      // Where a hotkey stands twice, the first counts, as in the lookups that clients know.
      if (!miners.has(miner.hotkey)) miners.set(miner.hotkey, miner);
    }
    return {
      ...found(file),
      head: deflateSegment(`${text.slice(0, list.valueStart)}[`),
      tail: deflateSegment(`]${text.slice(list.valueEnd)}`),
      miners: [...miners.values()],
      nonFinite,
    };
  } catch (error) {
    return bad(`is not JSON: ${(error as Error).message}`);
  }
}
