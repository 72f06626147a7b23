import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const NAME = 'keys-in-force.json';

/** Which key file a running server goes by. Without anything secret. */
export interface KeysInForce {
  readonly path: string;
  /** SHA-256 of the file's text, hex. */
  readonly digest: string;
  /** Of the server. */
  readonly pid: number;
}

/** Leaves word in the state directory for `ptn-api keys`. */
export function writeKeysInForce(stateDir: string, inForce: KeysInForce): void {
  const made = join(stateDir, `${NAME}.${inForce.pid}`);
  writeFileSync(made, `${JSON.stringify(inForce)}\n`, { mode: 0o600 });
  renameSync(made, join(stateDir, NAME));
}

/** `undefined` while no server runs with this state directory. */
export function readKeysInForce(stateDir: string): KeysInForce | undefined {
  let read: Partial<KeysInForce> | null;
  try {
    read = JSON.parse(readFileSync(join(stateDir, NAME), 'utf8')) as Partial<KeysInForce> | null;
  } catch {
    return undefined; // None was ever started, or its file is of another release.
  }
  const { path, digest, pid } = read ?? {};
  if (typeof path !== 'string' || typeof digest !== 'string' || typeof pid !== 'number') return undefined;
  return isRunning(pid) ? { path, digest, pid } : undefined;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
