import { minersFiles } from '../served-files.ts';
import { minersFileTopic } from './messages.ts';
import type { MinersFileTopic, ServingRole, Topic, WorkerRole } from './messages.ts';

export interface TopicRow {
  readonly publishedBy: WorkerRole | 'supervisor';
  /** The workers that are handed what is retained of it. */
  readonly heardBy: readonly ServingRole[];
  /** Each key begins with the process that put it, and only that process may change or remove it. */
  readonly isPerProcess?: true;
}

const MINERS_FILE = { publishedBy: 'feed', heardBy: ['rest'] } as const satisfies TopicRow;

/**
 * Every topic: who publishes it, and who is handed it. The snapshots, tens of megabytes, are for REST alone. What a topic
 * keeps is in `TopicValues`.
 */
export const TOPICS = {
  positions: { publishedBy: 'feed', heardBy: ['rest'] },
  statistics: { publishedBy: 'feed', heardBy: ['rest'] },
  ...(Object.fromEntries(minersFiles.map(([name]) => [minersFileTopic(name), MINERS_FILE])) as Readonly<
    Record<MinersFileTopic, typeof MINERS_FILE>
  >),
  documents: { publishedBy: 'feed', heardBy: ['rest'] },
  sources: { publishedBy: 'feed', heardBy: ['rest'] },
  orders: { publishedBy: 'feed', heardBy: ['rest', 'ws'] },
  keys: { publishedBy: 'supervisor', heardBy: ['rest', 'ws'] },
  health: { publishedBy: 'supervisor', heardBy: ['rest'] },
  listeners: { publishedBy: 'supervisor', heardBy: ['rest'] },
  connections: { publishedBy: 'ws', heardBy: ['ws'], isPerProcess: true },
  requests: { publishedBy: 'rest', heardBy: ['rest'], isPerProcess: true },
} as const satisfies Readonly<Record<Topic, TopicRow>>;

/** The topics that workers of a role are handed. */
export type TopicsHeardBy<R extends ServingRole> = {
  [T in Topic]: R extends (typeof TOPICS)[T]['heardBy'][number] ? T : never;
}[Topic];
