import { counted } from '@ptn-api/protocol';
import { resolve } from 'node:path';
import { RootInUseError, SimulatedValidator } from './live/simulated-validator.ts';
import { parseOptions, UsageError } from './options.ts';
import type { Options } from './options.ts';
import { leave, onStop, say, tellParent } from './process.ts';

const EXIT_FAULT = 1;
const EXIT_USAGE = 2;

/** What is done with the arguments behind a name; without one of these it is {@link makeHistory}. */
const COMMANDS: Readonly<Partial<Record<string, (args: readonly string[]) => Promise<void>>>> = {
  // Loaded when it is needed: the history generator starts with every demo and many tests.
  run: async (args) => (await import('./commands/run-command.ts')).run(args),
  score: async (args) => {
    process.exitCode = (await import('./commands/score-command.ts')).scoreCommand(args);
  },
};

/** Errors whose message is for the operator. */
const EXPECTED: ReadonlySet<string> = new Set([
  UsageError.name,
  RootInUseError.name,
  'BadFolderError',
  'DamagedFileError',
  'FolderInUseError',
  'MetagraphError',
  'PricesFileError',
]);

function fail(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const isExpected = error instanceof Error && EXPECTED.has(error.name);
  say(isExpected ? message : `cannot go on: ${message}`);
  process.exitCode = error instanceof UsageError ? EXIT_USAGE : EXIT_FAULT;
  leave();
}

async function makeHistory(args: readonly string[]): Promise<void> {
  const { startMs: endMs, historyOnly, ...options }: Options = parseOptions(args, Date.now());
  const validator = new SimulatedValidator({ ...options, root: resolve(options.root), endMs, onFault: fail });
  const stopping = new AbortController();
  onStop(() => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    validator.stop().then(leave, fail);
  });

  await validator.writeHistory();
  const { root } = validator;
  const [miners, positions] = [validator.miners.length, validator.positionCount()];
  say(`${counted(miners, 'miner')} and ${counted(positions, 'position')} are in ${root}`);
  await tellParent({ type: 'ready', root, miners, positions });
  if (historyOnly) leave();
  else if (!stopping.signal.aborted) validator.start();
}

try {
  const args = process.argv.slice(2);
  const [name = ''] = args;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined && name !== '' && !name.startsWith('-')) {
    throw new UsageError(`there is no command ${name}: run, score, or options alone for a history (--help)`);
  }
  await (command === undefined ? makeHistory(args) : command(args.slice(1)));
} catch (error) {
  fail(error);
}
