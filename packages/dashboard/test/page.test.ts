import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import type { Page } from 'playwright-core';
import t from 'tap';
import type { Test } from 'tap';
import { waitFor } from '@ptn-api/testkit';
import { CHROMIUM_FLAGS, TIMEOUT_MS, checkAccess, chromiumPath, faultsOf, skip, tabTo } from './browser.ts';

const CLI = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url));

interface Server {
  readonly port: number;
  readonly url: string;
  readonly output: () => string;
  readonly key: (tier: number) => string;
  /** Puts entries beside those of the key file, or takes away those that are `null`. */
  readonly changeKeys: (entries: Readonly<Record<string, object | null>>) => void;
  /** Kills the process that serves the streams; the server starts another. */
  readonly killStreams: () => void;
}

/** A server of all addresses of this machine, of IPv4 and IPv6. */
async function startServer(t: Test): Promise<Server> {
  const temporary = mkdtempSync(join(tmpdir(), 'ptn-dashboard-test-'));
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('PTN_API_'));
  const ports = ['--api-rest-port', '0', '--api-ws-port', '0'];
  const child = spawn(
    process.execPath,
    [CLI, '--serve', '--demo', '--api-host', '::', ...ports, '--rest-workers', '1'],
    {
      env: { ...Object.fromEntries(inherited), TMPDIR: temporary },
    },
  );
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
  const port = Number(await found(/answers at http:\/\/\S+:(\d+)/));
  await found(/(Ctrl-C stops both)/);
  const root = await found(/simulated validator trades in (\S+)/);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    output: () => output,
    key: (tier) => new RegExp(`demo-tier-${tier}-[0-9a-f]+`).exec(output)?.[0] ?? '',
    changeKeys: (entries) => {
      const path = join(root, 'ptn_api', 'api_keys.json');
      const known = JSON.parse(readFileSync(path, 'utf8')) as Record<string, object>;
      const wanted = Object.entries({ ...known, ...entries }).filter(([, entry]) => entry !== null);
      writeFileSync(`${path}.new`, JSON.stringify(Object.fromEntries(wanted)));
      renameSync(`${path}.new`, path);
    },
    killStreams: () => {
      const pids = [...output.matchAll(/"worker":"ws-1","event":"worker-ready","child":(\d+)/g)];
      process.kill(Number(pids.at(-1)?.[1]), 'SIGKILL');
    },
  };
}

async function giveKey(page: Page, key: string): Promise<void> {
  await page.getByLabel('API key of tier 100').fill(key);
  await page.getByRole('button', { name: 'Open' }).click();
}

