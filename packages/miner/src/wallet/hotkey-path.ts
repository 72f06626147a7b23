import { homedir } from 'node:os';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { readHotkeyFile } from '@ptn-api/wire';
import type { Keypair } from '@ptn-api/wire';

export interface WalletNames {
  /** `~/.bittensor/wallets` by default. */
  readonly path: string;
  readonly name: string;
  readonly hotkey: string;
}

/** A hotkey that is missing, or cannot be read or sign. Its message holds nothing secret. */
export class WalletError extends Error {
  override readonly name = 'WalletError';
}

const NAME = /^[^/\\\0]+$/;

/** Where bittensor's tools keep a hotkey. @throws WalletError for a name that leads out of the folder. */
export function hotkeyPath({ path, name, hotkey }: WalletNames): string {
  for (const part of [name, hotkey]) {
    if (!NAME.test(part) || part === '.' || part === '..') {
      throw new WalletError(`${JSON.stringify(part)} is no name of a wallet or hotkey`);
    }
  }
  const root = path.replace(/^~(?=$|\/)/, homedir());
  return join(root, name, 'hotkeys', hotkey);
}

export interface Hotkey {
  readonly path: string;
  readonly address: string;
  readonly keypair: Keypair | undefined;
}

/** Reads a hotkey. @throws WalletError */
export function readHotkey(path: string): Hotkey {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is none' : `it cannot be read (${code})`;
    throw new WalletError(`hotkey ${path}: ${reason}. ptn-miner wallet new makes one, btcli too`, {
      cause: error,
    });
  }
  const read = readHotkeyFile(text);
  if (!read.ok) throw new WalletError(`hotkey ${path}: ${read.reason}`);
  return { path, address: read.address, keypair: read.keypair };
}

/** Reads a hotkey that can sign. @throws WalletError */
export function readSigningKey(path: string): Keypair {
  const { keypair } = readHotkey(path);
  if (keypair === undefined) throw new WalletError(`hotkey ${path}: it holds no secret, so it cannot sign`);
  return keypair;
}
