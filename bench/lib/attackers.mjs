// Who tries to make a server slow for the others, each as fast as it can. One runs in a process of its own, at the lowest
// priority, so that what the others notice is what it costs the server and not what it costs this machine.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { connect } from 'node:net';
import { setPriority, constants } from 'node:os';
import { dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { newPosition } from './orders.mjs';

/** The key of who has one. */
export const ATTACKER_KEY = 'bench-attacker-100';
const ADDRESS = '198.51.100.7';
/** Of this machine, and of no proxy: who connects from there is counted as one stranger. */
const STRANGER = '127.0.0.66';

/** How many of what they do were done. */
let done = 0;
const HOUR_MS = 3_600_000;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function head(path, { key, headers = {}, method = 'GET' } = {}) {
  const lines = { Host: 'localhost', 'X-Forwarded-For': ADDRESS, ...headers };
  if (key !== undefined) lines.Authorization = `Bearer ${key}`;
  return `${method} ${path} HTTP/1.1\r\n${Object.entries(lines)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;
}

/** A connection that sends the same bytes again and again, `ahead` of them unanswered, and opens anew when it is closed. */
function pump({ host, port }, text, { ahead = 1, reads = true } = {}) {
  const bytes = Buffer.from(text);
  const open = () => {
    const socket = connect(port, host);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.once('close', () => setTimeout(open, 1));
    const send = () => {
      done += 1;
      socket.write(bytes);
    };
    socket.on('connect', () => {
      for (let request = 0; request < ahead; request++) send();
    });
    if (reads) socket.on('data', () => socket.writable && send());
    else socket.pause();
  };
  open();
}

/** Connections of `count` sockets, each of which does `then` when it is open. */
function socketsOf(count, { host, port, localAddress }, then) {
  for (let index = 0; index < count; index++) {
    const open = () => {
      const socket = connect({ port, host, localAddress });
      socket.on('error', () => undefined);
      socket.on('connect', () => {
        done += 1;
        // Else its end is never seen.
        socket.resume();
        then(socket);
      });
      socket.once('close', () => setTimeout(open, 1));
    };
    open();
  }
}

/** An authenticated stream, opened anew whenever it is closed. */
function streamOf({ ws }, then, { lastSequence = -1, key = ATTACKER_KEY } = {}) {
  const open = () => {
    const socket = new WebSocket(`ws://${ws.host}:${ws.port}`, {
      perMessageDeflate: false,
      headers: { 'X-Forwarded-For': ADDRESS },
    });
    socket.on('error', () => undefined);
    socket.once('close', () => setTimeout(open, 1));
    socket.once('open', () =>
      socket.send(JSON.stringify({ api_key: key, last_sequence: lastSequence, epoch: null })),
    );
    socket.once('message', () => then(socket));
  };
  open();
}

/** Sends as fast as it is taken. */
async function flood(socket, text) {
  while (socket.readyState === WebSocket.OPEN) {
    for (let message = 0; message < 100; message++) {
      socket.send(text);
      done += 1;
    }
    while (socket.bufferedAmount > 1e6 && socket.readyState === WebSocket.OPEN) await sleep(1);
    await nextTurn();
  }
}

/** As the validator does: aside first, where nobody looks for positions. */
function write(root, path, text) {
  const aside = join(root, 'validation', 'tmp', randomUUID());
  mkdirSync(dirname(aside), { recursive: true });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(aside, text);
  renameSync(aside, path);
}

/**
 * Two large files, made of `pieces` and on the disk before anything is measured, that take turns at a path: writing them
 * is what the validator costs the machine, and on a slow disk every order that has to be durable waits for that.
 *
 * @returns puts the next one in place.
 */
function takingTurns(root, path, pieces) {
  mkdirSync(dirname(path), { recursive: true });
  const folder = join(root, 'validation', 'tmp');
  mkdirSync(folder, { recursive: true });
  const copies = [1, 2].map(() => {
    const copy = join(folder, randomUUID());
    const file = openSync(copy, 'w');
    for (const piece of pieces()) writeSync(file, piece);
    fsyncSync(file);
    closeSync(file);
    return copy;
  });
  return () => {
    const aside = join(folder, randomUUID());
    linkSync(copies[done % 2], aside);
    renameSync(aside, path);
    done += 1;
  };
}

/** The pieces of a checkpoint of 500 MB. */
function* checkpoint() {
  const item = JSON.stringify({ text: 'x'.repeat(990) });
  const thousand = Array.from({ length: 1000 }, () => item).join(',');
  for (let part = 0; part < 500; part++) yield `${part === 0 ? '{"positions":[' : ','}${thousand}`;
  yield ']}';
}

/** A position of a miner with orders of some 1 KB; a validator closes one that has 100. */
function positionFile(root, hotkey, orders, processedMs) {
  const position = newPosition(1600);
  position.miner_hotkey = hotkey;
  const [order] = position.orders;
  position.orders = Array.from({ length: orders }, () => ({
    ...order,
    order_uuid: randomUUID(),
    processed_ms: processedMs,
  }));
  const path = join(
    root,
    'validation',
    'miners',
    hotkey,
    'positions',
    'BTCUSD',
    'open',
    position.position_uuid,
  );
  return { position, path, order };
}

