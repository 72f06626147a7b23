import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { OrderStream } from '../orders/order-stream.ts';
import { readIngestLine, refusal } from './ingest-line.ts';
import { LineSplitter } from './line-splitter.ts';

/** Positions have some KB; one with thousands of orders stays below. */
export const LINE_LIMIT_BYTES = 4 * 2 ** 20;
/** Lines that are stored and answered in one go, so that what is answered at once has a limit. */
const BATCH_LINES = 512;

/** How long a sender that is refused has to read why. */
const LINGER_MS = 1000;

/** Serves one sender of positions: reads no more while what it sent is stored, or its answers are not taken. */
export class IngestConnection {
  /** Resolves when the connection has ended. */
  readonly ended: Promise<void>;
  readonly #socket: Socket;
  readonly #orders: OrderStream;
  readonly #closed = new AbortController();
  #isBusy = false;
  #isStopping = false;

  constructor(socket: Socket, orders: OrderStream) {
    this.#socket = socket;
    this.#orders = orders;
    socket.once('close', () => {
      this.#closed.abort();
    });
    this.ended = this.#serve().finally(() => socket.destroy());
  }

  /** Answers what is being stored and ends; what was only received gets no answer, so that it is sent again. */
  stopReading(): void {
    this.#isStopping = true;
    if (!this.#isBusy) this.#socket.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #serve(): Promise<void> {
    const splitter = new LineSplitter(LINE_LIMIT_BYTES);
    try {
      for await (const piece of this.#socket.iterator({ destroyOnReturn: false })) {
        this.#isBusy = true;
        const { lines, isTooLong } = splitter.push(piece as Buffer);
        for (let start = 0; start < lines.length && !this.#isStopping; start += BATCH_LINES) {
          await this.#answer(lines.slice(start, start + BATCH_LINES));
        }
        if (isTooLong) {
          await this.#write([refusal('PTN_ERR_INGEST_LINE_TOO_LONG', { limit: LINE_LIMIT_BYTES })]);
          break;
        }
        if (this.#isStopping) break;
        this.#isBusy = false;
      }
      await endSocket(this.#socket);
    } catch (error) {
      // The sender has gone, at whatever point: it sends again what it has no answer for.
      if (!this.#closed.signal.aborted && !this.#socket.destroyed) throw error;
    }
  }

  /** Stores the orders of the lines with one commit, and answers each line. */
  async #answer(lines: readonly string[]): Promise<void> {
    const taken = lines.map((line) => {
      const read = readIngestLine(line);
      if (!read.ok) return read;
      const order = this.#orders.take(read.hotkey, read.position);
      return typeof order === 'string' ? refusal('PTN_ERR_INGEST_BAD_POSITION', { reason: order }) : order;
    });
    await this.#orders.store();
    const answers: object[] = [];
    for (const result of taken) {
      if ('ok' in result) {
        answers.push(result);
        continue;
      }
      const sequence = this.#orders.sequenceOf(result.orderUuid);
      // The server stops before it could be stored. Without an answer it is sent again, to the next one.
      if (sequence === undefined) {
        this.#isStopping = true;
        await this.#write(answers);
        this.#socket.destroy();
        return;
      }
      answers.push({ ok: true, sequence, duplicate: result.isDuplicate });
    }
    await this.#write(answers);
  }

  async #write(answers: readonly object[]): Promise<void> {
    if (answers.length === 0) return;
    const text = answers.map((answer) => `${JSON.stringify(answer)}\n`).join('');
    if (!this.#socket.write(text)) await once(this.#socket, 'drain', { signal: this.#closed.signal });
  }
}

/**
 * Ends the connection when what was written is taken. What still arrives is passed over: a connection that ends with
 * something unread loses its last answers.
 */
export async function endSocket(socket: Socket): Promise<void> {
  if (socket.closed) return;
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.resume();
  socket.end();
  await closed;
  clearTimeout(timer);
}
