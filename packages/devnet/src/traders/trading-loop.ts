import { randomUUID } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { JsonObject } from '@ptn-api/positions';
import { readAnswer, signRequest } from '@ptn-api/wire';
import type { AxonAddress, Exchange, SignedRequest } from '@ptn-api/wire';
import type { Position } from '@ptn-api/protocol';
import type { Trader } from './trader.ts';

/** As long as the network's miners wait. */
const TIMEOUT_MS = 12_000;

export interface TradingLoopOptions {
  readonly traders: readonly Trader[];
  readonly axon: AxonAddress;
  /** A trader's open positions by pair id. */
  readonly openOf: (hotkey: string) => ReadonlyMap<string, Position>;
  /** The real time, Unix ns. */
  readonly nowNs: () => bigint;
  /** How long an answer is waited for. */
  readonly timeoutMs?: number;
}

async function send({ ip, port }: AxonAddress, request: SignedRequest, timeoutMs: number): Promise<Exchange> {
  const { path, method, headers, body } = request;
  try {
    const answer = await fetch(`http://${isIPv6(ip) ? `[${ip}]` : ip}:${port}${path}`, {
      method,
      headers,
      body,
      signal: AbortSignal.timeout(timeoutMs),
    });
    return {
      kind: 'answered',
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: await answer.text(),
    };
  } catch (error) {
    if (error instanceof DOMException && error.name === 'TimeoutError') {
      return { kind: 'timeout', timeoutMs };
    }
    return { kind: 'disconnected', problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Has simulated miners send their signals as signed orders, each one at a time. */
export class TradingLoop {
  readonly #options: TradingLoopOptions;
  readonly #underWay = new Map<Trader, Promise<void>>();
  /** How many were not answered, or not as an order is answered; what became of the others the validator counts. */
  unanswered = 0;

  constructor(options: TradingLoopOptions) {
    this.#options = options;
  }

  /** Lets every trader that waits for no answer decide. */
  tick(nowMs: number): void {
    for (const trader of this.#options.traders) {
      if (this.#underWay.has(trader)) continue;
      const signal = trader.decide(nowMs, this.#options.openOf(trader.hotkey));
      if (signal === undefined) continue;
      const sending = this.#send(trader, signal).finally(() => this.#underWay.delete(trader));
      this.#underWay.set(trader, sending);
    }
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    await Promise.all(this.#underWay.values());
  }

  async #send({ keypair }: Trader, signal: JsonObject): Promise<void> {
    const { axon, nowNs, timeoutMs = TIMEOUT_MS } = this.#options;
    const request = signRequest({
      synapse: 'SendSignal',
      fields: { signal, miner_order_uuid: randomUUID() },
      axon,
      keypair,
      nonceNs: nowNs(),
      uuid: randomUUID(),
      timeoutMs,
      ip: '127.0.0.1',
    });
    const { answered } = readAnswer('SendSignal', await send(axon, request, timeoutMs));
    if (!answered) this.unanswered += 1;
  }
}
