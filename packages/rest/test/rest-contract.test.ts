import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { FIXTURES, testApp } from './rest-fixture.ts';

interface Answer {
  readonly status: number;
  readonly error?: string;
}

interface Row {
  readonly scenario: string;
  readonly group: string;
  readonly auth?: string;
  readonly method?: 'GET';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly contract?: Answer;
}

interface Difference {
  /** Rows of the contract that are answered otherwise. */
  readonly rows: number;
  readonly reason: string;
  readonly is: (row: Row) => boolean;
  readonly answer: (row: Row) => Answer;
}

const GOOD_AUTH = /^(good-|lowercase-bearer|double-space|body-.*good-header)/;

/** Deliberate; docs/decisions/0003-rest-differences.md says more. */
const DIFFERENCES: readonly Difference[] = [
  {
    rows: 14,
    reason: '/miner-copying is a route here; a good key gets the file',
    is: ({ path, auth = '', contract }) =>
      path.startsWith('/miner-copying') && contract?.status === 404 && GOOD_AUTH.test(auth),
    answer: () => ({ status: 200 }),
  },
  {
    rows: 10,
    reason: '/miner-copying is a route here and needs a key',
    is: ({ path, auth = '', contract }) =>
      path.startsWith('/miner-copying') && contract?.status === 404 && !GOOD_AUTH.test(auth),
    answer: () => ({ status: 401, error: 'Unauthorized access' }),
  },
  {
    rows: 10,
    reason: 'RFC 9110 allows several blanks between scheme and key: the same answer as with one',
    is: ({ auth }) => auth === 'double-space',
    answer: (row) => {
      const single = rows.find((one) => one.auth === 'good-tier100' && one.path === row.path);
      return single?.contract ?? { status: 200 };
    },
  },
  {
    rows: 2,
    reason: 'a tier between two gives the access of the lower one, also for one miner',
    is: ({ path, auth }) => auth === 'good-tier75' && path.startsWith('/miner-positions/'),
    answer: ({ path }) =>
      path.includes('Unknown')
        ? { status: 404, error: `Miner ID ${path.split('/')[2] ?? ''} not found` }
        : { status: 200 },
  },
];

const rows = gunzipSync(readFileSync(new URL('cases.jsonl.gz', FIXTURES)))
  .toString('utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Row);

async function ask(app: ReturnType<typeof testApp>['app'], row: Row) {
  return app.inject({
    method: row.method ?? 'GET',
    url: row.path,
    headers: row.headers,
    ...(row.body === undefined ? {} : { payload: row.body }),
  });
}

await t.test('every row of the contract is answered with its status and error text', async (t) => {
  const { app, logged } = testApp(t);
  const contract = rows.filter((row) => row.contract !== undefined);
  t.equal(contract.length, 383, 'rows in the contract');
  const met = new Map(DIFFERENCES.map((difference) => [difference, 0]));
  const wrong: unknown[] = [];
  for (const row of contract) {
    const difference = DIFFERENCES.find(({ is }) => is(row));
    if (difference !== undefined) met.set(difference, (met.get(difference) ?? 0) + 1);
    const expected = difference?.answer(row) ?? row.contract;
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
