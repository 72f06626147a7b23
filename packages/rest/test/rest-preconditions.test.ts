/** Conditional requests, by RFC 9110, section 13. */
import t from 'tap';
import { lastModified } from '../dist/preconditions.js';
import { BEARER, MODIFIED_MS, testApp } from './rest-fixture.ts';

const HEADERS = { ...BEARER, 'accept-encoding': 'gzip' };
const date = (offsetMs: number): string => new Date(MODIFIED_MS + offsetMs).toUTCString();

await t.test('preconditions in the order of the RFC', async (t) => {
  const { app } = testApp(t);
  const ask = async (url: string, headers: Record<string, string>) => {
    const { statusCode } = await app.inject({ url, headers: { ...HEADERS, ...headers } });
    return statusCode;
  };
  for (const url of [
    '/miner-positions',
    '/miner-hotkeys',
    '/statistics',
    '/eliminations',
    '/validator-checkpoint',
  ]) {
    const first = await app.inject({ url, headers: HEADERS });
    const etag = first.headers.etag ?? '';
    t.equal(first.headers['last-modified'], date(0));
    const cases: readonly [number, Record<string, string>][] = [
      [304, { 'if-none-match': etag }],
      [304, { 'if-none-match': `"x", W/${etag} , "y"` }],
      [200, { 'if-none-match': '"x"' }],
      [200, { 'if-none-match': etag.slice(1, -1) }],
      // Existing clients send it with every request and expect the body.
      [200, { 'if-none-match': '*' }],
      [304, { 'if-modified-since': date(0) }],
      [304, { 'if-modified-since': date(60_000) }],
      [200, { 'if-modified-since': date(-1000) }],
      [200, { 'if-modified-since': 'yesterday' }],
      // The ETag counts where both are given.
      [200, { 'if-none-match': '"x"', 'if-modified-since': date(0) }],
      [304, { 'if-none-match': etag, 'if-modified-since': date(-60_000) }],
      [200, { 'if-match': etag }],
      [200, { 'if-match': `"x", ${etag}` }],
      [200, { 'if-match': '*' }],
      [412, { 'if-match': '"x"' }],
      // Weak tags never match strongly.
      [412, { 'if-match': `W/${etag}` }],
      [412, { 'if-match': '"x"', 'if-none-match': etag }],
      [304, { 'if-match': etag, 'if-none-match': etag }],
      [200, { 'if-unmodified-since': date(0) }],
      [412, { 'if-unmodified-since': date(-1000) }],
      [200, { 'if-unmodified-since': 'never' }],
      [200, { 'if-match': etag, 'if-unmodified-since': date(-1000) }],
    ];
    for (const [expected, headers] of cases)
      t.equal(await ask(url, headers), expected, `${url} ${JSON.stringify(headers)}`);
    const refused = await app.inject({ url, headers: { ...HEADERS, 'if-match': '"x"' } });
    t.match(refused.json(), { error: /If-Match/ });
  }
  t.equal(await ask('/docs/docs.js', { 'if-match': '"x"' }), 412);
  t.equal(
    await ask('/docs/docs.js', { 'if-modified-since': date(1e12) }),
    200,
    'only its ETag tells its version',
  );
});

void t.test('Last-Modified never stands for two versions of one second', (t) => {
  const second = Math.floor(MODIFIED_MS / 1000) * 1000;
  t.equal(lastModified(second + 100, second + 500), new Date(second - 1000).toUTCString());
  t.equal(
    lastModified(second + 100, second + 5000),
    new Date(second - 1000).toUTCString(),
    'a worker that lags',
  );
  t.equal(lastModified(second + 100, second + 6000), new Date(second).toUTCString());
  t.end();
});
