/** Everything that was asked of a validator of December 2025, asked of a server of its folder. */
import { fileURLToPath } from 'node:url';
import { runServerVectors } from '@ptn-api/testkit/vectors';
import t from 'tap';

const FIXTURES = fileURLToPath(new URL('../fixtures/vanta', import.meta.url));

void t.test('status, error and content are the same, but for what differs on purpose', async (t) => {
  const results = [];
  for await (const result of runServerVectors(FIXTURES)) results.push(result);
  t.match(results, [{ path: 'cases.jsonl.gz', cases: 283 }]);
  for (const { difference } of results) {
    t.same(difference.unequal, []);
    t.ok(difference.numbers > 300, `${difference.numbers} numbers were compared`);
  }
});
