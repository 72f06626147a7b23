import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { minerPage } from '@ptn-api/miner';
import type { ReportsStatus } from '@ptn-api/miner';
import { createLogger } from '@ptn-api/runtime';
import { chromium } from 'playwright-core';
import type { Page } from 'playwright-core';
import t from 'tap';
import type { Test } from 'tap';
import { waitFor } from '@ptn-api/testkit';
import { CHROMIUM_FLAGS, TIMEOUT_MS, checkAccess, chromiumPath, faultsOf, skip, tabTo } from './browser.ts';
import { HOTKEY, ODD_ANSWERS, minerAnswer } from './miner-answer.ts';

const FOLDER = fileURLToPath(new URL('../dist/miner-page', import.meta.url));
const MARKUP = '<img src=x onerror="document.title=1">';
/** How often the page reads, and how long a few of its frames are. */
const [READ_EVERY_MS, FRAMES_MS] = [5_000, 200];
const NOT_YET = { answered_ms: null, validators: [] };

/** A miner's page whose validators answer what the test says. */
async function startPage(t: Test) {
  let data = '{}';
  let answers = 0;
  let changes: Partial<ReportsStatus> = {};
  const status = (): ReportsStatus => ({
    hotkey: HOTKEY,
    now_ms: Date.now(),
    is_asking: false,
    asked_ms: Date.now() - 3000,
    answered_ms: Date.now() - 3000,
    data_id: `answer ${answers}`,
    validators: [
      {
        hotkey: '5FirstValidator',
        result: 'answered',
        text: '',
        last_order_ms: 1747231140000,
        is_shown: true,
      },
      { hotkey: '5OtherValidator', result: 'refused', text: MARKUP, last_order_ms: null, is_shown: false },
    ],
    ...changes,
  });
  const log = createLogger({ name: 'test', level: 'fatal', destination: { write: () => undefined } });
  const make = () =>
    minerPage({
      folder: FOLDER,
      reports: {
        get body() {
          return data;
        },
        refresh: () => Promise.resolve(),
        status,
      },
      log,
    });
  let app = make();
  await app.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    answer: (answered: unknown, statusChanges: Partial<ReportsStatus> = {}) => {
      answers += 1;
      data = JSON.stringify(answered);
      changes = statusChanges;
    },
    stop: () => app.close(),
    startAgain: async () => {
      app = make();
      await app.listen({ host: '127.0.0.1', port });
    },
  };
}

/** All texts of a JSON value in place of which there is markup. */
function withMarkup(value: unknown): unknown {
  if (typeof value === 'string') return value === HOTKEY ? value : `${value}${MARKUP}`;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withMarkup);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withMarkup(inner)]));
}

const widthOf = (page: Page): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth);

