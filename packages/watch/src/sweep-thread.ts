/** The thread that sweeps: checks the whole tree every few seconds and reports what changed. */
import { parentPort, workerData } from 'node:worker_threads';
import type { DirectoryKinds, SweepChanges } from './swept-tree.ts';
import { SweptTree } from './swept-tree.ts';

/** What the thread is started with. */
export interface SweepThreadData {
  readonly root: string;
  readonly kinds: DirectoryKinds;
  readonly sweepMs: number;
}

export type ToSweepThread =
  /** Directories and files that were seen by others; see {@link SweptTree.learn}. */
  | { readonly type: 'learn'; readonly directories: readonly string[]; readonly files: readonly string[] }
  /** The time between two sweeps, from the next on. */
  | { readonly type: 'pace'; readonly sweepMs: number };

/** A sweep came to its end; all it found was posted before. */
export interface SweptMessage {
  readonly type: 'swept';
  readonly tookMs: number;
  readonly directories: number;
  readonly files: number;
}

export type FromSweepThread = { readonly type: 'changes'; readonly changes: SweepChanges } | SweptMessage;

const port = parentPort;
if (port === null) throw new Error('sweep-thread runs as a worker thread only');

const data = workerData as SweepThreadData;
const tree = new SweptTree(data.root, data.kinds);
let { sweepMs } = data;
let timer: NodeJS.Timeout;

function post(message: FromSweepThread): void {
  port?.postMessage(message);
}

function sweep(withHints: boolean): void {
  const startedMs = performance.now();
  tree.sweep((changes) => {
    post({ type: 'changes', changes: withHints ? changes : { ...changes, hints: [] } });
  });
  post({
    type: 'swept',
    tookMs: performance.now() - startedMs,
    directories: tree.directories,
    files: tree.files,
  });
  timer = setTimeout(sweep, sweepMs, true);
}

port.on('message', (message: ToSweepThread) => {
  if (message.type === 'learn') {
    tree.learn(message.directories, message.files);
    return;
  }
  sweepMs = message.sweepMs;
  clearTimeout(timer);
  timer = setTimeout(sweep, sweepMs, true);
});

// What is there at the start is not reported.
sweep(false);
