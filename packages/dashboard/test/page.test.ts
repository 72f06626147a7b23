import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import type { Page } from 'playwright-core';
import t from 'tap';
import type { Test } from 'tap';
import { waitFor } from '@ptn-api/testkit';

const CLI = fileURLToPath(new URL('../../server/dist/cli/main.js', import.meta.url));
const chromiumPath = process.env['PTN_TEST_CHROMIUM'] ?? '/usr/bin/chromium';
const skip = existsSync(chromiumPath) ? false : `no Chromium at ${chromiumPath}: apt-get install chromium`;
const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const TIMEOUT_MS = 30_000;

interface Server {
  readonly url: string;
  readonly output: () => string;
  readonly key: (tier: number) => string;
}

async function startServer(t: Test): Promise<Server> {
  const temporary = mkdtempSync(join(tmpdir(), 'ptn-dashboard-test-'));
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('PTN_API_'));
  const ports = ['--api-rest-port', '0', '--api-ws-port', '0'];
  const child = spawn(process.execPath, [CLI, '--serve', '--demo', ...ports, '--rest-workers', '1'], {
    env: { ...Object.fromEntries(inherited), TMPDIR: temporary },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  }
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => {
      resolve();
    });
  });
  t.teardown(async () => {
    child.kill('SIGTERM');
    await exited;
    rmSync(temporary, { recursive: true, force: true });
  });
  const found = async (pattern: RegExp): Promise<string> =>
    waitFor(() => pattern.exec(output)?.[1], {
      timeoutMs: TIMEOUT_MS,
      what: () => `${pattern.source}\n${output}`,
    });
  const url = await found(/answers at (http:\S+)/);
  await found(/(Ctrl-C stops both)/);
  return {
    url,
    output: () => output,
    key: (tier) => new RegExp(`demo-tier-${tier}-[0-9a-f]+`).exec(output)?.[0] ?? '',
  };
}

/** What went wrong in the page, by its console; breaches of its content security policy are among it. */
function faultsOf(page: Page): string[] {
  const faults: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  return faults;
}

async function giveKey(page: Page, key: string): Promise<void> {
  await page.getByLabel('API key of tier 100').fill(key);
  await page.getByRole('button', { name: 'Open' }).click();
}

