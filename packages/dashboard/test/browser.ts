import { existsSync } from 'node:fs';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import type { Test } from 'tap';

export const chromiumPath = process.env['PTN_TEST_CHROMIUM'] ?? '/usr/bin/chromium';
export const skip = existsSync(chromiumPath)
  ? false
  : `no Chromium at ${chromiumPath}: apt-get install chromium`;
export const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
export const TIMEOUT_MS = 30_000;

/** What went wrong in the page, by its console; breaches of its content security policy are among it. */
export function faultsOf(page: Page): string[] {
  const faults: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  return faults;
}

/** What axe finds in what is shown, of each table in its first rows; `rules`: these alone. */
async function violationsOf(page: Page, rules?: readonly string[]): Promise<string[]> {
  // As the browser's tools do: the page's policy would let no such script in.
  await page.evaluate(`globalThis.axe ?? (() => { ${axe.source} })()`);
  const options = rules === undefined ? {} : { runOnly: { type: 'rule', values: rules } };
  const { violations } = await page.evaluate<axe.AxeResults>(
    `globalThis.axe.run({ exclude: [['tbody tr:nth-child(n+6)']] }, ${JSON.stringify(options)})`,
  );
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

/** All rules in the light, and those of colours in the dark. */
export async function checkAccess(t: Test, page: Page, what: string): Promise<void> {
  await page.emulateMedia({ colorScheme: 'light' });
  t.same(await violationsOf(page), [], `${what}, light`);
  await page.emulateMedia({ colorScheme: 'dark' });
  t.same(await violationsOf(page, ['color-contrast', 'link-in-text-block']), [], `${what}, dark`);
}

/** Whether what has the focus can be seen to have it. */
async function isFocusSeen(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const { activeElement: focused } = document;
    if (focused === null || focused === document.body) return false;
    const { outlineStyle, outlineWidth } = getComputedStyle(focused);
    const { width, height, right } = focused.getBoundingClientRect();
    return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && width * height > 0 && right > 0;
  });
}

/** Goes on with Tab to what has that name; everything on the way is seen to have the focus. */
export async function tabTo(t: Test, page: Page, text: RegExp): Promise<void> {
  for (let steps = 0; steps < 40; steps++) {
    await page.keyboard.press('Tab');
    const name = await page.evaluate(
      () =>
        document.activeElement?.getAttribute('aria-label') ??
        document.activeElement?.closest('label')?.textContent ??
        document.activeElement?.textContent ??
        '',
    );
    if (!(await isFocusSeen(page))) t.fail(`the focus is not seen at ${name}`);
    if (text.test(name)) return;
  }
  throw new Error(`Tab does not come to ${text.source}`);
}
