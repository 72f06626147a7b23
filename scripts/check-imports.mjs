// Checks that no module imports itself over others, types included: a circle is two rooms with no wall between them.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { projectRoot } from './steps.mjs';

const FROM = /^(?:import|export)\b[^'"]*?\bfrom '(\.[^']+)';/gm;

/** Every module of a package, with the modules of the package that it imports. */
export function importsOf(folder) {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.tsx?$/.test(name),
  );
  return new Map(
    names.map((name) => {
      const text = readFileSync(join(folder, name), 'utf8');
      return [name, [...text.matchAll(FROM)].map(([, path]) => normalize(join(dirname(name), path)))];
    }),
  );
}

/** The first circle that is found from each module, as the names along it; none where there is none. */
export function circlesIn(imports) {
  const done = new Set();
  const circles = [];
  const visit = (name, path) => {
    const at = path.indexOf(name);
    if (at !== -1) circles.push([...path.slice(at), name]);
    if (at !== -1 || done.has(name)) return;
    for (const other of imports.get(name) ?? []) visit(other, [...path, name]);
    done.add(name);
  };
  for (const name of imports.keys()) visit(name, []);
  return circles;
}

if (process.argv[1] === import.meta.filename) {
  const packages = join(projectRoot, 'packages');
  const found = readdirSync(packages).flatMap((name) => {
    const folder = join(packages, name, 'src');
    return circlesIn(importsOf(folder)).map(
      (circle) => `${relative(projectRoot, folder)}: ${circle.join(' -> ')}`,
    );
  });
  for (const line of found) process.stderr.write(`a circle of imports in ${line}\n`);
  process.exitCode = found.length === 0 ? 0 : 1;
}
