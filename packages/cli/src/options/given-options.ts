import { OPTIONS } from './options.ts';
import type { OptionDefinition, OptionName } from './options.ts';

/** What was given for an option, and how: the words by which an error names it. */
export interface Given {
  readonly value: string;
  /** `--api-host` or `PTN_API_HOST`. */
  readonly source: string;
}

/** The options that were given, as text; a switch is `true` or `false`. */
export type GivenOptions = ReadonlyMap<OptionName, Given>;

export const OPTION_NAMES = Object.keys(OPTIONS) as readonly OptionName[];

/** Adds what the environment says to the command line, which goes before it. An empty variable counts as none. */
export function withEnvironment(
  commandLine: GivenOptions,
  env: Readonly<Record<string, string | undefined>>,
): GivenOptions {
  const given = new Map(commandLine);
  for (const name of OPTION_NAMES) {
    const { env: own, oldEnv } = definitionOf(name);
    for (const variable of oldEnv === undefined ? [own] : [own, oldEnv]) {
      const value = env[variable];
      if (!given.has(name) && value !== undefined && value !== '')
        given.set(name, { value, source: variable });
    }
  }
  return given;
}

const ON = ['true', '1'];
const OFF = ['false', '0'];

/** Whether a switch is on, or what is wrong with its value. */
export function readSwitch(given: GivenOptions, name: OptionName): boolean | { readonly problem: string } {
  const found = given.get(name);
  if (found === undefined || OFF.includes(found.value)) return false;
  if (ON.includes(found.value)) return true;
  return { problem: `${found.source} is ${quoted(found.value)}, allowed are true, 1, false or 0` };
}

/** A value as an error shows it; in quotes, so that a space or a line break in it is seen. */
export function quoted(value: string): string {
  return JSON.stringify(value);
}

/** The definition of an option with all its members, also those it does not have. */
export function definitionOf(name: OptionName): OptionDefinition {
  return OPTIONS[name];
}
