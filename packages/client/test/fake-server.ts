import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { StreamAuthentication, StreamOrder, SubscribeMessage } from '@ptn-api/protocol';
import { makePosition } from '@ptn-api/testkit';
import type { TestScope } from '@ptn-api/testkit';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';

/** One connection to the fake server, after its client has authenticated and subscribed. */
export interface FakeSession {
  /** 0 for the first connection of the server. */
  readonly index: number;
  readonly authentication: StreamAuthentication;
  readonly subscribe: SubscribeMessage;
  readonly socket: WebSocket;
  readonly send: (message: unknown) => void;
  /** Answers as a server without faults does. */
  readonly accept: (reply?: { currentSequence?: number; epoch?: string | null; resumed?: false }) => void;
  readonly orders: (...sequences: number[]) => void;
}

export interface FakeServer {
  readonly url: string;
  readonly sessions: readonly FakeSession[];
  /** Times of the pings, as the clients told them. */
  readonly pings: number[];
}

export interface FakeServerOptions {
  /** Is told when a client has sent what it sends first. */
  readonly onSession: (session: FakeSession) => void;
  /** Answers a ping; by default with the client's own time. */
  readonly onPing?: (timestamp: number, session: FakeSession | undefined, socket: WebSocket) => void;
}

/** A message of the stream. */
export function streamOrder(
  sequence: number,
  { hotkey = 'miner-a', pair = 'BTCUSD', padding = '' } = {},
): StreamOrder {
  const timeMs = 1_700_000_000_000 + sequence;
  const position = makePosition({
    hotkey,
    pair,
    uuid: `p-${sequence}`,
    orders: [{ timeMs, uuid: `o-${sequence}`, sources: padding === '' ? [] : [padding] }],
  });
  return { sequence, timestamp: timeMs + 5, data: { position } };
}

export async function startFakeServer(
  scope: TestScope,
  { onSession, onPing }: FakeServerOptions,
): Promise<FakeServer> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  scope.teardown(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  const sessions: FakeSession[] = [];
  const pings: number[] = [];
  server.on('connection', (socket) => {
    let authentication: StreamAuthentication | undefined;
    let session: FakeSession | undefined;
    const send = (message: unknown): void => {
      socket.send(typeof message === 'string' ? message : JSON.stringify(message));
    };
    socket.on('message', (bytes: Buffer) => {
      const message = JSON.parse(bytes.toString()) as StreamAuthentication & {
        type?: string;
        timestamp?: number;
      };
      if (message.type === 'ping') {
        const timestamp = message.timestamp ?? 0;
        pings.push(timestamp);
        if (onPing !== undefined) onPing(timestamp, session, socket);
        else send({ type: 'pong', client_timestamp: timestamp, server_timestamp: timestamp, timestamp });
      } else if (message.type === 'subscribe') {
        if (authentication === undefined) throw new Error('a client subscribed before it authenticated');
        const subscribe = message as unknown as SubscribeMessage;
        session = {
          index: sessions.length,
          authentication,
          subscribe,
          socket,
          send,
          accept: ({ currentSequence = 0, epoch = 'log-1', resumed } = {}) => {
            send({
              status: 'success',
              message: 'Authentication successful.',
              current_sequence: currentSequence,
              tier: 100,
              ...(epoch !== null && { epoch, oldest_sequence: 1 }),
            });
            send({
              type: 'subscription_status',
              status: 'success',
              all: true,
              action: 'subscribe',
              sender_timestamp: 0,
              received_timestamp: 0,
              ...(resumed === false && { resumed }),
            });
          },
          orders: (...sequences) => {
            const messages = sequences.map((sequence) => streamOrder(sequence));
            if (messages.length === 1) send(messages[0]);
            else send({ type: 'batch', messages, count: messages.length });
          },
        };
        sessions.push(session);
        onSession(session);
      } else authentication = message;
    });
    // `close` follows.
    socket.on('error', () => undefined);
  });
  const { port } = server.address() as AddressInfo;
  return { url: `ws://127.0.0.1:${port}`, sessions, pings };
}
