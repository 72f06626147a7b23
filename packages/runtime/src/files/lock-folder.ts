import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Another process has the folder. */
export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError';
}

function listen(name: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(name, () => {
      server.unref();
      resolve(server);
    });
  });
}

function isAnswered(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(name);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

/** Who may be alone in a folder. */
export interface FolderLock {
  /** Of the program: others may lock the same folder. */
  readonly name: string;
  /** The error that the second one gets, with what it should do. */
  readonly inUse: string;
  /** How long it is waited for the folder: what a process that was killed leaves behind ends within moments. */
  readonly waitMs?: number;
}

const RETRY_MS = 50;

/**
 * Makes this process the only one of its kind in a folder, until it ends. It holds a local socket of the folder's name,
 * which the system takes away with the process, however that ends.
 *
 * @returns what gives the folder free.
 * @throws FolderInUseError
 */
export async function lockFolder(
  path: string,
  { name: program, inUse, waitMs = 0 }: FolderLock,
): Promise<() => void> {
  const real = realpathSync(path);
  const isLinux = process.platform === 'linux';
  // On Linux a name without a file. Elsewhere the file of a process that was killed stays, and nobody answers there.
  const digest = createHash('sha256').update(real).digest('hex').slice(0, 32);
  const name = isLinux ? `\0${program}-${digest}` : join(real, `${program}.sock`);
  let server = await listen(name);
  if (server === undefined && !isLinux && !(await isAnswered(name))) {
    await rm(name, { force: true });
    server = await listen(name);
  }
  const deadlineMs = performance.now() + waitMs;
  while (server === undefined) {
    if (performance.now() >= deadlineMs) throw new FolderInUseError(inUse);
    await delay(RETRY_MS);
    server = await listen(name);
  }
  const held = server;
  return () => {
    held.close();
  };
}
