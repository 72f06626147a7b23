// Runs what the Python systems answered against this project: every file of a known form below a folder. A line for each:
// path, cases, differences, largest relative error. Exit code 1 where anything differs, 2 where nothing was recognised.
import { statSync } from 'node:fs';
import { runServerVectors, runVectors } from '@ptn-api/testkit/vectors';

const SHOWN = 3;
const [folder] = process.argv.slice(2);
if (folder === undefined || statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
  process.stderr.write('usage: npm run vectors -- FOLDER\n');
  process.exit(2);
}

let files = 0;
let different = 0;
async function* results() {
  yield* runVectors(folder);
  yield* runServerVectors(folder);
}

for await (const { path, form, cases, difference } of results()) {
  const { unequal, worst, expected } = difference;
  files += 1;
  if (unequal.length > 0) different += 1;
  process.stdout.write(
    `${path}: ${cases} cases, ${unequal.length} differences, largest relative error ${worst.toExponential(1)} (${form})\n`,
  );
  for (const line of unequal.slice(0, SHOWN)) process.stdout.write(`  ${line}\n`);
  for (const line of expected) process.stdout.write(`  on purpose: ${line}\n`);
}
process.stdout.write(`${files} files, ${different} of them differ\n`);
process.exitCode = files === 0 ? 2 : different === 0 ? 0 : 1;
