// The dependencies of an installable package in the very versions that the project was tested with: what is installed later
// is what was released. npm reads npm-shrinkwrap.json of packages that come from a registry; of a tarball it goes by the
// manifest alone, so that one names exact versions as well.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './steps.mjs';

/** Where npm put what a package at `from` asks for by name: beside it, or nearer to the root. */
function placeOf(packages, from, name) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(folder.lastIndexOf('/node_modules/'), 0))) {
    const place = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (packages[place] !== undefined) return place;
    if (folder === '') return undefined;
  }
}

/** The exact versions of what a package depends on itself. */
export function exactDependencies(dependencies, { packages }) {
  return Object.fromEntries(
    Object.entries(dependencies).map(([name, range]) => [
      name,
      packages[`node_modules/${name}`]?.version ?? range,
    ]),
  );
}

/** @param manifest of the package, whose bundled dependencies have versions of their own. */
export function shrinkwrapOf(manifest) {
  const { packages } = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8'));
  const { name, version, license, dependencies, bundleDependencies, bin, engines } = manifest;
  const bundled = new Set(bundleDependencies);
  const kept = new Map();
  // A package of the workspace may have its own version of what another one has, too.
  const folders = [...bundled].map((own) => `packages/${own.split('/')[1]}`);
  const waiting = Object.keys(dependencies)
    .filter((dependency) => !bundled.has(dependency))
    .map((dependency) => {
      const from = folders.find((folder) => packages[`${folder}/node_modules/${dependency}`] !== undefined);
      return { from: from ?? '', dependency, isOptional: false };
    });
  for (const { from, dependency, isOptional } of waiting) {
    const place = placeOf(packages, from, dependency);
    if (place === undefined) {
      if (isOptional) continue;
      throw new Error(`${dependency}, which ${from || name} needs, is not in package-lock.json`);
    }
    const entry = { ...packages[place], dev: undefined, devOptional: undefined };
    // What lies in a folder of the workspace lies beside the others in the package.
    const target = place.replace(/^packages\/[^/]+\//, '');
    const other = kept.get(target);
    if (other !== undefined && other.version !== entry.version)
      throw new Error(`${target} would have to be ${other.version} and ${entry.version}`);
    if (other !== undefined) continue;
    kept.set(target, entry);
    for (const [of, isOptionalThere] of [
      [entry.dependencies, false],
      [entry.optionalDependencies, true],
      [entry.peerDependencies, true],
    ])
      for (const needed of Object.keys(of ?? {}))
        waiting.push({ from: place, dependency: needed, isOptional: isOptionalThere });
  }
  for (const own of bundled) kept.set(`node_modules/${own}`, { version, inBundle: true });
  return {
    name,
    version,
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': { name, version, license, dependencies, bundleDependencies, bin, engines },
      ...Object.fromEntries([...kept].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    },
  };
}
