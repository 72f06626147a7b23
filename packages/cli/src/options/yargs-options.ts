import { KEY_TIERS, TIERS } from '@ptn-api/protocol';
import type { Options } from 'yargs';
import { OPTIONS, optionLabel, quoted } from './options.ts';
import type { OptionDefinition, OptionName } from './options.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What yargs has of an option: its value, or all where it was given several times. */
export type Given = string | boolean | readonly (string | boolean)[];

/** Of an option that was given several times, the last one counts. */
export function lastGiven(given: Given): string {
  return String([given].flat().at(-1) ?? '');
}

/** `undefined` for off, so that it excludes no other option. */
function readSwitch(name: OptionName, given: Given): true | undefined {
  const text = lastGiven(given);
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return undefined;
  throw new Error(`${optionLabel(name)} is ${quoted(text)}, allowed are true, 1, false or 0`);
}

/**
 * Rows of the table as yargs takes them. A variable of the environment is the default of its option, unless it is empty.
 *
 * @param shown those that the help shows.
 */
export function yargsOptions(
  names: readonly OptionName[],
  env: Environment,
  shown = names,
): Record<string, Options> {
  return Object.fromEntries(names.map((name) => [name, yargsOption(name, env, !shown.includes(name))]));
}

function yargsOption(name: OptionName, env: Environment, hidden: boolean): Options {
  const { env: variable, oldEnv = '', isSwitch, default: fallback, ...row }: OptionDefinition = OPTIONS[name];
  const value = [env[variable], env[oldEnv]].find((text) => text !== undefined && text !== '') ?? fallback;
  return {
    ...row,
    describe: `${row.describe} [${variable}]`,
    hidden,
    // A switch has no type of yargs: that would take `--serve=1` for false.
    ...(isSwitch === true ? {} : { type: 'string', requiresArg: true }),
    coerce: (given: Given) => {
      if (isSwitch === true) return readSwitch(name, given);
      return row.array === true ? [given].flat().join(',') : lastGiven(given);
    },
    // What the environment says may be a secret, which no help shows.
    ...(value !== undefined && { default: value, defaultDescription: fallback ?? `from ${variable}` }),
    // Commands name the options that they take.
    global: false,
  };
}

/** The freshness tier, for the commands that need one. */
export const TIER_OPTION = {
  describe: 'Data freshness tier',
  type: 'string',
  choices: TIERS.map(String),
  coerce: lastGiven,
  demandOption: true,
} as const satisfies Options;

/** The same for keys, which may have more. */
export const KEY_TIER_OPTION = {
  ...TIER_OPTION,
  describe: 'Tier of the key; from 100 on it sees all data in real time',
  choices: KEY_TIERS.map(String),
} as const satisfies Options;
