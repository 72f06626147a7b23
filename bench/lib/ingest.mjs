// A sender on the ingest socket.
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { newPosition } from './orders.mjs';

/** `put` hands in a new order and gives its uuid; `counts` says how many were acknowledged as new, and other answers. */
export async function connectIngest(root) {
  const socket = createConnection(join(root, '.ptn-api', 'ingest.sock'));
  await once(socket, 'connect');
  const counts = { stored: 0, other: 0 };
  let text = '';
  socket.setEncoding('utf8').on('data', (piece) => {
    const lines = (text + piece).split('\n');
    text = lines.pop();
    for (const line of lines) {
      const { ok, duplicate } = JSON.parse(line);
      counts[ok && !duplicate ? 'stored' : 'other'] += 1;
    }
  });
  return {
    counts,
    put() {
      const position = newPosition();
      socket.write(`${JSON.stringify({ position })}\n`);
      return position.position_uuid;
    },
    close: () => socket.destroy(),
  };
}
