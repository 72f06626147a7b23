import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pino } from 'pino';
import type { Logger } from 'pino';
import { waitFor } from '@ptn-api/testkit';
import type { TestScope } from '@ptn-api/testkit';
import type { DirectoryKinds } from '../dist/swept-tree.js';
import { watchTree } from '../dist/watch-tree.js';
import type { TreeWatcher, TreeWatcherOptions, TreeWatcherSystem } from '../dist/watch-tree.js';

/** As the validator's folder has them. */
export const KINDS: DirectoryKinds = { ignored: /^[^/]+\/limit_orders$/, busy: /\/open$/ };

/** So long that within a test no sweep follows the first: what is found then, inotify found. */
export const NO_SWEEP_MS = 3_600_000;

export interface LogLine {
  readonly level: number;
  readonly event: string;
  readonly msg: string;
}

export function recordingLog(): { log: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line) as LogLine) });
  return { log, lines };
}

/** A temporary folder with `miners`, which is watched, and room beside it. */
export interface Folder {
  readonly base: string;
  readonly root: string;
  /** Writes a file in place; its directories are made. */
  write(path: string, content?: string): void;
  /** Puts a file into place as the validator does: written elsewhere, then renamed. */
  put(path: string, content?: string): void;
  remove(path: string): void;
  makeDirectory(path: string): void;
  absolute(path: string): string;
}

export function makeFolder(scope: TestScope): Folder {
  const base = mkdtempSync(join(tmpdir(), 'ptn-watch-'));
  scope.teardown(() => {
    rmSync(base, { recursive: true, force: true });
  });
  const root = join(base, 'miners');
  mkdirSync(root);
  const absolute = (path: string): string => join(root, path);
  const write = (path: string, content = 'x'): void => {
    mkdirSync(dirname(absolute(path)), { recursive: true });
    writeFileSync(absolute(path), content);
  };
  return {
    base,
    root,
    absolute,
    write,
    put(path, content = 'x') {
      mkdirSync(dirname(absolute(path)), { recursive: true });
      writeFileSync(join(base, 'new'), content);
      renameSync(join(base, 'new'), absolute(path));
    },
    remove(path) {
      rmSync(absolute(path), { recursive: true });
    },
    makeDirectory(path) {
      mkdirSync(absolute(path), { recursive: true });
    },
  };
}

export interface WatchedTree {
  readonly watcher: TreeWatcher;
  /** Every path hinted since the last {@link WatchedTree.forget}. */
  readonly hints: Set<string>;
  readonly lines: LogLine[];
  /** How often changes may have been missed. */
  missed(): number;
  forget(): void;
  /** Waits until all these paths have been hinted. */
  hinted(...paths: readonly string[]): Promise<void>;
  /** Waits for the end of a sweep that begins after the call. */
  swept(): Promise<void>;
  /** Waits until no more hints of earlier changes come, and forgets them. Not for a tree that is never swept. */
  settled(): Promise<void>;
}

/** Starts to watch, without waiting until it is ready. */
export function startTree(
  scope: TestScope,
  root: string,
  options: Pick<TreeWatcherOptions, 'mode' | 'sweepMs'>,
  system?: TreeWatcherSystem,
): WatchedTree {
  const hints = new Set<string>();
  let missed = 0;
  const { log, lines } = recordingLog();
  const watcher = watchTree(
    {
      root,
      kinds: KINDS,
      ...options,
      log,
      onHints: (paths) => {
        for (const path of paths) hints.add(path);
      },
      onMissed: () => (missed += 1),
    },
    system,
  );
  scope.teardown(() => watcher.close());
  const swept = async (): Promise<void> => {
    // One sweep may be under way and past the place that matters.
    const { sweeps } = watcher.stats();
    await waitFor(() => watcher.stats().sweeps >= sweeps + 2, { what: 'two more sweeps' });
  };
  return {
    watcher,
    hints,
    lines,
    missed: () => missed,
    swept,
    forget() {
      hints.clear();
    },
    async settled() {
      await waitFor(
        async () => {
          hints.clear();
          await swept();
          return hints.size === 0;
        },
        { what: 'sweeps without hints' },
      );
    },
    async hinted(...paths) {
      const missing = (): string[] => paths.filter((path) => !hints.has(path));
      await waitFor(() => missing().length === 0, {
        what: () => `hints of ${missing().length} paths, the first ${missing()[0] ?? ''}`,
      });
    },
  };
}

export async function watchedTree(...args: Parameters<typeof startTree>): Promise<WatchedTree> {
  const tree = startTree(...args);
  await tree.watcher.ready;
  return tree;
}
