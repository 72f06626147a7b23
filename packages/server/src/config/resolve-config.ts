import { readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { ServerConfig } from './config.ts';
import { definitionOf, quoted } from './given-options.ts';
import type { GivenOptions } from './given-options.ts';
import { LOG_LEVELS, POSITIONS_SOURCES, WATCH_MODES } from './options.ts';
import type { OptionName } from './options.ts';
import { StartError } from './start-error.ts';

/** Where the validator is looked for if nothing says where it is, from the current folder on. */
const USUAL_ROOTS = ['.', '../proprietary-trading-network', '../vanta-network'];
/** Under PTN_ROOT, the preferred place first. */
const KEY_FILES = ['vanta_api/api_keys.json', 'ptn_api/api_keys.json'] as const;
const HOST = /^[\w.:%-]+$/;
const WHOLE_NUMBER = /^\d{1,5}$/;

/** Gives a value, or throws a {@link BadValue} that says what is allowed. */
type Reader<T> = (text: string) => T | BadValue;
interface BadValue {
  readonly allowed: string;
}

function wholeNumber(least: number, most: number): Reader<number> {
  return (text) => {
    const value = WHOLE_NUMBER.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    return { allowed: `allowed is a whole number from ${least} to ${most}` };
  };
}

function oneOf<const T extends string>(values: readonly T[]): Reader<T> {
  return (text) => values.find((value) => value === text) ?? { allowed: `allowed are ${values.join(', ')}` };
}

const readHost: Reader<string> = (text) =>
  HOST.test(text) ? text : { allowed: 'allowed is an address or host name such as 127.0.0.1 or 0.0.0.0' };

const readNetuid: Reader<8 | 116> = (text) =>
  text === '8' ? 8 : text === '116' ? 116 : { allowed: 'allowed are 8 (mainnet) and 116 (testnet)' };

const readPath: Reader<string> = (text) => (text.trim() === '' ? { allowed: 'a path is needed' } : text);

/**
 * The configuration of the server from what was given: values checked, defaults filled in, paths made absolute.
 *
 * @param cwd The folder that relative paths are relative to.
 * @throws StartError `PTN_ERR_CLI_USAGE` with one line for each bad value, `PTN_ERR_START_NO_ROOT` if there is no
 * validator folder.
 */
export function resolveConfig(given: GivenOptions, { cwd, version }: { cwd: string; version: string }): ServerConfig {
  const problems: string[] = [];

  function readIfGiven<T>(name: OptionName, read: Reader<T>): T | undefined {
    const { fallback } = definitionOf(name);
    const { value, source } = given.get(name) ?? { value: fallback, source: '' };
    if (value === undefined) return undefined;
    const result = read(value);
    if (typeof result !== 'object' || result === null) return result as T;
    problems.push(`${source} is ${quoted(value)}, ${(result as BadValue).allowed}`);
    return undefined;
  }
  return {} as ServerConfig;
}
