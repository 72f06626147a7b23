import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import type { Test } from 'tap';
import type { AnyTransaction } from '../../runtime/dist/ipc/messages.js';
import { testApp } from './rest-fixture.js';

const PORTS: AnyTransaction = {
  topic: 'listeners',
  reset: false,
  put: [['ports', { kind: 'listening-ports', ws: 8765 }]],
  remove: [],
};

function pageFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'ptn-dashboard-page-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>page</title>');
  writeFileSync(join(folder, 'assets', 'index-abc.js'), 'export {};');
  writeFileSync(join(folder, 'assets', 'worker-abc.js'), 'export {};');
  writeFileSync(join(folder, 'notes.txt'), 'of no known type');
  return folder;
}

function dashboard(t: Test, { publicWsUrl }: { publicWsUrl?: string } = {}, transactions = [PORTS]) {
  return testApp(t, transactions, undefined, { dashboardFiles: pageFolder(t), publicWsUrl }).app;
}

const policyOf = (headers: Readonly<Record<string, unknown>>): string =>
  String(headers['content-security-policy']);

await t.test('the page is sent without a key, with a policy that allows its own server alone', async (t) => {
  const { statusCode, headers, body } = await dashboard(t).inject({
    url: '/dashboard/',
    headers: { host: 'ptn.example.com:48888' },
  });
  t.equal(statusCode, 200);
  t.match(body, '<title>page</title>');
  t.equal(headers['content-type'], 'text/html; charset=utf-8');
  t.equal(headers['cache-control'], 'no-cache');
  t.equal(
    headers['content-security-policy'],
    "default-src 'self'; connect-src 'self' ws://ptn.example.com:8765 wss://ptn.example.com:8765; " +
      "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
});

await t.test('without its slash the address leads there, also under a path of a proxy', async (t) => {
  const { statusCode, headers } = await dashboard(t).inject('/dashboard');
  t.equal(statusCode, 307);
  t.equal(headers.location, 'dashboard/', 'relative: the server knows of no path before it');
});

await t.test('a host that is none does not get into the policy', async (t) => {
  const app = dashboard(t);
  for (const host of [
    "x; script-src 'unsafe-inline'",
    'x, y',
    '*',
    "[::1]; script-src 'unsafe-inline'",
    '[x]:80',
  ]) {
    const { headers } = await app.inject({ url: '/dashboard/', headers: { host } });
    t.match(policyOf(headers), /^default-src 'self'; connect-src 'self'; object-src/, host);
  }
});

await t.test('at an address of IPv6, which no policy can name, any stream may be opened', async (t) => {
  const app = dashboard(t);
  for (const host of ['[::1]:48888', '[2001:db8::5]']) {
    const { headers } = await app.inject({ url: '/dashboard/', headers: { host } });
    t.match(policyOf(headers), /^default-src 'self'; connect-src 'self' ws: wss:; object-src/, host);
  }
});

await t.test('a public address of the stream is passed to the page and allowed by the policy', async (t) => {
  const app = dashboard(t, { publicWsUrl: 'wss://ptn.example.com/stream' });
  const { headers } = await app.inject('/dashboard/');
  t.match(policyOf(headers), "connect-src 'self' wss://ptn.example.com;");
  const config = await app.inject('/dashboard/config.json');
  t.same(config.json(), { wsPort: 8765, wsUrl: 'wss://ptn.example.com/stream' });
  t.equal(config.headers['cache-control'], 'no-store');
});

await t.test('the port of the stream is known as soon as it is open', async (t) => {
  t.same((await dashboard(t).inject('/dashboard/config.json')).json(), { wsPort: 8765 });
  const before = await dashboard(t, {}, []).inject('/dashboard/config.json');
  t.equal(before.statusCode, 503);
  t.ok(before.headers['retry-after']);
});

await t.test(
  'files with a hash in their name are kept for good, but not the script of a worker',
  async (t) => {
    const app = dashboard(t);
    const script = await app.inject('/dashboard/assets/index-abc.js');
    t.equal(script.headers['cache-control'], 'public, max-age=31536000, immutable');
    t.equal(script.headers['content-type'], 'text/javascript; charset=utf-8');
    const worker = await app.inject('/dashboard/assets/worker-abc.js');
    t.equal(worker.headers['cache-control'], 'no-cache', 'its policy names the port of the stream');
    t.match(policyOf(worker.headers), 'ws://localhost:8765');
  },
);

await t.test('a file is compressed where that is wanted, and not sent again to who has it', async (t) => {
  const app = dashboard(t);
  const gzip = { 'accept-encoding': 'gzip' };
  const { headers, rawPayload } = await app.inject({ url: '/dashboard/', headers: gzip });
  t.equal(headers['content-encoding'], 'gzip');
  t.match(gunzipSync(rawPayload).toString(), '<title>page</title>');
  const again = await app.inject({
    url: '/dashboard/',
    headers: { ...gzip, 'if-none-match': String(headers.etag) },
  });
  t.equal(again.statusCode, 304);
  t.equal(again.body, '');
  const head = await app.inject({ method: 'HEAD', url: '/dashboard/' });
  t.equal(head.statusCode, 200);
  t.equal(head.body, '');
});

await t.test('nothing but the files of the page is there', async (t) => {
  const app = dashboard(t);
  for (const path of [
    'notes.txt',
    '../package.json',
    '..%2fpackage.json',
    'assets',
    'assets/',
    '%00',
    'index.html/',
  ]) {
    t.equal((await app.inject(`/dashboard/${path}`)).statusCode, 404, path);
  }
  t.equal((await app.inject({ method: 'POST', url: '/dashboard' })).statusCode, 405);
});

await t.test('where the page is not built, that is said', async (t) => {
  const { app } = testApp(t, [PORTS], undefined, {
    dashboardFiles: join(tmpdir(), 'there-is-no-such-folder'),
  });
  const { statusCode, body } = await app.inject('/dashboard');
  t.equal(statusCode, 404);
  t.match(body, 'The dashboard is not built: run npm run build');
});