await t.test("the miner's page in a browser", { skip, timeout: 120_000 }, async (t) => {
  const miner = await startPage(t);
  const browser = await chromium.launch({ executablePath: chromiumPath, args: CHROMIUM_FLAGS });
  t.teardown(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
  page.setDefaultTimeout(TIMEOUT_MS);
  const faults = faultsOf(page);
  const requested: string[] = [];
  // Its clock is set on, as it would have to be waited for otherwise.
  const reader = await browser.newPage({ viewport: { width: 390, height: 844 } });
  const readerFaults = faultsOf(reader);
  await reader.clock.install();
  await reader.goto(miner.url);
  page.on('request', (request) => requested.push(request.url()));

  await t.test(
    'until a validator has answered it says so, and then shows the answer by itself',
    async (t) => {
      miner.answer({}, { ...NOT_YET, asked_ms: null, is_asking: true });
      await page.goto(miner.url);
      await page.getByText('Asking the validators for this miner’s data').waitFor();
      t.equal(await page.getByRole('status').first().innerText(), 'Asking validators');
      miner.answer(minerAnswer);
      await page.getByText('Up to date').waitFor();
      await page.getByRole('heading', { name: 'Challenge period', exact: true }).waitFor();
      t.match(await page.title(), /^5Gzr.* PTN miner$/);
    },
  );

  await t.test('scores, penalties, statistics, contribution, returns and validators are shown', async (t) => {
    const main = (await page.locator('main').innerText()).replaceAll(/\s+/g, ' ');
    for (const text of [
      `Miner In challenge period ${HOTKEY}`,
      'Calmar 80% Passing',
      'Return (%) not scored 10.000 2 90%',
      'Drawdown threshold 1.0000 Risk profile 0.9900 Total 0.9900',
      'Weight 1% Rank 3 Percentile 80% Largest drawdown -3.00% Closed positions 4 Time with open positions 2.0 h',
      'Contribution to the score: 36%',
      'Return and drawdown: +1.00%',
      '5Firs…ator answered shown here last order 2025-05-14 13:59:00 UTC',
      `5Othe…ator refused ${MARKUP}`,
    ]) {
      t.ok(main.includes(text), `${text}\n${main}`);
    }
    const chart = page.getByRole('img', { name: /^Return and drawdown: from 2025-.*; Drawdown: from 2025-/ });
    t.ok(await chart.locator('canvas').count(), 'it is drawn');
    t.equal(await widthOf(page), 390, 'nothing is wider than a phone');
    await checkAccess(t, page, 'all that there is');
  });

  await t.test('orders and their sources are reached without a mouse', async (t) => {
    await page.reload();
    await page.getByRole('heading', { name: 'Positions' }).waitFor();
    await tabTo(t, page, /^Skip to the content$/);
    await page.keyboard.press('Enter');
    t.equal(await page.evaluate(() => document.activeElement?.tagName), 'H1');
    await tabTo(t, page, /^Show the 1 orders/);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /^Orders of BTC\/USD, opened 2025-05-14/ }).waitFor();
    t.equal(await page.evaluate(() => document.activeElement?.tagName), 'H2');
    await tabTo(t, page, /^Show the 1 price sources/);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /^1 price sources of the order at 2025-05-14/ }).waitFor();
    t.match(await page.getByRole('region', { name: 'Price sources' }).innerText(), 'Polygon_ws');
    await checkAccess(t, page, 'sources');
    await tabTo(t, page, /^Hide$/);
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'Price sources' }).waitFor({ state: 'detached' });
    t.match(await page.evaluate(() => document.activeElement?.textContent), /^Orders of/);
  });

  await t.test('texts of others are text', async (t) => {
    miner.answer(withMarkup(minerAnswer));
    await page.reload();
    await page.getByText(`BTC/USD${MARKUP}`).first().waitFor();
    t.equal(await page.locator('img').count(), 0);
    t.match(await page.title(), /PTN miner$/);
  });

  await t.test('odd answers are shown as far as they make sense', async (t) => {
    for (const [name, data, [hasStatistics, , , positions]] of ODD_ANSWERS) {
      miner.answer(data);
      const read = reader.waitForResponse(/miner-data$/);
      await reader.clock.runFor(READ_EVERY_MS);
      await read;
      const tables = reader.getByRole('region', { name: 'Positions' }).locator('table');
      const expected = hasStatistics || positions > 0 ? [String(positions + 1)] : [];
      const counts = () =>
        tables.evaluateAll((found) => found.map((table) => table.getAttribute('aria-rowcount')));
      await waitFor(
        async () => {
          await reader.clock.runFor(FRAMES_MS);
          return isDeepStrictEqual(await counts(), expected);
        },
        { what: `${name} is shown` },
      );
      t.equal(await widthOf(reader), 390, name);
      t.same(readerFaults, [], name);
    }
  });

  await t.test('a miner without positions is told so', async (t) => {
    miner.answer({ timestamp: -1, statistics: { data: [] }, positions: {} });
    await page.reload();
    await page.getByText('Validators have neither positions nor statistics').waitFor();
    await checkAccess(t, page, 'empty');
    miner.answer({ ...minerAnswer, statistics: { data: [] } });
    await page.reload();
    await page.getByText('There are no statistics of this miner yet').waitFor();
    t.equal(await page.getByRole('region', { name: 'Positions' }).locator('tbody tr').count(), 1);
  });

  await t.test('that no validator answers, or none for long, is an error with its reason', async (t) => {
    const silent = {
      hotkey: '5SilentValidator',
      result: 'unanswered',
      text: 'Request timeout after 15.0 seconds',
      last_order_ms: null,
      is_shown: false,
    } as const;
    miner.answer({}, { answered_ms: null, validators: [silent] });
    await page.reload();
    await page
      .getByRole('alert')
      .filter({ hasText: 'No validator has given this miner’s data yet' })
      .waitFor();
    await page.getByText(silent.text).waitFor();
    await checkAccess(t, page, 'no answer');
    miner.answer(minerAnswer, { answered_ms: Date.now() - 600_000, validators: [silent] });
    await page.reload();
    await page.getByRole('alert').filter({ hasText: 'No validator has given newer data since' }).waitFor();
    await page.getByText('Out of date').waitFor();
    await page.getByRole('heading', { name: 'Positions' }).waitFor();
  });
  t.same(faults, [], 'no error in the console, no breach of the policy');

  await t.test(
    'a miner that stops is an error, and what was read stays until it is there again',
    async (t) => {
      miner.answer(minerAnswer);
      await reader.clock.runFor(READ_EVERY_MS);
      await reader.getByText('Up to date').waitFor();
      await miner.stop();
      const alert = reader.getByRole('alert');
      await waitFor(
        async () => {
          await reader.clock.runFor(READ_EVERY_MS);
          return (await alert.count()) === 1;
        },
        { what: 'that it stopped is shown' },
      );
      t.match(await alert.innerText(), /cannot be reached: .*What is shown was read before/s);
      t.equal(await reader.getByRole('heading', { name: 'Positions' }).count(), 1);
      await miner.startAgain();
      await waitFor(
        async () => {
          await reader.clock.runFor(READ_EVERY_MS);
          return (await alert.count()) === 0;
        },
        { what: 'that it is there again is shown' },
      );
      await reader.getByText('Up to date').waitFor();
    },
  );
  t.ok(
    requested.every((url) => url.startsWith(miner.url)),
    'nothing is asked of anybody else',
  );
});
