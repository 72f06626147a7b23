/** Flags of one kind that the validator takes, and this server has no use for. */
interface ValidatorFlags {
  /** A name, or the front of names if it ends with a dot. Without dashes. */
  readonly names: readonly string[];
  readonly why: string;
}

/**
 * Operators pass one line of arguments to the validator and to this server, so the validator's are no usage errors here.
 * Everything else that is unknown is one, and is refused.
 */
export const VALIDATOR_FLAGS: readonly ValidatorFlags[] = [
  { names: ['wallet.'], why: 'the keys of the network are never needed here' },
  { names: ['subtensor.'], why: 'the chain is not spoken to' },
  { names: ['axon.', 'no-axon'], why: 'signals of miners are received by the validator' },
  { names: ['logging.'], why: '--log-level is for the log of this server' },
  { names: ['neuron.', 'priority.'], why: 'settings of the neuron and of its thread pool' },
  { names: ['autosync'], why: 'the validator brings its own positions up to date' },
  { names: ['start-generate'], why: 'the validator writes its outputs; they are served if they are there' },
  { names: ['slack-error-webhook-url'], why: 'alerts of this server go to --slack-webhook-url' },
  {
    names: ['no-spawn-api', 'split-state', 'orders-app', 'validator-hotkey'],
    why: 'which processes the validator itself starts',
  },
  {
    names: ['config', 'strict', 'no_version_checking'],
    why: "settings of the network library's own arguments",
  },
];

/** The name in an argument such as `--name` or `--name=value`; undefined if it is no flag. */
function flagName(argument: string): string | undefined {
  return /^--([^=]+)/.exec(argument)?.[1];
}

function isValidatorFlag(argument: string | undefined): boolean {
  const name = argument === undefined ? undefined : flagName(argument);
  if (name === undefined) return false;
  return VALIDATOR_FLAGS.some(({ names }) =>
    names.some((known) => (known.endsWith('.') ? name.startsWith(known) : name === known)),
  );
}

/**
 * The arguments without those of the validator. The value of a flag may stand behind `=` or be the next argument, which
 * it is if it does not look like a flag itself.
 */
export function withoutValidatorFlags(args: readonly string[]): string[] {
  return args.filter((argument, place) => {
    if (isValidatorFlag(argument)) return false;
    const before = args[place - 1];
    const isValue = !/^-\D/.test(argument) && before?.includes('=') === false && isValidatorFlag(before);
    return !isValue;
  });
}
