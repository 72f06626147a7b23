// Mutation testing of one package by its own tests: how many small defects put into its code do they notice? The report is in
// .mutate/<package>/. Stryker is fetched when it is asked for, as it brings 176 packages (docs/dependencies.md).
//
//   npm run mutate -- packages/access                            all of its sources
//   npm run mutate -- packages/positions 'src/json/**/*.ts'      some of them
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { projectRoot, run, tsc } from './steps.mjs';

const STRYKER = '9.6.1';
/** Declarations, which the packages that use them test: schemas by real answers, exports by whoever imports them. */
const DECLARATIONS = '!src/{index,schemas}.ts';

const [name, ...parts] = process.argv.slice(2);
const folder = join('packages', basename(name ?? ''));
if (name === undefined || !existsSync(join(projectRoot, folder, 'test'))) {
  process.stderr.write('usage: npm run mutate -- packages/NAME [SOURCE…], of a package with tests\n');
  process.exit(2);
}

const cache = join(projectRoot, '.mutate', basename(folder));
const config = {
  packageManager: 'npm',
  testRunner: 'tap',
  tap: { testFiles: [`${folder}/dist-test/**/*.test.js`], forceBail: true },
  mutate: [...(parts.length > 0 ? parts : ['src/**/*.ts']), DECLARATIONS].map((pattern) =>
    pattern.replace(/^!?/, (not) => `${not}${folder}/`),
  ),
  // The tests are compiled already. Of the code with the defects only the types are wrong, which are left out: one
  // compilation has all the defects, and each is switched on by itself.
  disableTypeChecks: false,
  tsconfigFile: 'none: it would be rewritten',
  buildCommand: [
    `${process.execPath} ${tsc} -p ${folder} --noCheck --composite false --incremental false`,
    `--declaration false --declarationMap false --typeRoots ${join(projectRoot, 'node_modules/@types')}`,
  ].join(' '),
  ignorePatterns: ['bench', 'docs/images', '.mutate', '.tap', 'packages/dashboard'],
  coverageAnalysis: 'perTest',
  concurrency: Number(process.env.MUTATE_CONCURRENCY ?? 2),
  // What they wait for may take longer on a busy machine.
  timeoutMS: 20_000,
  tempDirName: '.mutate/work',
  reporters: ['progress-append-only', 'clear-text', 'json', 'html'],
  clearTextReporter: { allowColor: false, allowEmojis: false, reportTests: false },
  jsonReporter: { fileName: join(cache, 'report.json') },
  htmlReporter: { fileName: join(cache, 'report.html') },
};
mkdirSync(cache, { recursive: true });
const configFile = join(cache, 'stryker.config.json');
writeFileSync(configFile, `${JSON.stringify(config, null, 2)}\n`);
run('build', process.execPath, [tsc, '-b']);
const packages = ['core', 'tap-runner'].map((part) => `--package=@stryker-mutator/${part}@${STRYKER}`);
run('mutate', 'npx', ['--yes', ...packages, '--', 'stryker', 'run', configFile]);
