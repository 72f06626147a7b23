// The command `ptn-miner`.
import { readFileSync } from 'node:fs';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { doctorCommand } from './commands/doctor-command.ts';
import { failedCommand } from './commands/failed-command.ts';
import { runCommand } from './commands/run-command.ts';
import { sendCommand } from './commands/send-command.ts';
import { statusCommand } from './commands/status-command.ts';
import { walletCommand } from './commands/wallet-command.ts';
import { startProblem } from './parts/cannot-start.ts';

const [USAGE_EXIT_CODE, FAILURE_EXIT_CODE] = [2, 1];
const MAX_COLUMNS = 110;

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** What went wrong is one line; a fault of the program's own has its stack. */
function fail(error: unknown): void {
  const problem = startProblem(error);
  process.stderr.write(`ptn-miner: ${problem ?? (error instanceof Error ? error.stack : String(error))}\n`);
  process.exitCode = FAILURE_EXIT_CODE;
}

const parser = yargs(hideBin(process.argv))
  .scriptName('ptn-miner')
  .usage('$0 <command>\n\nA miner of the Proprietary Trading Network: signals in, signed orders out.')
  // So that --wallet.name is one option, as bittensor's tools have it.
  .parserConfiguration({ 'dot-notation': false })
  .command(runCommand)
  .command(sendCommand)
  .command(statusCommand)
  .command(failedCommand)
  .command(walletCommand)
  .command(doctorCommand)
  .demandCommand(1, 'Name a command, such as run')
  .strict()
  .recommendCommands()
  .version(version)
  .wrap(Math.min(process.stdout.columns || 80, MAX_COLUMNS))
  .fail((message: string | null, error: Error | undefined) => {
    if (error !== undefined && message === null) throw error;
    process.stderr.write(
      `ptn-miner: ${message ?? error?.message ?? ''}\nptn-miner --help shows what there is\n`,
    );
    process.exit(USAGE_EXIT_CODE);
  });

try {
  await parser.parseAsync();
} catch (error) {
  fail(error);
}
