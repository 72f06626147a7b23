/** Folders of a miner that hold no positions, but any number of files: orders that wait to be filled, and old ones. */
const OTHER_FOLDERS: ReadonlySet<string> = new Set(['limit_orders']);

/**
 * Whether a directory is left alone, with all below it: neither watched nor swept.
 *
 * @param path relative to the miners' folder.
 */
export function isUnwatched(path: string): boolean {
  const [, folder] = path.split('/');
  return folder !== undefined && OTHER_FOLDERS.has(folder);
}
