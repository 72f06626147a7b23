/** Whole servers, and clients of theirs, for tests of what goes wrong around a server. */
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { makePosition, makePtnRoot, startServer, waitFor } from '@ptn-api/testkit';
import type { PtnRoot, RunningServer, StartServerOptions } from '@ptn-api/testkit';
import type { Test } from 'tap';
import { WebSocket } from 'ws';
import type { Faults } from './fault-preload.ts';

export const KEY = 'key-of-the-test';

/** A server of a root with one miner and one user of tier 100. */
export async function served(t: Test, options: Omit<StartServerOptions, 'root'> = {}) {
  const root = servedRoot(t);
  const server = await startServer(t, { root: root.path, ...options });
  return { root, server };
}

/** A root with one miner and one user of tier 100. */
export function servedRoot(t: Test): PtnRoot {
  const root = makePtnRoot(t, { keys: { user: { key: KEY, tier: 100 } } });
  place(root, 'first');
  return root;
}

let placed = 0;

/** A miner with a new order; by default of this moment. */
export function place(root: PtnRoot, hotkey: string, timeMs = Date.now()): void {
  placed += 1;
  root.writePosition(
    makePosition({ hotkey, uuid: `p-${placed}`, orders: [{ timeMs, uuid: `o-${placed}` }] }),
  );
}

export async function statusOf(server: RunningServer, path = '/miner-hotkeys', key = KEY): Promise<number> {
  const response = await fetch(server.url + path, {
    headers: { Authorization: `Bearer ${key}`, Connection: 'close' },
  });
  await response.arrayBuffer();
  return response.status;
}

/** Between two requests of a load: they come between the checks, and leave them the machine. */
const LOAD_PAUSE_MS = 5;

/** Asks one request after the other until `end` is called, which gives each status that came, and what each answer took. */
export function startLoad(server: RunningServer): {
  readonly end: () => Promise<{ readonly statuses: number[]; readonly tookMs: number[] }>;
} {
  const load = { isOver: false };
  const statuses = new Set<number>();
  const tookMs: number[] = [];
  const asking = (async () => {
    while (!load.isOver) {
      const startedMs = performance.now();
      statuses.add(await statusOf(server));
      tookMs.push(performance.now() - startedMs);
      await delay(LOAD_PAUSE_MS);
    }
  })();
  return {
    end: async () => {
      load.isOver = true;
      await asking;
      return { statuses: [...statuses], tookMs };
    },
  };
}

export async function hotkeysOf(server: RunningServer): Promise<string[]> {
  const response = await fetch(`${server.url}/miner-hotkeys`, {
    headers: { Authorization: `Bearer ${KEY}` },
  });
  return (await response.json()) as string[];
}

/** A subscribed client and the numbers of the orders that it got. */
export async function subscriber(t: Test, server: RunningServer): Promise<number[]> {
  const socket = new WebSocket(server.wsUrl);
  t.teardown(() => {
    socket.terminate();
  });
  const sequences: number[] = [];
  let isSubscribed = false;
  socket.on('message', (text: Buffer) => {
    const message = JSON.parse(text.toString()) as {
      type?: string;
      sequence?: number;
      messages?: { sequence: number }[];
    };
    if (message.type === 'subscription_status') isSubscribed = true;
    if (message.sequence !== undefined) sequences.push(message.sequence);
    sequences.push(...(message.messages ?? []).map(({ sequence }) => sequence));
  });
  await once(socket, 'open');
  socket.send(JSON.stringify({ api_key: KEY }));
  socket.send(JSON.stringify({ type: 'subscribe', all: true }));
  await waitFor(() => isSubscribed, { what: 'the subscription' });
  return sequences;
}

/** The options of a server whose clocks and disk do what the test says, from the next moment on. */
export function faulty(root: PtnRoot): { env: Record<string, string>; set: (faults: Faults) => void } {
  const path = root.join('faults.json');
  const set = (faults: Faults): void => {
    // Read at any time: never half of it.
    writeFileSync(`${path}.new`, JSON.stringify(faults));
    renameSync(`${path}.new`, path);
  };
  set({});
  const preload = new URL('./fault-preload.js', import.meta.url).href;
  return { env: { NODE_OPTIONS: `--import=${preload}`, PTN_TEST_FAULTS: path }, set };
}
