import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import type { Server } from 'node:net';
import { join } from 'node:path';

/** Another miner sends the signals of this folder. */
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

/**
 * Makes this process the only one that sends the signals of a folder, until it ends: two would send each order twice. It
 * holds a local socket of the folder's name, which the system takes away with the process, however that ends.
 *
 * @throws FolderInUseError
 */
export async function lockFolder(path: string): Promise<() => void> {
  const real = realpathSync(path);
  const isLinux = process.platform === 'linux';
  // On Linux a name without a file. Elsewhere the file of a process that was killed stays, and nobody answers there.
  const digest = createHash('sha256').update(real).digest('hex').slice(0, 32);
  const name = isLinux ? `\0ptn-miner-${digest}` : join(real, 'sender.sock');
  let server = await listen(name);
  if (server === undefined && !isLinux && !(await isAnswered(name))) {
    await rm(name, { force: true });
    server = await listen(name);
  }
  if (server === undefined) {
    throw new FolderInUseError(`another miner sends the signals in ${path}: give each its own --mining-dir`);
  }
  const held = server;
  return () => {
    held.close();
  };
}
