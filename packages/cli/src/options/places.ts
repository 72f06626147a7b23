import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { StartError } from '@ptn-api/runtime';
import { optionLabel, quoted } from './options.ts';
import type { OptionValues } from './options.ts';

/** Where the validator is looked for if nothing says where it is, from the current folder on. */
const USUAL_ROOTS = ['.', '../proprietary-trading-network', '../vanta-network'];
/** What makes a folder a validator's. */
const MARK = 'validation';
/** Under PTN_ROOT, the preferred place first. */
const KEY_FILES = ['vanta_api/api_keys.json', 'ptn_api/api_keys.json'] as const;

function stateDirOf(ptnRoot: string): string {
  return join(ptnRoot, '.ptn-api');
}

/** The options that say where the files of a server are. */
export type PlaceValues = Pick<OptionValues, 'ptn-root' | 'api-keys' | 'state-dir'>;
/** The options that are paths. */
export type PathOption = keyof PlaceValues | 'log-file';
type PathValues = Partial<Pick<OptionValues, PathOption>>;

/** What some options are turned off with. None that is a path: a folder of that name would be made. */
const OFF = 'off';

/** Why the value of an option is not taken for a path; undefined where it is, and where there is none. */
export function pathProblem(name: PathOption, { [name]: text }: PathValues): string | undefined {
  if (text === undefined || (text.trim() !== '' && text !== OFF)) return undefined;
  const hint = text === OFF ? `: ./${OFF} is one` : '';
  return `${optionLabel(name)} is ${quoted(text)}, a path is needed${hint}`;
}

/**
 * The absolute path that an option names; undefined where it is not given.
 *
 * @throws StartError `PTN_ERR_CLI_USAGE`
 */
export function givenPath(name: PathOption, values: PathValues, cwd: string): string | undefined {
  const detail = pathProblem(name, values);
  if (detail !== undefined) throw new StartError('PTN_ERR_CLI_USAGE', { detail });
  const text = values[name];
  return text === undefined ? undefined : resolve(cwd, text);
}

/** The validator's folder, given or found. */
export function rootOf(values: PlaceValues, cwd: string): string {
  const root = givenPath('ptn-root', values, cwd);
  return root === undefined ? findRoot(cwd) : checkedRoot(root);
}

/**
 * Where a server with these options keeps its state.
 *
 * @throws StartError `PTN_ERR_START_NO_ROOT` where only the validator's folder could say.
 */
export function stateDirPath(values: PlaceValues, cwd: string): string {
  return givenPath('state-dir', values, cwd) ?? stateDirOf(rootOf(values, cwd));
}

function keyFilesOf(ptnRoot: string): [string, ...string[]] {
  return KEY_FILES.map((path) => join(ptnRoot, path)) as [string, ...string[]];
}

/**
 * Where a server with these options reads its key file, the preferred place first.
 *
 * @throws StartError `PTN_ERR_START_NO_ROOT` where only the validator's folder could say.
 */
export function keyFilePaths(values: PlaceValues, cwd: string): [string, ...string[]] {
  const keys = givenPath('api-keys', values, cwd);
  return keys === undefined ? keyFilesOf(rootOf(values, cwd)) : [keys];
}

function findRoot(cwd: string): string {
  const candidates = USUAL_ROOTS.map((path) => resolve(cwd, path));
  const found = candidates.find((path) => existsSync(join(path, MARK)));
  if (found !== undefined) return checkedRoot(found);
  const [here = cwd, ...beside] = candidates;
  throw noRoot(here, `it holds no ${MARK}/, and neither do ${beside.join(' and ')}`);
}

function checkedRoot(path: string): string {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) throw noRoot(path, 'there is nothing of that name');
    if (!found.isDirectory()) throw noRoot(path, 'it is not a folder');
    const mark = statSync(join(path, MARK), { throwIfNoEntry: false });
    if (mark === undefined) throw noRoot(path, `it holds no ${MARK}/`);
    if (!mark.isDirectory()) throw noRoot(path, `its ${MARK} is not a folder`);
    readdirSync(join(path, MARK));
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw noRoot(
      path,
      `it cannot be read (${error instanceof Error ? error.message : String(error)})`,
      error,
    );
  }
  return path;
}

function noRoot(path: string, detail: string, cause?: unknown): StartError {
  return new StartError('PTN_ERR_START_NO_ROOT', { path, detail }, { cause });
}
