import { once } from 'node:events';
import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import type { Position } from '@ptn-api/protocol';
import { waitFor } from '@ptn-api/testkit';

/** What the socket answers to one line. */
export interface IngestAnswer {
  readonly ok: boolean;
  readonly sequence?: number;
  readonly duplicate?: boolean;
  readonly code?: string;
  readonly message?: string;
}

interface Scope {
  teardown(action: () => void): void;
}

/** A sender on the ingest socket, and everything it was answered. */
export class IngestSender {
  readonly socket: Socket;
  isClosed = false;
  #received = '';

  private constructor(scope: Scope, socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8').on('data', (text: string) => {
      this.#received += text;
    });
    // Told by `close`, too.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isClosed = true;
    });
    scope.teardown(() => socket.destroy());
  }

  static async connect(scope: Scope, path: string): Promise<IngestSender> {
    const sender = new IngestSender(scope, createConnection(path));
    await once(sender.socket, 'connect');
    return sender;
  }

  get answers(): IngestAnswer[] {
    return this.#received
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as IngestAnswer);
  }

  /** Sends positions as lines, in one write. */
  put(...positions: readonly Position[]): void {
    this.socket.write(positions.map((position) => `${JSON.stringify({ position })}\n`).join(''));
  }

  async answered(count: number): Promise<IngestAnswer[]> {
    await waitFor(() => this.answers.length >= count, { what: () => `${count} answers: ${this.#received}` });
    return this.answers;
  }
}
