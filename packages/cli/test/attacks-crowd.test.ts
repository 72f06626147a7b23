/** Crowds of connections on a whole server: what is held, who is served meanwhile, what is given back. */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { makePtnRoot, startServer, waitFor } from '@ptn-api/testkit';
import type { RunningServer } from '@ptn-api/testkit';
import t from 'tap';
import type { Test } from 'tap';
import { WebSocket } from 'ws';
import { upgradeRequest } from '../../stream/dist-test/fuzz-inputs.js';

const KEY = 'key-crowd-100';
const BEARER = { authorization: `Bearer ${KEY}` };

function start(t: Test, args: readonly string[]): Promise<RunningServer> {
  const root = makePtnRoot(t, { outputs: '{}', keys: { amy: { key: KEY, tier: 100 } } });
  return startServer(t, { root: root.path, args: ['--rest-workers', '2', '--ws-workers', '1', ...args] });
}

/** Files that this process may have open. */
function openFilesLimit(): number {
  const report = process.report.getReport() as { userLimits?: { open_files?: { soft: unknown } } };
  const soft = Number(report.userLimits?.open_files?.soft);
  return Number.isNaN(soft) ? Infinity : soft;
}

/** Open files of the server's processes, sockets among them. */
function openFiles(server: RunningServer): number {
  const count = (id: number) => readdirSync(`/proc/${id}/fd`).length;
  return [server.pid, ...server.childPids()].reduce((sum, id) => sum + count(id), 0);
}

interface Crowd {
  readonly sockets: readonly Socket[];
  /** Of them, those that the server has not closed. */
  readonly heldCount: () => number;
  readonly leave: () => void;
}

/** Connections that say `first` and nothing else, opened some at a time. */
async function crowd(t: Test, url: string, count: number, first = '', host = '127.0.0.1'): Promise<Crowd> {
  const port = Number(new URL(url).port);
  const sockets: Socket[] = [];
  const held = new Set<Socket>();
  const leave = () => {
    for (const socket of sockets) socket.destroy();
  };
  t.teardown(leave);
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(100, count - sockets.length) }, async () => {
      const socket = connect(port, host);
      sockets.push(socket);
      socket.resume();
      socket.on('error', () => undefined);
      socket.on('close', () => held.delete(socket));
      await once(socket, 'connect');
      held.add(socket);
      if (first !== '') socket.write(first);
    });
    await Promise.all(some);
  }
  return { sockets, heldCount: () => held.size, leave };
}

interface Poll {
  readonly status: number;
  readonly ms: number;
}

/** Asks on new connections again and again; resolves with all answers when told to stop. */
function pollWhile(url: string, isOver: () => boolean): Promise<Poll[]> {
  const polls: Poll[] = [];
  const ask = async (): Promise<Poll[]> => {
    while (!isOver()) {
      const startedMs = performance.now();
      const answer = await fetch(`${url}/miner-positions`, { headers: { ...BEARER, connection: 'close' } });
      await answer.arrayBuffer();
      polls.push({ status: answer.status, ms: performance.now() - startedMs });
    }
    return polls;
  };
  return ask();
}

/** The first answer to a key on the stream. */
async function authenticate(t: Test, wsUrl: string): Promise<string> {
  const socket = new WebSocket(wsUrl);
  t.teardown(() => {
    socket.terminate();
  });
  await once(socket, 'open');
  socket.send(JSON.stringify({ api_key: KEY }));
  const [message] = (await once(socket, 'message')) as [Buffer];
  return message.toString();
}

void t.test('5,000 connections that show no key shut out nobody who has one', async (t) => {
  // What this process and the supervisor have open besides.
  const most = openFilesLimit() - 500;
  const count = Math.min(5000, Math.floor(most / 2) * 2);
  if (count < 5000) {
    t.comment(`only ${count} connections, as ulimit -n is ${most + 500}: the test of 5,000 needs 5500`);
  }
  const server = await start(t, ['--max-unauthenticated', '500']);
  const { url, wsUrl } = server;
  t.match(await authenticate(t, wsUrl), /success/);
  await (await fetch(`${url}/healthz`, { headers: { connection: 'close' } })).arrayBuffer();
  const filesBefore = openFiles(server);

  let isOver = false;
  const startedMs = performance.now();
  const polled = pollWhile(url, () => isOver);
  const rest = await crowd(t, url, count / 2);
  const quarter = count / 4;
  const silent = await crowd(t, wsUrl, quarter);
  const opened = await crowd(t, wsUrl, quarter, upgradeRequest());
  isOver = true;
  const polls = await polled;
  t.ok(polls.length > 0);
  t.ok(
    polls.every(({ status }) => status === 200),
    `all ${polls.length} requests meanwhile were answered`,
  );
  // New connections are handed on in their order, so that it waits for those of the crowd before it.
  const worstMs = Math.round(Math.max(...polls.map(({ ms }) => ms)));
  t.ok(worstMs < 10_000, `the slowest took ${worstMs} ms`);

  // Two REST workers and one of the stream hold 500 each.
  await waitFor(() => rest.heldCount() <= 1000 && silent.heldCount() + opened.heldCount() <= 500, {
    what: () => `held: ${rest.heldCount()} and ${silent.heldCount() + opened.heldCount()}`,
  });
  t.comment(`${count} connections were taken on within ${Math.round(performance.now() - startedMs)} ms`);
  // Who asked meanwhile made room, too.
  t.ok(rest.heldCount() > 900, `${rest.heldCount()} are held`);
  t.ok(openFiles(server) < filesBefore + 1600, `${openFiles(server) - filesBefore} more open files`);
  t.match(await authenticate(t, wsUrl), /success/);
  const answer = await fetch(`${url}/miner-positions`, { headers: BEARER });
  t.equal(answer.status, 200);

  for (const { leave } of [rest, silent, opened]) leave();
  await waitFor(() => openFiles(server) <= filesBefore + 10, {
    what: () => `${openFiles(server)} open files, ${filesBefore} before`,
  });
});

void t.test('an address has its limit in each worker', async (t) => {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const own = addresses.find(({ internal, family }) => !internal && family === 'IPv4')?.address;
  if (own === undefined) {
    t.comment('not tested: this machine has no address but loopback, which has no limit');
    return;
  }
  const server = await start(t, ['--api-host', '0.0.0.0', '--max-connections-per-address', '5']);
  const { url, wsUrl } = server;
  for (const round of ['at first', 'when they have gone']) {
    const rest = await crowd(t, url, 60, '', own);
    const stream = await crowd(t, wsUrl, 30, upgradeRequest(), own);
    await waitFor(() => rest.heldCount() <= 10 && stream.heldCount() <= 5, {
      what: () => `held: ${rest.heldCount()} and ${stream.heldCount()}`,
    });
    t.same([rest.heldCount(), stream.heldCount()], [10, 5], `${round}: 5 in each worker`);
    const local = url.replace('0.0.0.0', '127.0.0.1');
    t.equal((await fetch(`${local}/healthz`)).status, 200, 'another address is served');
    rest.leave();
    stream.leave();
    await waitFor(
      async () => {
        const again = await fetch(`${url.replace('0.0.0.0', own)}/healthz`, {
          headers: { connection: 'close' },
        }).catch(() => undefined);
        return again?.status === 200;
      },
      { what: 'the address is served again' },
    );
  }
});