await t.test('the dashboard in a browser', { skip, timeout: 120_000 }, async (t) => {
  const server = await startServer(t);
  const browser = await chromium.launch({ executablePath: chromiumPath, args: CHROMIUM_FLAGS });
  t.teardown(() => browser.close());

  await t.test('keys that cannot be used are refused with the reason', async (t) => {
    const page = await browser.newPage();
    await page.goto(`${server.url}/dashboard`);
    for (const [key, reason] of [
      ['wrong', 'Unauthorized access'],
      [server.key(50), 'does not have access to tier 100'],
      ['sch\u00f6n', 'visible ASCII'],
    ] as const) {
      await giveKey(page, key);
      await page.getByRole('alert').filter({ hasText: reason }).waitFor({ timeout: TIMEOUT_MS });
      t.equal(await page.evaluate(() => sessionStorage.length), 0, `${reason}: not kept`);
    }
    await giveKey(page, server.key(100));
    await page.getByRole('heading', { name: 'Live orders' }).waitFor({ timeout: TIMEOUT_MS });
    await page.close();
  });

  await t.test('a server that does not answer costs no key', async (t) => {
    const page = await browser.newPage();
    await page.route('**/config.json', (route) => route.fulfill({ status: 503 }), { times: 1 });
    await page.goto(`${server.url}/dashboard`);
    await giveKey(page, server.key(100));
    await page
      .getByRole('alert')
      .filter({ hasText: 'the server answers 503' })
      .waitFor({ timeout: TIMEOUT_MS });
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('Connected', { exact: true }).waitFor({ timeout: TIMEOUT_MS });
    t.ok(await page.evaluate(() => sessionStorage.length));
    await page.close();
  });

  const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  const faults = faultsOf(page);
  const requested: string[] = [];
  page.on('request', (request) => requested.push(request.url()));
  await page.goto(`${server.url}/dashboard`);
  await giveKey(page, server.key(100));

  await t.test('an order arrives in the tape', async (t) => {
    const sequence = page.locator('#sequence');
    await sequence.waitFor({ timeout: TIMEOUT_MS });
    await page.getByText(/live, lag/).waitFor({ timeout: TIMEOUT_MS });
    const row = page.locator('tbody tr').first();
    t.match(await row.innerText(), /LONG|SHORT|FLAT/);
    t.ok(Number((await sequence.innerText()).replaceAll(',', '')) > 0);
    t.equal(
      await page.evaluate(() => document.documentElement.scrollWidth),
      390,
      'nothing is wider than a phone',
    );
  });

  await t.test('miners are sorted and searched', async (t) => {
    await page.getByRole('link', { name: 'Miners', exact: true }).click();
    await page.getByText('40 miners').waitFor();
    await page.waitForFunction(() => document.activeElement?.tagName === 'H1');
    t.pass('the focus is at the new view');
    const returns = page.locator('tbody tr:not(.filler) td:nth-child(2)');
    const numbers = async () => (await returns.allInnerTexts()).map(parseFloat);
    const head = page.getByRole('columnheader', { name: '30 days' });
    t.equal(await head.getAttribute('aria-sort'), 'descending');
    const falling = await numbers();
    t.same(
      falling,
      falling.toSorted((one, other) => other - one),
    );
    await head.getByRole('button').focus();
    await page.keyboard.press('Enter');
    await page.locator('th[aria-sort="ascending"]').waitFor();
    const rising = await numbers();
    t.same(
      rising,
      rising.toSorted((one, other) => one - other),
    );
    t.not(rising[0], falling[0]);

    const link = page.locator('a.hotkey').first();
    const hotkey = (await link.getAttribute('title')) ?? '';
    await page.getByLabel('Search by hotkey').fill(hotkey.slice(2, 12).toLowerCase());
    await page.getByText('1 of 40 miners').waitFor();
    t.equal(await link.getAttribute('title'), hotkey);
  });

  await t.test("one miner's curve, positions and orders are shown", async (t) => {
    await page.locator('a.hotkey').first().click();
    const chart = page.getByRole('img', { name: /Return of all positions: \d+ points/ });
    await chart.waitFor({ timeout: TIMEOUT_MS });
    t.ok(await chart.locator('canvas').count(), 'it is drawn');
    await page
      .getByRole('region', { name: 'Positions' })
      .getByRole('button', { name: /Show the \d+ orders/ })
      .first()
      .click();
    await page.getByRole('heading', { name: /Orders of / }).waitFor();
    t.ok(await page.getByRole('region', { name: 'Orders' }).locator('tbody tr').count());
  });

  await t.test('statistics, eliminations and the state of the server are shown', async (t) => {
    await page.getByRole('link', { name: 'Statistics', exact: true }).first().click();
    await page.getByRole('img', { name: /Daily returns: \d+ points/ }).waitFor({ timeout: TIMEOUT_MS });
    t.equal(await page.locator('.scores li').count(), 5);
    await page.getByRole('link', { name: 'Eliminations' }).click();
    await page.getByRole('region', { name: 'Eliminations' }).locator('tbody tr').first().waitFor();
    await page.getByRole('link', { name: 'Server' }).click();
    await page.getByText('ready', { exact: true }).waitFor({ timeout: TIMEOUT_MS });
  });

  await t.test('the key outlives a reload of the tab, and nothing else gets it', async (t) => {
    await page.reload();
    await page.getByText('Connected', { exact: true }).waitFor({ timeout: TIMEOUT_MS });
    const other = await context.newPage();
    await other.goto(`${server.url}/dashboard`);
    await other.getByLabel('API key of tier 100').waitFor();
    await other.close();
    await page.getByRole('button', { name: 'Forget key' }).click();
    await page.getByLabel('API key of tier 100').waitFor();
    t.equal(await page.evaluate(() => sessionStorage.length), 0);
    const key = server.key(100);
    t.notOk(
      requested.some((url) => url.includes(key)),
      'no address holds the key',
    );
    t.ok(
      requested.every((url) => url.startsWith(server.url)),
      'nothing is asked of anybody else',
    );
  });

  t.same(faults, [], 'no error in the console, no breach of the policy');
});