await t.test('the dashboard in a browser', { skip, timeout: 240_000 }, async (t) => {
  const server = await startServer(t);
  server.changeKeys({
    revoked: { key: 'revoked-key', tier: 100 },
    lowered: { key: 'lowered-key', tier: 100 },
    single: { key: 'single-key', tier: 100, max_connections: 1 },
  });
  const browser = await chromium.launch({ executablePath: chromiumPath, args: CHROMIUM_FLAGS });
  t.teardown(() => browser.close());

  await t.test('keys that cannot be used are refused with the reason', async (t) => {
    const page = await browser.newPage();
    await page.goto(`${server.url}/dashboard`);
    for (const [key, reason] of [
      ['wrong', 'This server does not know that key'],
      [server.key(50), 'This key is of a lower tier'],
      ['sch\u00f6n', 'visible ASCII'],
    ] as const) {
      await giveKey(page, key);
      await page.getByRole('alert').filter({ hasText: reason }).waitFor({ timeout: TIMEOUT_MS });
      t.equal(await page.evaluate(() => sessionStorage.length), 0, `${reason}: not kept`);
      t.equal(await page.evaluate(() => document.activeElement?.tagName), 'INPUT', 'the next may be typed');
    }
    await checkAccess(t, page, 'a refused key');
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

  const openPage = async (key = server.key(100)): Promise<Page> => {
    const page = await browser.newPage();
    await page.goto(`${server.url}/dashboard`);
    await giveKey(page, key);
    await page.getByText('Connected', { exact: true }).waitFor({ timeout: TIMEOUT_MS });
    return page;
  };
  let minerPlace = '';

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
    await page.getByText(/came live: median lag/).waitFor({ timeout: TIMEOUT_MS });
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
    const head = page.getByRole('columnheader', { name: /^120 days/ });
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
    // One, or an entity with its subaccounts, whose hotkeys begin as its own.
    await page.getByText(/^[1-9] of 40 miners$/).waitFor();
    t.equal(await link.getAttribute('title'), hotkey);
  });

  await t.test("one miner's curve, positions and orders are shown", async (t) => {
    await page.locator('a.hotkey').first().click();
    minerPlace = await page.evaluate(() => location.hash.replace('#/', ''));
    const chart = page.getByRole('img', {
      name: /Return (of closed positions|by the validator’s daily returns): from \S+ to \S+, last [-+]?\d/,
    });
    await chart.waitFor({ timeout: TIMEOUT_MS });
    t.ok(await chart.locator('canvas').count(), 'it is drawn');
    const headsOf = (name: string): Promise<string[]> =>
      page.getByRole('region', { name }).locator('thead th').allInnerTexts();
    t.match((await headsOf('Positions')).join(' '), /Quantity.*Value/s);
    t.match((await headsOf('Orders')).join(' '), /Quantity.*Stop.*Target/s);
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
    await page.getByRole('img', { name: /Daily returns: from \S+ to/ }).waitFor({ timeout: TIMEOUT_MS });
    t.equal(await page.locator('.scores li').count(), 6);
    await page.getByRole('link', { name: 'Eliminations' }).click();
    await page.getByRole('region', { name: 'Eliminations' }).locator('tbody tr').first().waitFor();
    await page.getByRole('link', { name: 'Server', exact: true }).click();
    await page.getByText('ready', { exact: true }).waitFor({ timeout: TIMEOUT_MS });
  });

  await t.test('every view is accessible, in the light and in the dark', async (t) => {
    for (const { place, ready } of [
      { place: 'live', ready: 'tbody tr' },
      { place: 'miners', ready: 'tbody tr' },
      { place: 'statistics', ready: '.chart canvas' },
      { place: 'eliminations', ready: 'tbody tr' },
      { place: 'server', ready: 'dd' },
      { place: minerPlace, ready: '.chart canvas' },
      { place: 'miners/nobody', ready: 'main code' },
    ]) {
      await page.evaluate((hash) => {
        location.hash = `#/${hash}`;
      }, place);
      await page.locator(ready).first().waitFor({ timeout: TIMEOUT_MS });
      await checkAccess(t, page, place);
    }
  });

  await t.test('everything can be done without a mouse', async (t) => {
    const page = await browser.newPage({ reducedMotion: 'reduce' });
    await page.goto(`${server.url}/dashboard`);
    await page.getByLabel('API key of tier 100').waitFor();
    await page.keyboard.type(server.key(100));
    await page.keyboard.press('Enter');
    await page.getByText('Connected', { exact: true }).waitFor({ timeout: TIMEOUT_MS });

    await tabTo(t, page, /^Skip to the content$/);
    await page.keyboard.press('Enter');
    t.equal(await page.evaluate(() => document.activeElement?.tagName), 'H1');
    await tabTo(t, page, /^Filter by miner/);
    await tabTo(t, page, /^Pause$/);
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Pause', pressed: true }).waitFor();
    await tabTo(t, page, /^Live orders, the newest first$/);

    await page.reload();
    await page.getByText('Connected', { exact: true }).waitFor({ timeout: TIMEOUT_MS });
    await tabTo(t, page, /^Miners$/);
    await page.keyboard.press('Enter');
    await page.getByText('40 miners').waitFor();
    await tabTo(t, page, /^Search by hotkey/);
    await page.keyboard.type('5');
    await tabTo(t, page, /^Miners$/);
    await page.keyboard.press('PageDown');
    await page.waitForFunction(() => (document.querySelector('.table-box')?.scrollTop ?? 0) > 0);
    await page.keyboard.press('Home');
    await tabTo(t, page, /^All time/);
    await page.keyboard.press('Enter');
    await page.locator('th[aria-sort="descending"]').getByText('All time').waitFor();
    await tabTo(t, page, /^Miner 5/);
    await page.keyboard.press('Enter');
    await page
      .getByRole('heading', { name: /^Return (of closed positions|by the validator)/ })
      .waitFor({ timeout: TIMEOUT_MS });
    await tabTo(t, page, /^Show the \d+ orders/);
    await page.keyboard.press('Enter');
    await page.locator('h2:focus').waitFor();
    await tabTo(t, page, /^Show all orders$/);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Orders', exact: true }).waitFor();
    t.equal(
      await page.evaluate(() => document.getAnimations().length),
      0,
      'nothing moves where that is not wanted',
    );

    await page.reload();
    await page.getByText('Connected', { exact: true }).waitFor({ timeout: TIMEOUT_MS });
    await tabTo(t, page, /^Forget key$/);
    await page.keyboard.press('Enter');
    await page.getByLabel('API key of tier 100').waitFor();
    await page.close();
  });

  await t.test('a lost stream is shown, comes back by itself, and no order is missing', async (t) => {
    const page = await openPage();
    await page.evaluate(() => {
      const [status] = document.getElementsByClassName('connection');
      if (status === undefined) return;
      new MutationObserver(() => {
        document.title += `|${status.textContent}`;
      }).observe(status, { characterData: true, childList: true, subtree: true });
    });
    server.killStreams();
    await page.waitForFunction(() => /\|Interrupted, retrying.*\|Connected$/.test(document.title), null, {
      timeout: TIMEOUT_MS,
    });
    const sequences = async () =>
      (await page.locator('tbody tr:not(.filler) td:first-child').allInnerTexts()).map((text) =>
        Number(text.replaceAll(',', '')),
      );
    const newest = (await sequences())[0] ?? 0;
    await page.waitForFunction(
      (past) => Number(document.getElementById('sequence')?.textContent.replaceAll(',', '')) > past,
      newest,
      { timeout: TIMEOUT_MS },
    );
    const shown = await sequences();
    t.same(
      shown,
      shown.map((_, index) => (shown[0] ?? 0) - index),
    );
    await page.close();
  });

  await t.test('a key that is revoked or lowered ends the page with a clear word', async (t) => {
    const ended = async (name: string, after: object | null, text: string): Promise<void> => {
      const page = await openPage(`${name}-key`);
      server.changeKeys({ [name]: after });
      await page.getByRole('alert').filter({ hasText: text }).waitFor({ timeout: TIMEOUT_MS });
      t.equal(await page.evaluate(() => sessionStorage.length), 0, `${name}: forgotten`);
      await page.close();
    };
    await Promise.all([
      ended('revoked', null, 'This key is no longer valid'),
      ended('lowered', { key: 'lowered-key', tier: 50 }, 'The tier of this key was lowered'),
    ]);
  });

  await t.test('one tab too many is told so, and keeps its key', async (t) => {
    const first = await openPage('single-key');
    const second = await openPage('single-key');
    await first
      .getByRole('alert')
      .filter({ hasText: 'Too many connections use this key' })
      .waitFor({ timeout: TIMEOUT_MS });
    await checkAccess(t, first, 'one tab too many');
    t.equal(await first.evaluate(() => sessionStorage.length), 1);
    await first.getByRole('button', { name: 'Forget key' }).click();
    await first.getByLabel('API key of tier 100').waitFor();
    await Promise.all([first.close(), second.close()]);
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
    t.notOk(server.output().includes(key, server.output().indexOf('Ctrl-C')), 'no line of the log holds it');
    t.ok(
      requested.every((url) => url.startsWith(server.url)),
      'nothing is asked of anybody else',
    );
  });

  t.same(faults, [], 'no error in the console, no breach of the policy');

  await t.test('the dashboard at an address of IPv6', { timeout: 60_000 }, async (t) => {
    const page = await browser.newPage();
    const faults = faultsOf(page);
    await page.goto(`http://[::1]:${server.port}/dashboard/`);
    await giveKey(page, server.key(100));
    await page.getByText('Connected', { exact: true }).waitFor({ timeout: TIMEOUT_MS });
    await page.getByRole('link', { name: 'Miners' }).click();
    await page.locator('a.hotkey').first().waitFor({ timeout: TIMEOUT_MS });
    t.same(faults, []);
  });
});
