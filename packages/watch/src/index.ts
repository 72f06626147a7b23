export type { DirectoryKinds } from './swept-tree.ts';
export { watchFiles } from './watch-files.ts';
export type { FileWatcher } from './watch-files.ts';
export { watchTree } from './watch-tree.ts';
export type { TreeWatcher, TreeWatcherStats } from './watch-tree.ts';
