import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { DIFFERENCES_2025 } from '@ptn-api/testkit/vectors';
import type { HttpRow } from '@ptn-api/testkit/vectors';
import t from 'tap';
import { FIXTURES, testApp } from './rest-fixture.ts';

const rows = gunzipSync(readFileSync(new URL('cases.jsonl.gz', FIXTURES)))
  .toString('utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as HttpRow);

async function ask(app: ReturnType<typeof testApp>['app'], row: HttpRow) {
  return app.inject({
    method: (row.method ?? 'GET') as 'GET',
    url: row.path,
    headers: row.headers,
    ...(row.body === undefined ? {} : { payload: row.body }),
  });
}

await t.test('every row of the contract is answered with its status and error text', async (t) => {
  const { app, logged } = testApp(t);
  const contract = rows.filter((row) => row.contract !== undefined);
  t.equal(contract.length, 383, 'rows in the contract');
  const met = new Map(DIFFERENCES_2025.map((difference) => [difference, 0]));
  const wrong: unknown[] = [];
  for (const row of contract) {
    const difference = DIFFERENCES_2025.find(({ is }) => is(row));
    if (difference !== undefined) met.set(difference, (met.get(difference) ?? 0) + 1);
    const expected = difference?.answer(row, rows) ?? row.contract;
    const response = await ask(app, row);
    const { statusCode: status } = response;
    const error = status < 400 ? undefined : response.json<{ error: string }>().error;
    if (status !== expected?.status || error !== expected.error) wrong.push({ row, expected, status, error });
  }
  t.strictSame(wrong, []);
  for (const [{ rows, reason }, count] of met) t.equal(count, rows, `rows that differ: ${reason}`);
  t.strictSame(logged, [], 'nothing is logged');
});

await t.test('every other request on record gets a JSON answer that is no fault', async (t) => {
  const { app, logged } = testApp(t);
  const others = rows.filter((row) => row.contract === undefined);
  t.equal(others.length, 546);
  const wrong: unknown[] = [];
  for (const row of others) {
    const { statusCode: status, headers } = await ask(app, row);
    if (
      status >= 500 ||
      headers['content-type'] !== 'application/json' ||
      headers['x-request-id'] === undefined
    ) {
      wrong.push({ row, status, headers });
    }
  }
  t.strictSame(wrong, []);
  t.strictSame(logged, []);
});
