import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseJson } from '@ptn-api/positions';
import { createLogger } from '@ptn-api/runtime';
import { makeTemporaryFolder } from '@ptn-api/testkit';
import t from 'tap';
import { ValidatorReports, minerPage } from '../dist/index.js';
import type { DashAnswer } from '../dist/index.js';

const HOTKEY = '5GzrAeiAshBr2yia5i1KqpnewJNzywxVMrSCbjm7U98RmNME';
const EMPTY = '{"timestamp":0,"statistics":{"data":[]},"positions":{}}';
const silent = () => createLogger({ name: 'test', level: 'fatal', destination: { write: () => undefined } });

/** Reports that are answered by hand. */
function reportsOf() {
  const faults: unknown[] = [];
  const waiting: ((answers: readonly DashAnswer[] | Error) => void)[] = [];
  const reports = new ValidatorReports({
    hotkey: HOTKEY,
    ask: () =>
      new Promise((resolve, reject) => {
        waiting.push((answers) => {
          if (answers instanceof Error) reject(answers);
          else resolve(answers);
        });
      }),
    onFault: (error) => faults.push(error),
  });
  return { reports, faults, waiting };
}

const answer = (hotkey: string, result: DashAnswer['result'], json?: string, text = ''): DashAnswer => ({
  hotkey,
  result,
  text,
  data: json === undefined ? undefined : parseJson(json),
});

void t.test('the page is served from its built files, and from nothing else', async (t) => {
  const folder = makeTemporaryFolder(t);
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), '<p>');
  writeFileSync(join(folder, 'notes.txt'), 'of no known type');
  writeFileSync(join(folder, 'assets', 'page-abc.js'), '1');
  const { reports, waiting } = reportsOf();
  const page = minerPage({ folder, reports, log: silent() });
  const get = (url: string) => page.inject({ url });
  const index = await get('/');
  t.same(
    [index.statusCode, index.headers['content-type'], index.body],
    [200, 'text/html; charset=utf-8', '<p>'],
  );
  t.equal(index.headers['cache-control'], 'no-cache');
  const script = await get('/assets/page-abc.js');
  t.same([script.statusCode, script.headers['content-type']], [200, 'text/javascript; charset=utf-8']);
  t.match(script.headers['cache-control'], /immutable/);
  for (const url of ['/assets', '/%2e%2e/x', '/__proto__', '/notes.txt', '/miner-url.json']) {
    t.equal((await get(url)).statusCode, 404, url);
  }
  t.equal((await page.inject({ method: 'POST', url: '/status.json' })).statusCode, 404);
  const status = await get('/status.json');
  t.equal(status.headers['cache-control'], 'no-store');
  for (const { headers } of [index, script, status, await get('/absent')]) {
    t.equal(
      headers['content-security-policy'],
      "default-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    t.equal(headers['x-content-type-options'], 'nosniff');
    t.equal(headers['x-frame-options'], 'DENY');
    t.equal(headers['access-control-allow-origin'], undefined);
  }
  t.equal(waiting.length, 1, 'asking for the status has validators asked');
  t.throws(() => minerPage({ folder: join(folder, 'absent'), reports, log: silent() }), {
    name: 'PageMissingError',
    message: /page is not built.*npm run build/,
  });
});

void t.test('the status says at once whom was asked and what they answered the last time', async (t) => {
  const { reports, waiting } = reportsOf();
  const before = reports.status();
  t.match(before, { hotkey: HOTKEY, is_asking: false, asked_ms: null, answered_ms: null });
  t.strictSame(before.validators, []);
  const asked = reports.refresh();
  t.equal(reports.refresh(), asked, 'one asking at a time');
  t.equal(reports.status().is_asking, true);
  waiting[0]?.([
    answer('5A', 'answered', '{"timestamp":5}'),
    answer('5B', 'answered', '{"timestamp":9,"value":NaN}'),
    answer('5C', 'refused', undefined, 'Rate limited'),
    answer('5D', 'unanswered', undefined, 'Request timeout after 15.0 seconds'),
  ]);
  await asked;
  const after = reports.status();
  t.match(after, { is_asking: false, asked_ms: Number, answered_ms: Number });
  t.not(after.data_id, before.data_id);
  t.same(after.validators, [
    { hotkey: '5A', result: 'answered', text: '', last_order_ms: 5, is_shown: false },
    { hotkey: '5B', result: 'answered', text: '', last_order_ms: 9, is_shown: true },
    { hotkey: '5C', result: 'refused', text: 'Rate limited', last_order_ms: null, is_shown: false },
    {
      hotkey: '5D',
      result: 'unanswered',
      text: 'Request timeout after 15.0 seconds',
      last_order_ms: null,
      is_shown: false,
    },
  ]);
  t.equal(reports.body, '{"timestamp":9,"value":null}');
  await reports.refresh();
  t.equal(waiting.length, 1, 'not asked again within a minute');
});

void t.test('what comes with a refusal is shown until there is something whole', async (t) => {
  const partial = '{"timestamp":50,"statistics":{"data":[]},"positions":{"5M":{}}}';
  const first = reportsOf();
  const asked = first.reports.refresh();
  first.waiting[0]?.([answer('5A', 'refused', partial, 'Validator 5A has no stats for miner 5M')]);
  await asked;
  t.equal(first.reports.body, partial);
  t.match(first.reports.status(), {
    answered_ms: Number,
    validators: [{ result: 'refused', is_shown: true }],
  });

  const both = reportsOf();
  const askedBoth = both.reports.refresh();
  both.waiting[0]?.([answer('5A', 'refused', partial), answer('5B', 'answered', '{"timestamp":7}')]);
  await askedBoth;
  t.equal(both.reports.body, '{"timestamp":7}', 'however old it is');
});

void t.test('that nobody could be asked is reported, and the page says that nobody answered', async (t) => {
  const { reports, waiting, faults } = reportsOf();
  const asked = reports.refresh();
  waiting[0]?.(new Error('no metagraph'));
  await asked;
  t.match(faults, [{ message: 'no metagraph' }]);
  t.match(reports.status(), { is_asking: false, asked_ms: Number, answered_ms: null });
  t.strictSame(reports.status().validators, []);
  t.equal(reports.body, EMPTY);
});
