import { existsSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium } from 'playwright-core';
import t from 'tap';
import { testApp } from './rest-fixture.ts';
import { serve } from './rest-served.ts';

const chromiumPath = process.env['PTN_TEST_CHROMIUM'] ?? '/usr/bin/chromium';
const skip = existsSync(chromiumPath) ? false : `no Chromium at ${chromiumPath}: apt-get install chromium`;
const PREFIX = '/below/a/path';

await t.test(
  'a browser shows every endpoint and asks one, below a path and under the policy',
  { skip },
  async (t) => {
    const served = await serve(t, testApp(t));
    const proxy = createServer((incoming, outgoing) => {
      const { method, headers, url = '' } = incoming;
      const path = url.startsWith(PREFIX) ? url.slice(PREFIX.length) : '/nothing';
      request({ port: served.port, host: '127.0.0.1', method, headers, path }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      }).end();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => proxy.once('listening', resolve));
    const browser = await chromium.launch({
      executablePath: chromiumPath,
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    });
    t.teardown(async () => {
      await browser.close();
      proxy.close();
      proxy.closeAllConnections();
    });

    const base = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${PREFIX}`;
    const page = await browser.newPage();
    const faults: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    page.on('pageerror', (error) => faults.push(error.message));
    const asked: string[] = [];
    page.on('request', (sent) => asked.push(sent.url()));

    await page.goto(`${base}/docs`);
    const { paths } = (await (await fetch(`${base}/openapi.json`)).json()) as {
      paths: Record<string, object>;
    };
    const blocks = page.locator('.opblock');
    const operations = Object.values(paths).reduce((sum, path) => sum + Object.keys(path).length, 0);
    await blocks.nth(operations - 1).waitFor();
    t.equal(await blocks.count(), operations);

    await page.getByRole('button', { name: 'Authorize' }).first().click();
    const dialog = page.locator('.modal-ux');
    await dialog.locator('input').fill('key-tier100');
    await dialog.locator('button.authorize').click();
    await dialog.locator('button.btn-done').click();
    const hotkeys = page.locator('.opblock', { has: page.locator('[data-path="/miner-hotkeys"]') });
    await hotkeys.locator('[data-path="/miner-hotkeys"]').click();
    await hotkeys.getByRole('button', { name: 'Try it out' }).click();
    await hotkeys.getByRole('button', { name: 'Execute' }).click();
    const status = hotkeys.locator('.live-responses-table .response-col_status').last();
    t.equal((await status.textContent())?.trim().slice(0, 3), '200');

    t.same(faults, []);
    t.same(
      asked.filter((url) => !url.startsWith(base) && !url.startsWith('data:')),
      [],
      'nothing is asked of others',
    );
  },
);
