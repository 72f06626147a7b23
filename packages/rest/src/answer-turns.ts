import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests of one connection that wait for their turn; who sends more does not wait for answers. */
const MAX_WAITING = 256;

/**
 * Has the server answer one request of each connection at a time. HTTP lets a client send the next ones meanwhile, and
 * Node hands all of them over at once: 8 KB of requests could make gigabytes of answers that nobody reads.
 */
export function answerInTurn(server: Server): void {
  const listeners = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  const lines = new WeakMap<Socket, (() => void)[]>();
  const begin = (request: IncomingMessage, response: ServerResponse): void => {
    // Behind its last byte, or when the connection is closed.
    response.once('close', () => {
      const { socket } = request;
      const line = lines.get(socket) ?? [];
      const next = line.shift();
      if (next === undefined || socket.destroyed) {
        lines.delete(socket);
        return;
      }
      if (line.length === 0) socket.resume();
      next();
    });
    for (const listener of listeners) listener.call(server, request, response);
  };
  server.on('request', (request, response) => {
    const { socket } = request;
    const line = lines.get(socket);
    if (line === undefined) {
      lines.set(socket, []);
      begin(request, response);
      return;
    }
    line.push(() => {
      begin(request, response);
    });
    // Nothing more is read until the line is short again.
    socket.pause();
    if (line.length > MAX_WAITING) socket.destroy();
  });
}
