import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { filesUnder, writtenHistory } from './history-fixture.ts';

function contents(root: string): Map<string, string> {
  return new Map(filesUnder(root).map((path) => [path, readFileSync(join(root, path)).toString('base64')]));
}

const few = { miners: 12, positions: 150 };

void t.test('the same seed and end give byte-identical files', async (t) => {
  for (const generation of ['2025', '2026'] as const) {
    const options = { ...few, generation };
    const [one, two] = [await writtenHistory(t, options), await writtenHistory(t, options)];
    t.strictSame(contents(one.root), contents(two.root));
  }
});

void t.test('another seed gives other miners', async (t) => {
  const [one, two] = [await writtenHistory(t, few), await writtenHistory(t, { ...few, seed: 2 })];
  const hotkeys = new Set(one.miners.map(({ hotkey }) => hotkey));
  t.equal(hotkeys.size, 12);
  t.notOk(two.miners.some(({ hotkey }) => hotkeys.has(hotkey)));
});