const subscribe = JSON.stringify({ type: 'subscribe', all: true });
const manyNames = JSON.stringify({
  type: 'subscribe',
  trade_pairs: Array.from({ length: 6000 }, (_, index) => `N${index.toString(36).padStart(5, '0')}`),
});

/** What each does; it ends with its process. `at` says where the server is. */
const ATTACKS = {
  'requests without a key': ({ rest }) => {
    for (let connection = 0; connection < 8; connection++) pump(rest, head('/healthz'), { ahead: 16 });
  },
  'paths that do not exist, without a key': ({ rest }) => {
    for (let connection = 0; connection < 8; connection++)
      pump(rest, head(`/${'x'.repeat(200)}`), { ahead: 16 });
  },
  'guessed keys over REST': ({ rest }) => {
    for (let connection = 0; connection < 8; connection++) {
      pump(rest, head('/miner-hotkeys', { key: `guess-${connection}` }), { ahead: 16 });
    }
  },
  'guessed keys on the stream': ({ ws }) => {
    for (let index = 0; index < 16; index++)
      streamOf({ ws }, (socket) => (done++, socket.terminate()), { key: 'guess' });
  },
  'a guess in a body of 255 KB': ({ rest }) => {
    const body = `{"api_key":"guess","x":${'['.repeat(120_000)}${']'.repeat(120_000)}}`;
    const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length };
    for (let connection = 0; connection < 4; connection++)
      pump(rest, head('/miner-hotkeys', { headers }) + body);
  },
  'headers of 15 KB': ({ rest }) => {
    const headers = {
      'Accept-Encoding': Array.from({ length: 1500 }, (_, index) => `x${index};q=0.5`)
        .join(',')
        .slice(0, 15_000),
    };
    for (let connection = 0; connection < 4; connection++) {
      pump(rest, head('/miner-positions', { key: ATTACKER_KEY, headers }), { ahead: 8 });
    }
  },
  'bytes that are no HTTP': ({ rest }) =>
    socketsOf(16, { ...rest, localAddress: STRANGER }, (socket) =>
      socket.write('\x16\x03\x01 no HTTP\r\n\r\n'),
    ),
  'connections opened and closed, REST': ({ rest }) =>
    socketsOf(32, { ...rest, localAddress: STRANGER }, (socket) => socket.destroy()),
  'connections opened and closed, stream': ({ ws }) =>
    socketsOf(32, { ...ws, localAddress: STRANGER }, (socket) => socket.destroy()),
  '2,000 connections that say nothing': ({ rest, ws }) => {
    socketsOf(1000, rest, () => undefined);
    socketsOf(1000, ws, () => undefined);
  },
  'requests sent byte by byte': ({ rest }) =>
    socketsOf(500, rest, async (socket) => {
      for (const letter of head('/healthz')) {
        await sleep(1000);
        if (socket.destroyed) return;
        socket.write(letter);
      }
    }),
  '80 connections to the admin port': ({ admin }) => socketsOf(80, admin, () => undefined),

  'as many requests as are taken': ({ rest, hotkey }) => {
    for (let connection = 0; connection < 8; connection++) {
      pump(
        rest,
        head(`/miner-positions/${hotkey}`, { key: ATTACKER_KEY, headers: { 'Accept-Encoding': 'gzip' } }),
      );
    }
  },
  'pipelined requests, answers not read': ({ rest, generation }) => {
    const one = head(`/miner-positions/changes?since=${generation}`, { key: ATTACKER_KEY });
    for (let connection = 0; connection < 20; connection++) pump(rest, one.repeat(200), { reads: false });
  },
  'whole bodies, read slowly': ({ rest }) =>
    socketsOf(100, rest, async (socket) => {
      socket.pause();
      socket.write(head('/miner-positions', { key: ATTACKER_KEY, headers: { 'Accept-Encoding': 'gzip' } }));
      while (!socket.destroyed) {
        await sleep(1000);
        socket.read(1000);
      }
    }),
  'whole bodies, decompressed': ({ rest }) => {
    for (let connection = 0; connection < 8; connection++) {
      pump(rest, head('/miner-positions', { key: ATTACKER_KEY, headers: { 'Accept-Encoding': 'identity' } }));
    }
  },
  'whole bodies, compressed': ({ rest }) => {
    for (let connection = 0; connection < 8; connection++) {
      pump(rest, head('/miner-positions', { key: ATTACKER_KEY, headers: { 'Accept-Encoding': 'gzip' } }));
    }
  },
  'pages of the order log': ({ rest }) => {
    for (let connection = 0; connection < 8; connection++) {
      pump(
        rest,
        head('/orders?since=0&limit=1000', { key: ATTACKER_KEY, headers: { 'Accept-Encoding': 'gzip' } }),
      );
    }
  },

  'the whole order log resumed, again and again': (at) => {
    for (let index = 0; index < 5; index++) {
      streamOf(
        at,
        (socket) => {
          done += 1;
          socket.send(subscribe);
        },
        { lastSequence: 0 },
      );
    }
  },
  'the order log searched for a pair that nobody trades': (at) => {
    for (let index = 0; index < 5; index++) {
      streamOf(
        at,
        async (socket) => {
          done += 1;
          socket.send(JSON.stringify({ type: 'subscribe', trade_pairs: ['NONE'] }));
          await sleep(200);
          socket.terminate();
        },
        { lastSequence: 0 },
      );
    }
  },
  pings: (at) => {
    for (let index = 0; index < 5; index++) streamOf(at, (socket) => void flood(socket, '{"type":"ping"}'));
  },
  'filters of 64 KB': (at) => {
    for (let index = 0; index < 5; index++) streamOf(at, (socket) => void flood(socket, manyNames));
  },
  'messages that are no JSON': (at) => {
    for (let index = 0; index < 5; index++) streamOf(at, (socket) => void flood(socket, '{'));
  },
  'streams opened and closed': (at) => {
    for (let index = 0; index < 5; index++) {
      streamOf(at, (socket) => {
        done += 1;
        socket.terminate();
      });
    }
  },
  'streams that are not read': (at) => {
    for (let index = 0; index < 5; index++) {
      streamOf(
        at,
        (socket) => {
          done += 1;
          socket.send(subscribe);
          socket.pause();
        },
        { lastSequence: 0 },
      );
    }
  },

  'a miner: an order every 10 s on each of 40 pairs, positions of 100 orders': async ({ root }) => {
    const open = Array.from({ length: 40 }, () =>
      positionFile(root, 'attacker-orders', 60, Date.now() - HOUR_MS),
    );
    for (let turn = 0; ; turn = (turn + 1) % open.length) {
      if (open[turn].position.orders.length === 100) {
        open[turn] = positionFile(root, 'attacker-orders', 60, Date.now() - HOUR_MS);
      }
      const { position, path, order } = open[turn];
      position.orders.push({ ...order, order_uuid: randomUUID(), processed_ms: Date.now() });
      write(root, path, JSON.stringify(position));
      done += 1;
      await sleep(250);
    }
  },
  'a miner: 1,000 orders at once in 10 positions, every 5 s': async ({ root }) => {
    // The same ten: a miner has one open position of a pair.
    const open = Array.from({ length: 10 }, () => positionFile(root, 'attacker-bursts', 0, 0));
    for (;;) {
      for (const { position, path } of open) {
        const { orders } = positionFile(root, 'attacker-bursts', 100, Date.now()).position;
        write(root, path, JSON.stringify({ ...position, orders }));
      }
      done += 1000;
      await sleep(5000);
    }
  },
  'a miner: a position of 8 MB, written again every second': async ({ root }) => {
    const { position, path } = positionFile(root, 'attacker-large', 1, Date.now());
    position.orders[0].note = 'x'.repeat(8e6);
    const next = takingTurns(root, path, () => [JSON.stringify(position)]);
    for (;;) {
      next();
      await sleep(1000);
    }
  },
  'a miner: a position of 100 MB, written again every 3 s': async ({ root }) => {
    const { position, path } = positionFile(root, 'attacker-huge', 1, Date.now());
    position.orders[0].note = 'x'.repeat(100e6);
    const next = takingTurns(root, path, () => [JSON.stringify(position)]);
    for (;;) {
      next();
      await sleep(3000);
    }
  },
  'a miner: 1,000 files that are no positions, written again and again': async ({ root }) => {
    for (let file = 0; ; file = (file + 1) % 1000) {
      write(
        root,
        join(root, 'validation/miners/attacker-garbage/positions/BTCUSD/open', `garbage-${file}`),
        '{"orders":[{',
      );
      done += 1;
      if (file % 20 === 0) await sleep(10);
    }
  },
  'a checkpoint of 500 MB, written again every 20 s': async ({ root }) => {
    const next = takingTurns(root, join(root, 'runnable', 'validator_checkpoint.json'), checkpoint);
    for (;;) {
      next();
      await sleep(20_000);
    }
  },
};

/** Their names, in the order of the table. */
export const ATTACKERS = Object.keys(ATTACKS);

/** Starts one, and resolves when it has begun; `stop` resolves to how many of what it does it did. */
export async function startAttacker(name, at) {
  const child = fork(fileURLToPath(import.meta.url), ['attacker', name]);
  const exited = once(child, 'exit');
  const answer = async (message) => {
    const answered = once(child, 'message');
    child.send(message);
    const ended = exited.then(([code]) => {
      throw new Error(`the attacker ended with ${code}`);
    });
    return (await Promise.race([answered, ended]))[0];
  };
  await answer(at);
  return {
    async stop() {
      const count = await answer('stop');
      child.kill('SIGKILL');
      await exited;
      return count;
    },
  };
}

if (process.send !== undefined && process.argv[2] === 'attacker') {
  setPriority(constants.priority.PRIORITY_LOW);
  process.on('message', async (message) => {
    if (message !== 'stop') {
      void ATTACKS[process.argv[3]](message);
      while (done === 0) await sleep(1);
    }
    process.send(done);
  });
}
