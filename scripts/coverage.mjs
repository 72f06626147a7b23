// Runs tests by tap's own runner with coverage: which lines and branches of the sources they reach. The details are in
// .tap/report/index.html, what it says of other packages than the one that was named is by its tests alone.
//
//   npm run coverage -- packages/positions
//   npm run coverage -- packages/positions/test/gzip.test.ts
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot, run, tool, tsc } from './steps.mjs';

/** The built test files that an argument means: a package's, or one by its source. */
function testFiles(name) {
  const built = name.replace(/\/$/, '').replace(/\/test\/(.*)\.ts$/, '/dist-test/$1.js');
  if (built.endsWith('.js')) return existsSync(join(projectRoot, built)) ? [built] : [];
  const folder = join(built, 'dist-test');
  if (!existsSync(join(projectRoot, folder))) return [];
  return readdirSync(join(projectRoot, folder))
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => join(folder, file));
}

run('build', process.execPath, [tsc, '-b']);
const names = process.argv.slice(2);
const files = names.flatMap(testFiles);
if (files.length === 0) {
  process.stderr.write('usage: npm run coverage -- packages/NAME | packages/NAME/test/FILE.test.ts …\n');
  process.exit(2);
}
const options = [
  '--coverage-report=text',
  '--coverage-report=html',
  '--show-full-coverage',
  '--allow-incomplete-coverage',
];
run('coverage', process.execPath, [tool('tap/dist/esm/run.mjs'), 'run', ...options, ...files]);
