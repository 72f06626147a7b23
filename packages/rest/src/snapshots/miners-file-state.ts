import { storedSegment } from '@ptn-api/positions';
import type { Segment } from '@ptn-api/positions';
import type {
  MinersFileHead,
  MinersFileMember,
  MinersFileTopic,
  MinersRoute,
  MinerView,
  Transaction,
} from '@ptn-api/runtime';
import { joinedSnapshot, keptSnapshot } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';

const HEAD_KEY = 'head';
const MINER_KEY = 'miner:';
const PLACEHOLDER = /(\$[a-z]+)/;

/** One version of a file that is kept by miner. Never changes. */
export class MinersFileState {
  readonly head: MinersFileHead;
  /** In the order of the file. */
  readonly members: ReadonlyMap<string, MinersFileMember>;
  readonly #all = new Map<string, Snapshot>();

  constructor(head: MinersFileHead, members: ReadonlyMap<string, MinersFileMember>) {
    this.head = head;
    this.members = members;
  }

  /** What a view shows of a miner; `undefined` where it does not show it. */
  view(hotkey: string, view: MinerView): MinersFileMember['views'][MinerView] {
    return this.members.get(hotkey)?.views[view];
  }

  /** The answer of a route of all miners, joined once per version on first demand. */
  all({ answer }: MinersRoute, view: MinerView): Snapshot {
    const key = `${view} ${answer}`;
    let all = this.#all.get(key);
    if (all === undefined) {
      all = keptSnapshot(this.#segments(answer, view, [...this.members.keys()]), this.head.modifiedMs);
      this.#all.set(key, all);
    }
    return all;
  }

  /** The answer of a route for one miner; of one that is not there, a map without it. */
  one({ answer }: MinersRoute, view: MinerView, hotkey: string): Snapshot {
    return joinedSnapshot(this.#segments(answer, view, [hotkey]), this.head.modifiedMs);
  }

  #segments(answer: string, view: MinerView, hotkeys: readonly string[]): Segment[] {
    const shown = hotkeys.flatMap((hotkey) => {
      const member = this.view(hotkey, view);
      return member === undefined ? [] : [{ hotkey, ...member }];
    });
    const [first] = shown;
    const placeholders: Readonly<Record<string, () => readonly Segment[]>> = {
      $member: () => (first === undefined ? [] : [first.text]),
      $members: () => [
        storedSegment('{'),
        ...shown.flatMap(({ hotkey, text }, index) => [
          storedSegment(`${index === 0 ? '' : ', '}${JSON.stringify(hotkey)}: `),
          text,
        ]),
        storedSegment('}'),
      ],
      $hotkey: () => [storedSegment(JSON.stringify(first?.hotkey ?? null))],
      $miners: () => [storedSegment(String(shown.length))],
      $items: () => [storedSegment(String(shown.reduce((sum, { items }) => sum + items, 0)))],
      $time: () => [storedSegment(String(Math.round(this.head.modifiedMs)))],
    };
    return answer
      .split(PLACEHOLDER)
      .filter((part) => part !== '')
      .flatMap((part) => placeholders[part]?.() ?? [storedSegment(part)]);
  }
}

/**
 * The file with one transaction more.
 *
 * @returns `undefined` when there is no such file.
 * @throws Error when the head names a hotkey whose value was never sent.
 */
export function foldMinersFile(
  previous: MinersFileState | undefined,
  { topic, reset, put, remove }: Transaction<MinersFileTopic>,
): MinersFileState | undefined {
  let head = reset ? undefined : previous?.head;
  const held = new Map(reset ? [] : previous?.members);
  for (const key of remove) {
    if (key === HEAD_KEY) head = undefined;
    else held.delete(key.slice(MINER_KEY.length));
  }
  for (const [key, value] of put) {
    if (value.kind === 'miners-file-head') head = value;
    else held.set(key.slice(MINER_KEY.length), value);
  }
  if (head === undefined) return undefined;
  const members = new Map<string, MinersFileMember>();
  for (const hotkey of head.hotkeys) {
    const member = held.get(hotkey);
    if (member === undefined)
      throw new Error(`the head of ${topic} names ${hotkey}, whose value was never sent`);
    members.set(hotkey, member);
  }
  return new MinersFileState(head, members);
}
