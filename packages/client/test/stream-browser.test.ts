// The browser's entry: what it loads, and its socket, which cannot be paused.
import { readFile } from 'node:fs/promises';
import type { PtnStreamClient } from '@ptn-api/client';
import { waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { WebSocket } from 'ws';
import { startFakeServer, streamOrder } from './fake-server.ts';
import { follow } from './stream-fixture.ts';

const entry = new URL('browser.js', import.meta.resolve('@ptn-api/client'));

await t.test('loads nothing of Node', async (t) => {
  const seen = new Set<string>();
  const foreign = new Set<string>();
  const visit = async (url: string): Promise<void> => {
    if (seen.has(url)) return;
    seen.add(url);
    const source = await readFile(new URL(url), 'utf8');
    for (const [, name = ''] of source.matchAll(/(?:from|import|import\()\s*['"]([^'"]+)['"]/g)) {
      if (name.startsWith('.')) await visit(new URL(name, url).href);
      else if (name === '@ptn-api/protocol') await visit(import.meta.resolve(name));
      else foreign.add(name);
    }
  };
  await visit(entry.href);
  t.same([...foreign], []);
  const names = [...seen].map((url) => url.split('/').at(-1));
  for (const name of ['stream-client.js', 'rest-client.js', 'replica.js', 'errors.js']) {
    t.ok(names.includes(name), `${name} was looked at`);
  }
});

await t.test('beyond the limit it closes, and resumes when the program has caught up', async (t) => {
  // Node 20 has no WebSocket of its own; this one has the interface of a browser's.
  Object.assign(globalThis, { WebSocket });
  t.teardown(() => Reflect.deleteProperty(globalThis, 'WebSocket'));
  const total = 40;
  const padding = 'x'.repeat(100_000);
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept({ currentSequence: total });
      const last = session.authentication.last_sequence ?? 0;
      for (let sequence = last + 1; sequence <= total; sequence++) {
        session.send(streamOrder(sequence, { padding }));
      }
    },
  });
  const browser = (await import(entry.href)) as { readonly PtnStreamClient: typeof PtnStreamClient };
  const received: number[] = [];
  let most = 0;
  const followed = follow(t, {
    url: server.url,
    start: { sequence: 0, epoch: 'log-1' },
    Client: browser.PtnStreamClient,
    maxWaitingSize: 1_000_000,
    onOrders: async (orders) => {
      most = Math.max(most, orders.length);
      const { length } = server.sessions;
      // The program is slow: until the limit is reached, which closes the connection.
      if (received.length < total / 2) {
        await waitFor(() => server.sessions[length - 1]?.socket.readyState === 3, { what: 'it is closed' });
      }
      received.push(...orders.map(({ sequence }) => sequence));
    },
  });
  await followed.client.start();
  await waitFor(() => received.length === total, { what: () => `all orders; there are ${received.join()}` });
  t.same(
    received,
    Array.from({ length: total }, (_, index) => index + 1),
  );
  t.ok(server.sessions.length > 1, `${server.sessions.length} connections`);
  t.ok(most <= 12, `at most ${most} orders waited`);
  t.same(followed.errors, []);
  t.same(followed.gaps, []);
});
