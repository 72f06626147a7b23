import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createHotkeyFile } from '@ptn-api/wire';
import type { CommandModule, InferredOptionTypes, Options } from 'yargs';
import { WalletError, hotkeyPath, readHotkey } from '../wallet/hotkey-path.ts';
import { WALLET, walletNames } from './options.ts';

const SHOW_OPTIONS = {
  ...WALLET,
  secret: {
    type: 'boolean',
    default: false,
    describe: 'Show the secret phrase, too: who has it has the key',
  },
} as const satisfies Record<string, Options>;

const newCommand: CommandModule<object, InferredOptionTypes<typeof WALLET>> = {
  command: 'new',
  describe: 'Make a hotkey, in a file as bittensor has it, which only you can read',
  builder: (yargs) => yargs.options(WALLET),
  handler: (args) => {
    const path = hotkeyPath(walletNames(args));
    const file = createHotkeyFile();
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    try {
      writeFileSync(path, JSON.stringify(file), { mode: 0o600, flag: 'wx', flush: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      throw new WalletError(`${path} exists, and is left as it is: choose another --wallet.hotkey`, {
        cause: error,
      });
    }
    process.stdout.write(
      `${file.ss58Address}\n${path}\nptn-miner wallet show --secret shows its words: keep them safe\n`,
    );
  },
};

const showCommand: CommandModule<object, InferredOptionTypes<typeof SHOW_OPTIONS>> = {
  command: 'show',
  describe: 'Show the address of a hotkey',
  builder: (yargs) => yargs.options(SHOW_OPTIONS),
  handler: (args) => {
    const { path, address, keypair } = readHotkey(hotkeyPath(walletNames(args)));
    process.stdout.write(
      `${address}\n${path}\n${keypair === undefined ? 'cannot sign: it holds no secret' : 'can sign'}\n`,
    );
    if (!args.secret) return;
    const { secretPhrase } = JSON.parse(readFileSync(path, 'utf8')) as { secretPhrase?: string | null };
    process.stdout.write(`${secretPhrase ?? 'the file holds no phrase'}\n`);
  },
};

/** `ptn-miner wallet`. */
export const walletCommand: CommandModule = {
  command: 'wallet',
  describe: 'Make and show hotkeys',
  builder: (yargs) =>
    yargs.command(newCommand).command(showCommand).demandCommand(1, 'wallet new, or wallet show'),
  handler: () => undefined,
};
