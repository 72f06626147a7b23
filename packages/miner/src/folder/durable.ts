import { randomUUID } from 'node:crypto';
import { link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Makes what was renamed, made or removed in a folder survive a loss of power. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Makes a folder, with those above it, and sees that it stays. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first !== undefined) await syncFolder(dirname(first));
}

/**
 * Writes a file so that it is there as a whole or not at all, and stays: written beside, synced, renamed.
 *
 * @param temporary a folder of the same file system.
 * @throws Error of the file system; nothing is left then.
 */
export async function writeDurably(path: string, content: string, temporary: string): Promise<void> {
  const draft = join(temporary, randomUUID());
  try {
    const file = await open(draft, 'wx');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Whether a file is still the one that it was: files are replaced by renaming, so a new one has another inode. */
export interface FileIdentity {
  readonly ino: bigint;
  readonly mtimeNs: bigint;
}

/**
 * Removes a file if it is still the one meant. One that took its place meanwhile stays: what is there is moved away
 * first, which nothing can come between, and put back if it is another.
 *
 * @param identity says so of the file that was moved.
 */
export async function removeIfSame(
  path: string,
  identity: FileIdentity,
  identify: (path: string) => Promise<FileIdentity>,
  temporary: string,
): Promise<void> {
  const aside = join(temporary, randomUUID());
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const found = await identify(aside);
  if (found.ino !== identity.ino || found.mtimeNs !== identity.mtimeNs) {
    try {
      await link(aside, path);
    } catch (error) {
      // An even newer one took the place: of one name the newest counts.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  await rm(aside, { force: true });
  await syncFolder(dirname(path));
}
