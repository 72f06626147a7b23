import { join, resolve } from 'node:path';
import type { Options } from 'yargs';

export const DEFAULT_SIGNALS_PORT = 8088;

export const MINING_DIR = {
  'mining-dir': {
    type: 'string',
    default: 'mining',
    describe: 'Folder of the key file and of all signals; each miner needs its own',
  },
} as const satisfies Record<string, Options>;

export const WALLET = {
  'wallet.name': { type: 'string', default: 'default', describe: 'Name of the wallet' },
  'wallet.hotkey': { type: 'string', default: 'default', describe: 'Name of the hotkey in it' },
  'wallet.path': {
    type: 'string',
    default: join('~', '.bittensor', 'wallets'),
    describe: 'Folder of all wallets',
  },
} as const satisfies Record<string, Options>;

export const NETWORK = {
  netuid: {
    type: 'number',
    choices: [8, 116],
    default: 8,
    describe: '8 is the main network, 116 the test network',
  },
  metagraph: {
    type: 'string',
    default: 'metagraph.json',
    describe: 'File that says who is in the network; it may change at any time',
  },
} as const satisfies Record<string, Options>;

export const GENERATION = {
  generation: {
    type: 'string',
    choices: ['ptn', 'vanta'],
    default: 'ptn',
    describe: 'What signals may hold: PTN of May 2025, or Vanta of December 2025',
  },
} as const satisfies Record<string, Options>;

/** Flags of the original miner that mean nothing here, so that its command lines work. */
export const IGNORED = {
  'subtensor.network': { type: 'string', hidden: true },
  'subtensor.chain_endpoint': { type: 'string', hidden: true },
  'logging.logging_dir': { type: 'string', hidden: true },
  'axon.port': { type: 'number', hidden: true },
} as const satisfies Record<string, Options>;

export interface WalletArguments {
  readonly 'wallet.name': string;
  readonly 'wallet.hotkey': string;
  readonly 'wallet.path': string;
}

export function walletNames(args: WalletArguments): { path: string; name: string; hotkey: string } {
  return { path: args['wallet.path'], name: args['wallet.name'], hotkey: args['wallet.hotkey'] };
}

export const fullPath = (path: string): string => resolve(path);
