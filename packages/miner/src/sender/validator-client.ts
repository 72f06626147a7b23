import { isIPv6 } from 'node:net';
import type { AnswerRead, Exchange, SignedRequest, SynapseName } from '@ptn-api/wire';
import { readAnswer } from '@ptn-api/wire';
import { Pool } from 'undici';

/** Requests that a validator may have at a time: one for each pair, and some to spare. */
const CONNECTIONS = 64;
/** The validators' server closes a connection that was idle for 5 s: one that is closed just then would cost an attempt. */
const KEEP_ALIVE_MS = 3_000;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** The request was not even received. */
const NOT_CONNECTED = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
]);

export interface Address {
  readonly ip: string;
  readonly port: number;
}

function originOf({ ip, port }: Address): string {
  return `http://${isIPv6(ip) ? `[${ip}]` : ip}:${port}`;
}

/** Connections to the validators, kept open for each address. */
export class ValidatorClient {
  readonly #pools = new Map<string, Pool>();

  /**
   * Asks a validator, once.
   *
   * @param timeoutMs over everything, from connecting to the last byte.
   * @throws only what aborts `abort`.
   */
  async ask(
    synapse: SynapseName,
    address: Address,
    request: SignedRequest,
    timeoutMs: number,
    abort: AbortSignal,
  ): Promise<{ readonly exchange: Exchange; readonly answer: AnswerRead }> {
    const exchange = await this.#exchange(address, request, timeoutMs, abort);
    return { exchange, answer: readAnswer(synapse, exchange) };
  }

  /** Closes what leads to addresses that are no validator's any more. */
  keepOnly(addresses: readonly Address[]): void {
    const kept = new Set(addresses.map(originOf));
    for (const [origin, pool] of this.#pools) {
      if (kept.has(origin)) continue;
      this.#pools.delete(origin);
      // Requests that are on their way come to their end.
      void pool.close();
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()));
    this.#pools.clear();
  }

  async #exchange(
    address: Address,
    { path, method, headers, body }: SignedRequest,
    timeoutMs: number,
    abort: AbortSignal,
  ): Promise<Exchange> {
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const answer = await this.#pool(address).request({
        path,
        method,
        headers,
        body,
        signal: AbortSignal.any([timeout, abort]),
      });
      return {
        kind: 'answered',
        status: answer.statusCode,
        headers: answer.headers,
        body: await answer.body.text(),
      };
    } catch (error) {
      abort.throwIfAborted();
      if (timeout.aborted) return { kind: 'timeout', timeoutMs };
      const code = (error as NodeJS.ErrnoException).code ?? '';
      if (NOT_CONNECTED.has(code)) return { kind: 'unreachable', ...address };
      return { kind: 'disconnected', problem: (error as Error).message };
    }
  }

  #pool(address: Address): Pool {
    const origin = originOf(address);
    const known = this.#pools.get(origin);
    if (known !== undefined) return known;
    const pool = new Pool(origin, {
      connections: CONNECTIONS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      maxResponseSize: MAX_ANSWER_BYTES,
      // The caller's own time limit is over everything.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    this.#pools.set(origin, pool);
    return pool;
  }
}
