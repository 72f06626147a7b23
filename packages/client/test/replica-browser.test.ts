import { existsSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { PtnRestClient } from '@ptn-api/client';
import { waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { apiKey, startMarket } from './replica-market.ts';
import { openInChromium, servePage } from './replica-page.ts';

const chromiumPath = process.env['PTN_TEST_CHROMIUM'] ?? '/usr/bin/chromium';
const skip = existsSync(chromiumPath) ? false : `no Chromium at ${chromiumPath}: apt-get install chromium`;

await t.test('the same in a browser page', { skip, timeout: 120_000 }, async (t) => {
  const { server, killWorkersAndStop } = await startMarket(t);
  const page = await servePage(t, server);
  await openInChromium(t, chromiumPath, page.url);
  await waitFor(() => page.sequence() > 0, {
    timeoutMs: 30_000,
    what: () => `the page's replica says something; faults: ${page.faults.join('\n')}`,
  });
  const killed = await killWorkersAndStop(page.sequence);
  const rest = new PtnRestClient({ url: server.url, apiKey });
  const [state, answer] = await waitFor(
    async () => {
      const state = await page.state();
      const { current_sequence: newest } = await rest.orders({ since: 0, limit: 1 });
      const snapshot = await rest.positions();
      const isSame = snapshot.sequence === state.sequence && snapshot.generation === state.generation;
      return isSame && snapshot.sequence === newest && ([state, snapshot] as const);
    },
    { timeoutMs: 20_000, what: () => `page and server are equally far; faults: ${page.faults.join('\n')}` },
  );
  const differing = [...new Set([...Object.keys(state.positions), ...Object.keys(answer.value)])].filter(
    (hotkey) => !isDeepStrictEqual(state.positions[hotkey], answer.value[hotkey]),
  );
  t.same(differing, []);
  t.same(page.faults, []);
  t.ok(killed > 0, 'workers were killed');
  t.comment(`${killed} workers killed, ${state.sequence} orders`);
});
