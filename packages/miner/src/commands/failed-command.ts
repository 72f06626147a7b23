import { readFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { CommandModule, InferredOptionTypes, Options } from 'yargs';
import { isJsonObject, parseJson, plainValue } from '@ptn-api/positions';
import { syncFolder } from '../folder/durable.ts';
import { miningFolder, signalFiles } from '../folder/mining-folder.ts';
import type { MiningFolder } from '../folder/mining-folder.ts';
import { isSignalName } from '../folder/signal-name.ts';
import { CannotStartError } from '../parts/cannot-start.ts';
import { RESEND_ENDING } from '../sender/pending-files.ts';
import { MINING_DIR, fullPath } from './options.ts';

const OPTIONS = {
  ...MINING_DIR,
  resend: { type: 'string', describe: 'Send a failed signal again, to those who have not taken it' },
  json: { type: 'boolean', default: false, describe: 'For programs' },
} as const satisfies Record<string, Options>;

interface FailedSignal {
  readonly uuid: string;
  readonly signal: unknown;
  readonly errors: unknown;
  readonly takenBy: readonly string[];
}

function readFailedSignal(path: string): FailedSignal {
  const uuid = basename(path);
  const outer = parseJson(readFileSync(path, 'utf8'));
  const record = typeof outer === 'string' ? parseJson(outer) : outer;
  const of = (name: string): unknown => plainValue(isJsonObject(record) ? (record.get(name) ?? null) : null);
  return {
    uuid,
    signal: of('original_signal'),
    errors: of('error_messages_dict') ?? {},
    takenBy: Object.keys(of('created_orders') ?? {}),
  };
}

function describe({ uuid, signal, errors, takenBy }: FailedSignal): string {
  const reasons = Object.entries(errors as Record<string, string[]>).map(
    ([hotkey, texts]) => `  ${hotkey}: ${texts.at(-1) ?? ''}`,
  );
  const taken = takenBy.length === 0 ? [] : [`  taken by ${takenBy.join(', ')}`];
  return [`${uuid}  ${JSON.stringify(signal)}`, ...reasons, ...taken].join('\n');
}

/** @throws CannotStartError */
async function resend(folder: MiningFolder, uuid: string): Promise<void> {
  const path = join(folder.failed, uuid);
  if (!isSignalName(uuid)) throw new CannotStartError(`${JSON.stringify(uuid)} is no signal's uuid`);
  let failed: FailedSignal;
  try {
    failed = readFailedSignal(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CannotStartError(
      code === 'ENOENT' ? `no failed signal is called ${uuid}` : `${path}: ${message}`,
      {
        cause: error,
      },
    );
  }
  if (typeof failed.signal !== 'object' || failed.signal === null)
    throw new CannotStartError(`${uuid} was no signal: correct it and send it anew`);
  // One step, so that it is always in exactly one place; the sender takes it up from there.
  await rename(path, join(folder.attempts, uuid + RESEND_ENDING));
  await syncFolder(folder.attempts);
}

/** `ptn-miner failed`. */
export const failedCommand: CommandModule<object, InferredOptionTypes<typeof OPTIONS>> = {
  command: 'failed',
  describe: 'Show failed signals and why they failed, or send one again',
  builder: (yargs) => yargs.options(OPTIONS),
  handler: async (args) => {
    const folder = miningFolder(fullPath(args['mining-dir']));
    if (args.resend !== undefined) {
      await resend(folder, args.resend);
      process.stdout.write(`${args.resend} is sent again as soon as the miner runs\n`);
      return;
    }
    const paths = await signalFiles(folder.failed).catch(() => []);
    const failed = paths.map((path) => {
      try {
        return readFailedSignal(path);
      } catch (error) {
        // Somebody else's file: it must not hide the others.
        const errors = { miner: [`the file cannot be read: ${(error as Error).message}`] };
        return { uuid: basename(path), signal: null, errors, takenBy: [] };
      }
    });
    const text = args.json ? JSON.stringify(failed) : failed.map(describe).join('\n');
    process.stdout.write(failed.length === 0 && !args.json ? 'no signal has failed\n' : `${text}\n`);
  },
};
