import { randomUUID } from 'node:crypto';
import type { JsonObject } from '@ptn-api/positions';
import { boolOf, signRequest } from '@ptn-api/wire';
import type { AnswerRead, Exchange, Keypair } from '@ptn-api/wire';
import type { SignalGeneration } from '../signals/receive-signal.ts';
import type { AttemptResult } from './delivery.ts';
import type { ValidatorClient } from './validator-client.ts';
import type { Validator } from './validators.ts';

export const ORDER_TIMEOUT_MS = 12_000;

/** The version that a miner of the generation says it has. */
export const REPO_VERSIONS: Readonly<Record<SignalGeneration, string>> = { ptn: '6.1.0', vanta: '8.8.9' };

/** Statuses of refusals that come before the order is read. */
const UNTOUCHED = new Set([401, 403, 404, 405]);
/** Validators put the peer's address in its place. */
export const OWN_IP = '0.0.0.0';

/** The time in nanoseconds, which a request bears as its nonce. */
export function nonceNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n + (process.hrtime.bigint() % 1_000_000n);
}

/** What became of the order, as far as the answer shows. */
export function attemptResult(
  exchange: Exchange,
  { statusCode, statusMessage, fields, answered }: AnswerRead,
): AttemptResult {
  if (answered) {
    const said = (name: string): string => {
      const value = fields.get(name);
      return typeof value === 'string' ? value : '';
    };
    // Whoever was asked has answered: the hotkey that an answer names is not signed, and not believed.
    if (boolOf(fields.get('successfully_processed')))
      return { kind: 'accepted', orderJson: said('order_json') };
    const text = said('error_message');
    return { kind: 'refused', text: text === '' ? 'refused without a reason' : text };
  }
  const text = statusMessage ?? `HTTP ${String(statusCode)}`;
  if (exchange.kind === 'unreachable') return { kind: 'undelivered', text };
  const isUntouched = exchange.kind === 'answered' && UNTOUCHED.has(exchange.status);
  return { kind: isUntouched ? 'undelivered' : 'unknown', text };
}

export interface OrderSender {
  readonly client: ValidatorClient;
  readonly keypair: Keypair;
  readonly repoVersion: string;
  readonly timeoutMs: number;
}

/** Sends a signal to a validator as a signed order, once. */
export async function sendOrder(
  { client, keypair, repoVersion, timeoutMs }: OrderSender,
  { axon, hotkey }: Validator,
  signal: JsonObject,
  uuid: string,
  abort: AbortSignal,
): Promise<AttemptResult> {
  const request = signRequest({
    synapse: 'SendSignal',
    fields: { signal, repo_version: repoVersion, miner_order_uuid: uuid },
    axon: { ip: axon.ip, port: axon.port, hotkey },
    keypair,
    nonceNs: nonceNs(),
    uuid: randomUUID(),
    timeoutMs,
    ip: OWN_IP,
  });
  const { exchange, answer } = await client.ask('SendSignal', axon, request, timeoutMs, abort);
  return attemptResult(exchange, answer);
}
