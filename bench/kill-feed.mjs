// Kills the feed of a whole server again and again, each time when it is ready, with an order placed while it is away,
// and sees what a REST client and a stream client notice. Options: --kills=100
import { parseArgs } from 'node:util';
import { connect, placeOrder } from './lib/orders.mjs';
import { row } from './lib/report.mjs';
import { finish, KEYS, makeRoot, memoryMb, processTree, roleOf, startServer, until } from './lib/world.mjs';

const { values } = parseArgs({ options: { kills: { type: 'string', default: '100' } } });
const KILLS = Number(values.kills);
/** The longest wait before a restart, and the time that a start takes. */
const BACK_WITHIN_MS = 60_000;
const headers = { Authorization: `Bearer ${KEYS[100]}` };

/** Asks for all miners without pause; counts what came back. */
function poll(url) {
  const outcomes = new Map();
  let [isOver, longestMs] = [false, 0];
  const asking = (async () => {
    while (!isOver) {
      const startedMs = performance.now();
      const outcome = await fetch(url, { headers }).then(
        async (response) => (await response.arrayBuffer()) && response.status,
        (error) => error.cause?.code ?? error.message,
      );
      longestMs = Math.max(longestMs, performance.now() - startedMs);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  return {
    outcomes,
    async stop() {
      isOver = true;
      await asking;
      return { outcomes, longestMs };
    },
  };
}

const feedOf = (server) => processTree(server.pid).find(({ command }) => roleOf(command) === 'feed')?.pid;
const feedsReady = (server) => server.output().split('worker feed is ready').length - 1;

try {
  const root = await makeRoot({ miners: 16, positions: 640, name: 'kill-feed' });
  const server = await startServer(root, ['--rest-workers', '1', '--admin-port', 'off']);
  const stream = await connect(server);
  const client = poll(`${server.url}/miner-hotkeys`);
  const before = memoryMb(server.pid).own;
  const placed = new Set();
  const awayMs = [];
  const startedMs = performance.now();
  for (let kill = 1; kill <= KILLS; kill++) {
    process.kill(feedOf(server), 'SIGKILL');
    const killedMs = performance.now();
    const uuid = placeOrder(root);
    placed.add(uuid);
    await until(() => stream.arrivedMs.has(uuid), BACK_WITHIN_MS, `the order of kill ${kill}`);
    awayMs.push(performance.now() - killedMs);
    await until(() => feedsReady(server) === kill + 1, BACK_WITHIN_MS, `the feed after kill ${kill}`);
  }
  const tookS = (performance.now() - startedMs) / 1000;
  const { outcomes, longestMs } = await client.stop();
  const own = memoryMb(server.pid).own;
  const { sequences, arrivedMs } = stream;
  const isWhole =
    sequences.length === KILLS &&
    sequences.every((sequence, index) => sequence === index + 1) &&
    [...placed].every((uuid) => arrivedMs.has(uuid));
  const isServed = [...outcomes.keys()].every((outcome) => outcome === 200);
  stream.close();
  const sorted = awayMs.sort((a, b) => a - b);
  row(
    `the feed killed ${KILLS} times in ${Math.round(tookS)} s, an order placed each time`,
    'REST always 200, every order once, in order',
    `REST ${[...outcomes].map(([outcome, count]) => `${outcome}: ${count}`).join(', ')}, the longest ${Math.round(longestMs)} ms; ` +
      `${isWhole ? `all ${KILLS} orders, each once, in order, on one connection` : `FAULT: ${sequences.join()}`}; ` +
      `from the kill to the order p50 ${(sorted[Math.floor(KILLS / 2)] / 1000).toFixed(1)} s, max ${(sorted.at(-1) / 1000).toFixed(1)} s; ` +
      `the supervisor's own memory ${Math.round(before)} MB before, ${Math.round(own)} MB after`,
  );
  if (!isWhole || !isServed) process.exitCode = 1;
} finally {
  await finish();
}
