import { EXPECTED_ERRORS, failing, makeHistory, UsageError } from '@ptn-api/simulator';

/** What is done with the arguments behind a name; without one of these a history is made up. */
const COMMANDS: Readonly<Partial<Record<string, (args: readonly string[]) => Promise<void>>>> = {
  // Loaded when it is needed.
  run: async (args) => (await import('./commands/run-command.ts')).run(args),
  score: async (args) => {
    process.exitCode = (await import('./commands/score-command.ts')).scoreCommand(args);
  },
};

const fail = failing([
  ...EXPECTED_ERRORS,
  'BadFolderError',
  'DamagedFileError',
  'FolderInUseError',
  'MetagraphError',
  'PricesFileError',
]);

try {
  const args = process.argv.slice(2);
  const [name = ''] = args;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined && name !== '' && !name.startsWith('-')) {
    throw new UsageError(`there is no command ${name}: run, score, or options alone for a history (--help)`);
  }
  await (command === undefined ? makeHistory(args, fail) : command(args.slice(1)));
} catch (error) {
  fail(error);
}
