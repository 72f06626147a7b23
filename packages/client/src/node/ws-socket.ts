import { WebSocket } from 'ws';
import type { OpenSocket } from '../stream-socket.ts';

/** A server that does not answer the closing handshake must not keep the program alive. */
const CLOSE_TIMEOUT_MS = 1000;

/** The WebSocket of the package `ws`, which Node 20 has none of its own for. */
export const openWsSocket: OpenSocket = (url, { onOpen, onText, onEnd }) => {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  let isClosed = false;
  let cause: Error | undefined;
  socket.on('open', () => {
    if (!isClosed) onOpen();
  });
  socket.on('message', (bytes: Buffer) => {
    if (!isClosed) onText(bytes.toString('utf8'));
  });
  // `close` follows and reports it; without a listener the error would end the program.
  socket.on('error', (error) => {
    cause = error;
  });
  socket.on('close', (code, reason) => {
    if (!isClosed) onEnd({ code, reason: reason.toString('utf8'), ...(cause && { cause }) });
  });
  return {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: () => {
      isClosed = true;
      socket.close(1000);
      setTimeout(() => {
        socket.terminate();
      }, CLOSE_TIMEOUT_MS).unref();
    },
    pause: () => {
      socket.pause();
    },
    resume: () => {
      socket.resume();
    },
  };
};
