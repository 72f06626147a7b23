/** Sends made-up bytes to a whole server and tells what must not happen: for the tests, and the bench of minutes. */
import fc from 'fast-check';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeTemporaryFolder, startServer } from '@ptn-api/testkit';
import type { RunningServer, TestScope } from '@ptn-api/testkit';
import { WebSocket } from 'ws';
import { FUZZ_KEY, FUZZ_KEYS, httpBytes, streamBytes } from '../../stream/dist-test/fuzz-inputs.js';

const ROOT = fileURLToPath(new URL('../../rest/fixtures/http/root', import.meta.url));
/** What is logged when something went wrong in the server, which bytes of a client never are the cause of. */
const FAULT_LINE = /^.*"event":"(?:request-fault|ws-accept-failed|worker-crashed)".*$/gm;
/** Connections at a time. */
const AT_ONCE = 16;

/** A server of the fixtures' validator, that knows {@link FUZZ_KEY}. */
export async function startFuzzed(scope: TestScope): Promise<RunningServer> {
  const root = makeTemporaryFolder(scope);
  cpSync(ROOT, root, { recursive: true });
  writeFileSync(join(root, 'ptn_api', 'api_keys.json'), JSON.stringify(FUZZ_KEYS));
  return startServer(scope, { root });
}

export type FuzzedPort = 'http' | 'stream';

export interface FuzzRun {
  /** Connections made. */
  readonly connections: number;
  /** How often each status, or each kind of a message of the stream, was answered. */
  readonly answers: ReadonlyMap<string, number>;
}

export interface FuzzOptions {
  readonly port: FuzzedPort;
  readonly forMs: number;
  readonly seed: number;
}

/**
 * Sends made-up bytes for so long, several connections at a time.
 *
 * @throws Error with the seed and the bytes, made as small as they may be, when a request was answered with 500, a worker
 * ended, or a good client is not served any more.
 */
export async function fuzz(server: RunningServer, { port, forMs, seed }: FuzzOptions): Promise<FuzzRun> {
  const answers = new Map<string, number>();
  const loggedBefore = server.output().length;
  const count = (name: string) => answers.set(name, (answers.get(name) ?? 0) + 1);
  let connections = 0;
  const pids = server.childPids().sort().join();
  const bytes = port === 'http' ? httpBytes() : streamBytes();
  const send = async (input: Buffer): Promise<void> => {
    connections += 1;
    if (port === 'http') {
      const statuses = statusesIn(await exchange(server.url, input));
      for (const status of statuses) count(String(status));
      if (statuses.includes(500)) throw new Error('answered with 500');
    } else {
      const answer = await exchange(server.wsUrl, input);
      for (const status of statusesIn(answer)) count(String(status));
      for (const { status, code, type } of streamMessages(answer)) count(code ?? type ?? status ?? 'order');
    }
  };
  const property = fc.asyncProperty(
    fc.array(bytes, { minLength: AT_ONCE / 2, maxLength: AT_ONCE }),
    async (inputs) => {
      await Promise.all(inputs.map(send));
      if (server.childPids().sort().join() !== pids) throw new Error(`a worker ended:\n${server.output()}`);
    },
  );
  await fc.assert(property, {
    seed,
    numRuns: Number.MAX_SAFE_INTEGER,
    plugins: [fc.interruptAfterTimeLimit(forMs)],
  });
  await askAsGoodClient(server);
  // Once, as it is long by now.
  const faults = server.output().slice(loggedBefore).match(FAULT_LINE);
  if (faults !== null) throw new Error(`with seed ${seed} this was logged:\n${faults.join('\n')}`);
  return { connections, answers };
}

/** After so long without a byte a connection is left. */
const QUIET_MS = 15;

/**
 * Everything that the server answers to these bytes on one connection, until it closes it or has nothing more to say.
 *
 * @param quietMs for how long it says nothing then
 */
function exchange(url: string, bytes: Uint8Array, quietMs = QUIET_MS): Promise<string> {
  const { port, hostname } = new URL(url);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => {
      socket.write(bytes);
      socket.setTimeout(quietMs);
    });
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('timeout', () => socket.destroy());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // What it does with bytes that are none of its business; that it does not answer at all is reported as it is.
      if (error.code === 'ECONNREFUSED') reject(error);
    });
    socket.on('close', () => {
      resolve(Buffer.concat(chunks).toString('latin1'));
    });
  });
}

/** The statuses of all answers on a connection to the REST port. */
function statusesIn(answers: string): number[] {
  return [...answers.matchAll(/(?:^|[^\w ])HTTP\/1\.[01] (\d{3}) /g)].map(([, status]) => Number(status));
}

/** Memory of the server's processes in MB, by process id. */
export function memoryMb(server: RunningServer): ReadonlyMap<number, number> {
  const resident = (id: number) =>
    Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1]) / 1024;
  return new Map([server.pid, ...server.childPids()].map((id) => [id, Math.round(resident(id))]));
}

/**
 * What a good client gets on both ports.
 *
 * @throws Error when it is not served as it should be.
 */
async function askAsGoodClient({ url, wsUrl }: RunningServer): Promise<void> {
  const answer = await fetch(`${url}/miner-positions`, { headers: { authorization: `Bearer ${FUZZ_KEY}` } });
  await answer.json();
  if (answer.status !== 200) throw new Error(`a good request was answered with ${answer.status}`);
  const socket = new WebSocket(wsUrl);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.on('open', () => {
        socket.send(JSON.stringify({ api_key: FUZZ_KEY }));
      });
      socket.on('message', (text: Buffer) => {
        if (text.includes('"success"')) resolve();
        else reject(new Error(`a good client of the stream was told ${text.toString()}`));
      });
      socket.on('error', reject);
      socket.on('close', (code) => {
        reject(new Error(`a good client of the stream was closed with ${code}`));
      });
    });
  } finally {
    socket.terminate();
  }
}

interface StreamMessage {
  readonly status?: string;
  readonly code?: string;
  readonly type?: string;
}

/** The messages of text that the server sent on a connection to the port of the stream, if they are whole. */
function streamMessages(answer: string): StreamMessage[] {
  const bytes = Buffer.from(answer, 'latin1');
  const messages: StreamMessage[] = [];
  let at = bytes.indexOf('\r\n\r\n') + 4;
  if (!answer.startsWith('HTTP/1.1 101 ')) return messages;
  while (at + 2 <= bytes.length) {
    const kind = (bytes[at] ?? 0) & 0x0f;
    let size = (bytes[at + 1] ?? 0) & 0x7f;
    at += 2;
    if (size === 126) {
      size = bytes.readUInt16BE(at);
      at += 2;
    } else if (size === 127) {
      size = Number(bytes.readBigUInt64BE(at));
      at += 8;
    }
    if (at + size > bytes.length) break;
    if (kind === 1) messages.push(JSON.parse(bytes.toString('utf8', at, at + size)) as StreamMessage);
    at += size;
  }
  return messages;
}
