/**
 * A worker that serves, REST or WebSocket alike, for tests of the supervisor. It answers every request with what it knows, and misbehaves when its
 * first argument, or the path of a request, says so.
 */
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { connectionKey } from '../../../runtime/dist/ipc/messages.js';
import type { AnyTransaction } from '../../../runtime/dist/ipc/messages.js';
import { RetainedState } from '../../../runtime/dist/ipc/retained.js';
import { runWorker } from '../../../runtime/dist/ipc/worker-process.js';
import { Connections } from '../../../rest/dist/connections.js';

/** What every answer holds, as JSON. */
export interface RestWorkerAnswer {
  readonly pid: number;
  readonly generation: number;
  readonly feedUp: boolean;
  readonly userIds: readonly string[];
  /** Transactions received since the start, by topic. */
  readonly received: Readonly<Record<string, number>>;
  /** The connections it was told of: their keys. */
  readonly connections: readonly string[];
  readonly eliminations: { readonly sizeBytes: number; readonly firstByte: number } | null;
}

const [behaviour = '', flagPath = ''] = process.argv.slice(2);
const retained = new RetainedState();
const received: Record<string, number> = {};
let isReady = false;

function hang(): never {
  for (;;);
}

function note(transactions: readonly AnyTransaction[]): void {
  retained.applyAll(transactions);
  for (const { topic } of transactions) received[topic] = (received[topic] ?? 0) + 1;
}

function answer(): RestWorkerAnswer {
  const head = retained.get('positions', 'head');
  const gzip = retained.get('documents', 'eliminations')?.gzip;
  return {
    pid: process.pid,
    generation: head?.kind === 'positions-head' ? head.generation : 0,
    feedUp: retained.get('health', 'feed')?.up ?? false,
    userIds: retained.get('keys', 'ring')?.entries.map(({ userId }) => userId) ?? [],
    received,
    connections: retained.keys('connections'),
    eliminations: gzip === undefined ? null : { sizeBytes: gzip.byteLength, firstByte: gzip.at(0) ?? -1 },
  };
}

/** As if a connection had authenticated. */
function publishConnection(): void {
  const value = { kind: 'ws-connection', userDigest: 'ab', sinceMs: 1 } as const;
  const put = [[connectionKey(process.pid, 1), value]] as const;
  void port.publish([{ topic: 'connections', reset: false, put, remove: [] }]);
}

const server = createServer((request, response) => {
  if (request.url === '/crash') process.exit(3);
  if (request.url === '/hang') hang();
  if (request.url === '/reject') void Promise.reject(new Error('nobody waits for this'));
  if (request.url === '/publish-connection') publishConnection();
  response.setHeader('Connection', 'close').end(JSON.stringify(answer()));
});

const connections = new Connections(server);

/** As where Node cannot give this process a handle: the message does not arrive either. */
function loseConnections(count: number): void {
  const emit = process.emit.bind(process) as (event: string, ...args: unknown[]) => boolean;
  let left = count;
  process.emit = ((event: string, ...args: [{ type?: string }, Socket?]) => {
    const [message, socket] = args;
    if (event !== 'message' || message.type !== 'connection' || left === 0) {
      return emit(event, ...args);
    }
    left -= 1;
    socket?.destroy();
    return true;
  }) as typeof process.emit;
}

if (behaviour === 'lose-connections') loseConnections(Number(flagPath));

const port = runWorker({
  name: 'test-rest',
  async onStart() {
    if (behaviour === 'exit-on-start') process.exit(9);
    if (behaviour === 'fatal-on-start') await port.fatal('the disk is on fire');
    if (behaviour === 'throw-on-start') throw new Error('thrown in onStart');
    if (behaviour === 'exit-while-flag' && existsSync(flagPath)) process.exit(8);
  },
  onRetain(transactions) {
    note(transactions);
    if (isReady || behaviour === 'never-ready') return;
    isReady = true;
    port.ready();
    if (behaviour === 'crash-when-ready') setImmediate(() => process.exit(7));
  },
  onConnection(socket: Socket) {
    connections.accept(socket);
  },
  onDrain(withinMs) {
    return behaviour === 'ignore-drain' ? new Promise<void>(() => undefined) : connections.drain(withinMs);
  },
});
