// Checks that the documents name files, headings and dependencies that exist, and all of the latter; that docs/errors.md is the
// table of errors with its texts, statuses and codes; and that no dependency is of a version with a vulnerability that they name.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { ERRORS } from '@ptn-api/protocol';
import { errorRowProblems } from './error-rows.mjs';
import { projectRoot } from './steps.mjs';

function markdownIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return markdownIn(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

/** The anchor that a heading gets, as on GitHub. */
function anchorOf(heading) {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
}

const problems = [];
const files = [
  join(projectRoot, 'README.md'),
  ...markdownIn(join(projectRoot, 'docs')),
  join(projectRoot, 'bench', 'README.md'),
];
const anchors = new Map(
  files.map((file) => [
    file,
    new Set([...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading))),
  ]),
);

for (const file of files) {
  const text = readFileSync(file, 'utf8').replace(/```[\s\S]*?```/g, '');
  for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    const [path, anchor] = target.split('#');
    const full = path === '' ? file : join(dirname(file), path);
    if (!existsSync(full)) problems.push(`${relative(projectRoot, file)}: no file ${target}`);
    else if (anchor !== undefined && anchors.get(full)?.has(anchor) === false) {
      problems.push(`${relative(projectRoot, file)}: no heading ${target}`);
    }
  }
}

const errorsPage = readFileSync(join(projectRoot, 'docs', 'errors.md'), 'utf8');
problems.push(...errorRowProblems(errorsPage, ERRORS).map((problem) => `docs/errors.md: ${problem}`));

const packages = join(projectRoot, 'packages');
const needed = new Set(
  readdirSync(packages)
    .map((name) => JSON.parse(readFileSync(join(packages, name, 'package.json'), 'utf8')))
    .flatMap((manifest) => Object.keys(manifest.dependencies ?? {}))
    .filter((name) => !name.startsWith('@ptn-api/')),
);
const [reasons, vulnerabilities] = readFileSync(join(projectRoot, 'docs', 'dependencies.md'), 'utf8').split(
  '## Known vulnerabilities',
);
const explained = new Set([...reasons.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name));
for (const name of needed) {
  if (!explained.has(name)) problems.push(`docs/dependencies.md: ${name} has no row`);
}
for (const name of explained) {
  if (!needed.has(name)) problems.push(`docs/dependencies.md: ${name} is no dependency`);
}

const numbers = (version) => version.split('.').map(Number);
const isBelow = (version, other) => {
  const at = numbers(version).findIndex((number, index) => number !== numbers(other)[index]);
  return at !== -1 && numbers(version)[at] < numbers(other)[at];
};
const lock = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8')).packages;
const advisories = [...vulnerabilities.matchAll(/^\| `([^`]+)` *\| ([^|]+?) *\|[^|]+\| ([^|]+?) *\|$/gm)];
if (advisories.length === 0) problems.push('docs/dependencies.md: no table of known vulnerabilities');
for (const [, name, installed, fixed] of advisories) {
  const locked = Object.entries(lock)
    .filter(([path, { dev }]) => path.endsWith(`node_modules/${name}`) && dev !== true)
    .map(([, { version }]) => version);
  const documentedVersions = [...new Set(locked)].sort().join(', ');
  if (documentedVersions !== installed) {
    problems.push(
      `docs/dependencies.md: ${name} is ${documentedVersions || 'not installed'}, not ${installed}`,
    );
  }
  for (const version of locked) {
    // The fixed version of the same major one, where there are several.
    const least =
      fixed.split(', ').find((each) => numbers(each)[0] === numbers(version)[0]) ?? fixed.split(', ').at(-1);
    if (isBelow(version, least)) {
      problems.push(
        `package-lock.json: ${name} ${version} has a known vulnerability, fixed in ${least} (docs/dependencies.md)`,
      );
    }
  }
}

for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exit(problems.length === 0 ? 0 : 1);
