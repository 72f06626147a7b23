import { readdirSync } from 'node:fs';
import type { CommandModule, InferredOptionTypes, Options } from 'yargs';
import { miningFolder, signalFiles } from '../folder/mining-folder.ts';
import type { MiningFolder } from '../folder/mining-folder.ts';
import { readMinerStatus } from '../sender/sender-status.ts';
import type { MinerStatus, ValidatorCounts } from '../sender/sender-status.ts';
import { MINING_DIR, fullPath } from './options.ts';

const OPTIONS = {
  ...MINING_DIR,
  json: { type: 'boolean', default: false, describe: 'For programs' },
} as const satisfies Record<string, Options>;

/** How the miner is, as its folder shows it. */
export interface StatusReport {
  readonly isRunning: boolean;
  readonly waiting: number;
  readonly sent: number;
  readonly failed: number;
  readonly hotkey: string | null;
  readonly validators: readonly ValidatorCounts[];
}

function countOf(path: string): number {
  try {
    return readdirSync(path).length;
  } catch {
    // Before the first start there are no folders.
    return 0;
  }
}

function isAlive(status: MinerStatus | undefined): boolean {
  if (status === undefined) return false;
  try {
    process.kill(status.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export async function statusReport(folder: MiningFolder): Promise<StatusReport> {
  const status = readMinerStatus(folder);
  return {
    isRunning: isAlive(status),
    waiting: (await signalFiles(folder.received).catch(() => [])).length,
    sent: countOf(folder.processed),
    failed: countOf(folder.failed),
    hotkey: status?.hotkey ?? null,
    validators: status?.validators ?? [],
  };
}

function lines({ isRunning, waiting, sent, failed, hotkey, validators }: StatusReport): string[] {
  const perValidator = validators.map(
    ({ hotkey: address, accepted, refused, unanswered, lastError }) =>
      `  ${address}  ${accepted} accepted, ${refused} refused, ${unanswered} unanswered${lastError === null ? '' : `; last error: ${lastError}`}`,
  );
  return [
    `miner    ${isRunning ? 'runs' : 'does not run'}${hotkey === null ? '' : ` as ${hotkey}`}`,
    `waiting  ${waiting}`,
    `sent     ${sent}`,
    `failed   ${failed}${failed === 0 ? '' : ' (ptn-miner failed shows why)'}`,
    ...(perValidator.length === 0 ? [] : ['validators since the start', ...perValidator]),
  ];
}

/** `ptn-miner status`. */
export const statusCommand: CommandModule<object, InferredOptionTypes<typeof OPTIONS>> = {
  command: 'status',
  describe: 'Show what waits, what was sent, what failed, and what each validator answered',
  builder: (yargs) => yargs.options(OPTIONS),
  handler: async (args) => {
    const report = await statusReport(miningFolder(fullPath(args['mining-dir'])));
    process.stdout.write(args.json ? `${JSON.stringify(report)}\n` : `${lines(report).join('\n')}\n`);
  },
};
