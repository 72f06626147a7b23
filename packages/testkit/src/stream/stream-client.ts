import { WebSocket } from 'ws';

const DEADLINE_MS = 30_000;

export type Json = Record<string, unknown>;

/** A client of the stream that keeps all it is sent. */
export class StreamClient {
  readonly socket: WebSocket;
  readonly received: Json[] = [];
  /** The text of each of them. */
  readonly texts: string[] = [];
  /** Of the closing by the server. */
  closeCode: number | undefined;
  closeReason = '';
  readonly #waiting = new Set<() => void>();

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.socket = new WebSocket(url, { maxPayload: 16 * 1024 * 1024, headers });
    this.socket.on('message', (text: Buffer, isBinary) => {
      if (isBinary) throw new Error('the server sent a binary frame');
      this.texts.push(text.toString('utf8'));
      this.received.push(JSON.parse(text.toString('utf8')) as Json);
      this.#wake();
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', (code, reason) => {
      this.closeCode = code;
      this.closeReason = reason.toString('utf8');
      this.#wake();
    });
  }

  send(message: unknown): void {
    this.socket.send(
      typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message),
    );
  }

  /** The next message that comes after this one was sent. */
  async ask(message: unknown): Promise<Json> {
    const count = this.received.length;
    this.send(message);
    await this.until(() => this.received.length > count || this.closeCode !== undefined);
    const answer = this.received[count];
    if (answer === undefined) throw new Error(`closed with ${this.closeCode} instead of an answer`);
    return answer;
  }

  async subscribe(message: object = { all: true }): Promise<Json> {
    return this.ask({ type: 'subscribe', ...message });
  }

  /** Every order received so far, in order, out of batches too. */
  orders(): Json[] {
    return this.received.flatMap((message) => {
      if (message['type'] === 'batch') return message['messages'] as Json[];
      return 'sequence' in message ? [message] : [];
    });
  }

  sequences(): number[] {
    return this.orders().map((order) => order['sequence'] as number);
  }

  async until(condition: () => boolean, timeoutMs = DEADLINE_MS): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`waited in vain; received: ${JSON.stringify(this.received).slice(0, 2000)}`));
      }, timeoutMs);
    });
    while (!condition()) {
      await Promise.race([new Promise<void>((resolve) => this.#waiting.add(resolve)), expired]);
    }
    clearTimeout(timer);
    // Without a listener the rejection of a race that was won would be unhandled.
    expired.catch(() => undefined);
  }

  async closed(): Promise<number> {
    await this.until(() => this.closeCode !== undefined);
    return this.closeCode ?? 0;
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
