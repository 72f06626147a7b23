import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { deflateSegment, storedSegment } from '@ptn-api/positions';
import type { TestApp } from './rest-fixture.ts';
import { positionsTransaction, testApp } from './rest-fixture.ts';

export const AUTH_LINES = 'Host: x\r\nAuthorization: Bearer key-tier100\r\n';

export interface Served extends TestApp {
  readonly port: number;
  /** A raw connection, closed when the test ends. */
  readonly open: () => Promise<Socket>;
}

/** As the supervisor does: accepts connections without reading from them and hands them over. */
export async function serve(t: Test, app: TestApp = testApp(t)): Promise<Served> {
  await app.app.ready();
  const acceptor = createServer({ pauseOnConnect: true }, (socket) => {
    app.connections.accept(socket);
  });
  acceptor.listen(0, '127.0.0.1');
  await once(acceptor, 'listening');
  const { port } = acceptor.address() as AddressInfo;
  const sockets: Socket[] = [];
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    acceptor.close();
  });
  return {
    ...app,
    port,
    open: async () => {
      const socket = connect(port, '127.0.0.1');
      sockets.push(socket);
      socket.on('error', () => socket.destroy());
      await once(socket, 'connect');
      return socket;
    },
  };
}

export async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error('the condition was not met within 20 s');
    await delay(5);
  }
}

/** A position of 32 MB that compresses to next to nothing, and one that does not compress. */
function largePositions() {
  const noise = Buffer.alloc(24_000_000);
  for (let index = 0; index < noise.length; index++)
    noise[index] = 97 + ((index * index * 7919 + (index >>> 7)) % 26);
  const live = deflateSegment(`"], "tier": 100}`);
  const settled = [deflateSegment('{"positions": ["'), deflateSegment('x'.repeat(32_000_000))];
  for (let at = 0; at < noise.length; at += 60_000)
    settled.push(storedSegment(noise.subarray(at, at + 60_000)));
  return positionsTransaction({
    generation: 1,
    hotkeys: ['large'],
    put: { large: { settled, live: { 0: [live], 30: [live], 50: [live], 100: [live] } } },
    reset: true,
  });
}

export const LARGE = largePositions();
