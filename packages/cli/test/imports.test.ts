import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeTemporaryFolder } from '@ptn-api/testkit';
import t from 'tap';

const SCRIPT = new URL('../../../scripts/check-imports.mjs', import.meta.url);
const { circlesIn, importsOf } = (await import(SCRIPT.href)) as {
  importsOf: (folder: string) => Map<string, string[]>;
  circlesIn: (imports: Map<string, string[]>) => string[][];
};

void t.test('no module of the project imports itself over others', (t) => {
  const { status, stderr } = spawnSync(process.execPath, [fileURLToPath(SCRIPT)], { encoding: 'utf8' });
  t.equal(stderr, '');
  t.equal(status, 0);
  t.end();
});

void t.test('a circle is found, over types and several modules, too', (t) => {
  const folder = makeTemporaryFolder(t);
  mkdirSync(join(folder, 'b'));
  writeFileSync(
    join(folder, 'a.ts'),
    "import { x } from './b/c.ts';\nimport { readFileSync } from 'node:fs';\n",
  );
  writeFileSync(join(folder, 'b/c.ts'), "export type { Y } from '../d.ts';\n");
  writeFileSync(join(folder, 'd.ts'), "import type {\n  A,\n} from './a.ts';\n");
  writeFileSync(join(folder, 'e.ts'), "import './a.ts';\n");
  t.same(circlesIn(importsOf(folder)), [['a.ts', 'b/c.ts', 'd.ts', 'a.ts']]);
  t.end();
});
