/** How a socket ended. */
export interface SocketEnd {
  /** WebSocket close code; 1006 where the connection broke. */
  readonly code: number;
  readonly reason: string;
  readonly cause?: Error;
}

interface SocketEvents {
  readonly onOpen: () => void;
  readonly onText: (text: string) => void;
  /** Once, and the last of all; not after {@link StreamSocket.close}. */
  readonly onEnd: (end: SocketEnd) => void;
}

/** What the stream client needs of a WebSocket, be it Node's or a browser's. */
export interface StreamSocket {
  send(text: string): void;
  /** Ends it; no event comes after. */
  close(): void;
  /** Stops reading, so that the server waits. Missing where it cannot be done: in browsers. */
  readonly pause?: () => void;
  readonly resume?: () => void;
}

export type OpenSocket = (url: string, events: SocketEvents) => StreamSocket;

/** The WebSocket of browsers. */
export const openBrowserSocket: OpenSocket = (url, { onOpen, onText, onEnd }) => {
  const socket = new WebSocket(url);
  let isClosed = false;
  socket.addEventListener('open', () => {
    if (!isClosed) onOpen();
  });
  socket.addEventListener('message', ({ data }) => {
    // Of this server all messages are text; anything else is reported as a message that is not JSON.
    if (!isClosed) onText(typeof data === 'string' ? data : '');
  });
  socket.addEventListener('close', ({ code, reason }) => {
    if (!isClosed) onEnd({ code, reason });
  });
  return {
    send: (text) => {
      socket.send(text);
    },
    close: () => {
      isClosed = true;
      socket.close(1000);
    },
  };
};
