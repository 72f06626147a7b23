/** What keys a Python server let in after each edit of its key file, and what counts here. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeTemporaryFolder } from '@ptn-api/testkit';
import type { TestScope } from '@ptn-api/testkit';
import { runServerVectors } from '@ptn-api/testkit/vectors';
import type { VectorResult } from '@ptn-api/testkit/vectors';
import t from 'tap';

const FIXTURES = fileURLToPath(new URL('../fixtures', import.meta.url));

async function resultsOf(folder: string): Promise<VectorResult[]> {
  const results: VectorResult[] = [];
  for await (const result of runServerVectors(folder)) results.push(result);
  return results;
}

/** What differs in a file of this text. */
async function unequalOf(scope: TestScope, text: string): Promise<readonly string[]> {
  const folder = makeTemporaryFolder(scope);
  mkdirSync(join(folder, 'keys'));
  writeFileSync(join(folder, 'keys/one.json'), text);
  const [result] = await resultsOf(folder);
  return result?.difference.unequal ?? ['it was not recognised'];
}

void t.test('step by step as the Python server, but for what differs on purpose', async (t) => {
  const results = await resultsOf(FIXTURES);
  t.same(
    results.map(({ path, cases, difference }) => [
      path,
      cases,
      difference.unequal,
      difference.expected.length,
    ]),
    [
      ['keys/2025.json', 16, [], 7],
      ['keys/account-size.json', 16, [], 6],
    ],
  );
});

void t.test('another status than the recorded one differs, also where one is expected to', async (t) => {
  const recorded = readFileSync(join(FIXTURES, 'keys/2025.json'), 'utf8');
  const steps = JSON.parse(recorded) as { step: string; result: Record<string, number> }[];
  const first = steps.slice(0, 2);
  for (const { result } of first) result['KA'] = 401;
  t.same(await unequalOf(t, JSON.stringify(first)), [
    'start a=100 b=0: key "KA": 200 for 401',
    'tiers swapped only (a->0, b->100): key "KA": 403 for 401',
  ]);
});

void t.test('what is no list of known steps differs', async (t) => {
  const start = { step: 'start a=100 b=0', result: { KA: 200 } };
  const list = { step: 'file holds a list', result: { KA: 200 } };
  const cases: readonly (readonly [text: string, unequal: RegExp])[] = [
    ['[{"step": "start', /JSON/],
    ['{}', /no list of steps/],
    ['[]', /no list of steps/],
    ['[null]', /element 0 is no step/],
    [JSON.stringify([start, { step: 'file holds a list', result: {} }]), /element 1 is no step/],
    [JSON.stringify([{ ...start, result: { KA: '200' } }]), /element 0 is no step/],
    [JSON.stringify([start, { ...start, step: 'b renamed' }]), /^b renamed: an unknown step$/],
    [JSON.stringify([list, start]), /^file holds a list: no step before it starts a server$/],
  ];
  for (const [text, unequal] of cases) {
    const found = await unequalOf(t, text);
    t.equal(found.length, 1, text);
    t.match(found[0], unequal);
  }
});
