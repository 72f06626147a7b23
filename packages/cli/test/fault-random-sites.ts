/** The calls of the feed that can fail, as they stand in its built modules. */
import { readdirSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import type { SourceMapPayload } from 'node:module';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGES = fileURLToPath(new URL('../../', import.meta.url));
/** The feed is made of these packages; what else it uses makes no call that fails. */
const MADE_OF = ['feed', 'order-log'];
/** Names in use anywhere in a module that imports them from there are calls. */
const MODULES: Readonly<Record<string, readonly string[]>> = {
  'node:fs': [],
  'node:fs/promises': [],
  'node:timers/promises': [],
  'node:child_process': [],
  'node:worker_threads': ['parentPort', 'workerData'],
  lmdb: [],
};
/** No call of the system. */
const NO_CALLS = new Set(['constants']);
const TIMERS = /\b(setTimeout|setInterval|setImmediate)\(/g;
const TASK = /\bpool\s*\.run\('(\w+)'/g;
const ENVIRONMENT =
  /\benvironment\.(transactionSync|putSync|removeSync|getBinary|doesExist|getRange|readerCheck|resetReadTxn|close)\(/g;
const IMPORT = /^import (?:\w+, )?\{([^}]*)\} from ['"]([^'"]+)['"];/gm;

/** The first line of a function at the top of a module, or of a method of a class. */
const HEADER =
  /^(?: {2})?(?:export |async |static |function |const |class |interface )*([#\w]+)[(<: ].*[^;,]$/;
const KEYWORDS = new Set([
  'try',
  'if',
  'for',
  'while',
  'switch',
  'return',
  'do',
  'let',
  'environment',
  'interface',
]);
/**
 * What a run may not come to: what other workers read of the order log, what makes a log of an earlier format one of today, and
 * what is done for thousands of orders at once: the removal of whole blocks, a history that is longer than one commit.
 */
const NOT_CALLED = [
  /^order-log\/order-log-reader\.ts:\d+ (read|timestampIn) /,
  /^order-log\/message-texts\.ts:/,
  /^order-log\/blocks\.ts:\d+ makeBlocksOfWholeMessages /,
  /^order-log\/open-order-log-writer\.ts:\d+ upgraded /,
  /^order-log\/order-log-writer\.ts:\d+ (remember|prune) setImmediate$/,
  /^order-log\/order-log-writer\.ts:\d+ (#remove|#record) /,
];

/** Whether every run comes to the call. */
export function isAlwaysCalled({ name }: Site): boolean {
  return !NOT_CALLED.some((pattern) => pattern.test(name));
}

export interface Site {
  /** `feed/positions/miner-folders.js:17 readdirSync`: where in the built module, and what is called. */
  readonly key: string;
  /** The same for people: `feed/positions/miner-folders.ts:14 minersIn readdirSync`. */
  readonly name: string;
}

/** By the source: what an earlier build left behind is no module. */
function modulesOf(packageName: string): string[] {
  return readdirSync(join(PACKAGES, packageName, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(PACKAGES, packageName, 'dist', name.replace(/\.ts$/, '.js')));
}

/** Names that stand for calls in the module, from what it imports. */
function callsImported(text: string): string[] {
  return [...text.matchAll(IMPORT)].flatMap(([, names = '', from = '']) => {
    const passed = MODULES[from];
    if (passed === undefined) return [];
    const imported = names.split(',').map((name) => name.trim());
    return imported.filter((name) => name !== '' && !passed.includes(name) && !NO_CALLS.has(name));
  });
}

/** Code only: what stands in a comment or in an import is no call. */
function codeLines(text: string): string[] {
  const blank = (found: string): string => found.replaceAll(/[^\n]/g, ' ');
  return text
    .replaceAll(/\/\*[^]*?\*\//g, blank)
    .replaceAll(/(?<=^|\s)\/\/.*$/gm, blank)
    .replaceAll(IMPORT, blank)
    .split('\n');
}

/** Where a name stands for something else from a line on, since a module takes it out of its options. */
function shadowedFrom(lines: readonly string[], name: string): number {
  const taken = new RegExp(`\\{[^}]*\\b${name}\\b[^}]*\\} = this\\.#options`);
  const line = lines.findIndex((text) => taken.test(text));
  return line === -1 ? Infinity : line;
}

/** The calls on each line of a module. */
function callsOf(text: string): string[][] {
  const lines = codeLines(text);
  const imported = callsImported(text).map((name) => ({
    name,
    // Called, or chosen to be called: `(isLink ? lstatSync : statSync)(path)`.
    pattern: new RegExp(`(?<![\\w.#'"$])${name}(?:\\(| : \\w+\\)\\(|(?<= : ${name})\\)\\()`),
    shadowedFrom: shadowedFrom(lines, name),
  }));
  return lines.map((line, index) => {
    const found = [TIMERS, ENVIRONMENT, TASK].flatMap((pattern) =>
      [...line.matchAll(pattern)].map(([, name = '']) => name),
    );
    for (const { name, pattern, shadowedFrom } of imported) {
      if (index < shadowedFrom && pattern.test(line)) found.push(name);
    }
    return [...new Set(found)];
  });
}

/** The function or method around a line of the TypeScript source, by its indentation. */
function functionAround(source: readonly string[], line: number): string {
  for (let at = line; at >= 0; at--) {
    const name = HEADER.exec(source[at] ?? '')?.[1];
    if (name !== undefined && !KEYWORDS.has(name)) return name;
  }
  return 'module';
}

/** Every call of the feed that a fault can be put in. */
export function sitesOfFeed(): Site[] {
  return MADE_OF.flatMap(modulesOf).flatMap((path) => {
    const text = readFileSync(path, 'utf8');
    const map = new SourceMap(JSON.parse(readFileSync(`${path}.map`, 'utf8')) as SourceMapPayload);
    const [packageName = '', , ...rest] = relative(PACKAGES, path).split(sep);
    const file = [packageName, ...rest].join('/');
    const sourcePath = join(PACKAGES, packageName, 'src', ...rest).replace(/\.js$/, '.ts');
    const source = readFileSync(sourcePath, 'utf8').split('\n');
    const lines = text.split('\n');
    return callsOf(text).flatMap((calls, index) =>
      calls.map((call): Site => {
        const found = map.findEntry(index, (lines[index] ?? '').indexOf(call));
        const at = 'originalLine' in found ? found.originalLine : index;
        const place = `${file.replace(/\.js$/, '.ts')}:${at + 1}`;
        return {
          key: `${file}:${index + 1} ${call}`,
          name: `${place} ${functionAround(source, at)} ${call}`,
        };
      }),
    );
  });
}
