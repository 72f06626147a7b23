import { randomUUID } from 'node:crypto';
import { parseJson } from '@ptn-api/positions';
import type { JsonValue } from '@ptn-api/positions';
import { boolOf, readAnswer, signRequest } from '@ptn-api/wire';
import type { AxonAddress, Keypair, SynapseName } from '@ptn-api/wire';

/** What a validator answered; undefined fields where it did not. */
export interface SentResult {
  readonly isAnswered: boolean;
  readonly isAccepted: boolean;
  readonly error: string;
  readonly orderJson: string;
}

/** Sends a request of a miner, signed anew with each call. */
export async function sendSigned(
  keypair: Keypair,
  axon: AxonAddress,
  fields: Readonly<Record<string, JsonValue>>,
  synapse: SynapseName = 'SendSignal',
): Promise<SentResult> {
  const request = signRequest({
    ...{ synapse, fields, axon, keypair, timeoutMs: 12_000, ip: '127.0.0.1', uuid: randomUUID() },
    nonceNs: BigInt(Date.now()) * 1_000_000n,
  });
  const { path, method, headers, body } = request;
  try {
    const answer = await fetch(`http://${axon.ip}:${axon.port}${path}`, { method, headers, body });
    const exchange = {
      kind: 'answered' as const,
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: await answer.text(),
    };
    const { answered, fields: got, statusMessage } = readAnswer(synapse, exchange);
    const text = (name: string): string => {
      const value = got.get(name);
      return typeof value === 'string' ? value : '';
    };
    return {
      isAnswered: answered,
      isAccepted: boolOf(got.get('successfully_processed')),
      error: answered ? text('error_message') : (statusMessage ?? ''),
      orderJson: text('order_json'),
    };
  } catch (error) {
    return { isAnswered: false, isAccepted: false, error: (error as Error).message, orderJson: '' };
  }
}

/** Sends an order. */
export function sendOrder(
  keypair: Keypair,
  axon: AxonAddress,
  signal: string,
  uuid: string,
): Promise<SentResult> {
  return sendSigned(keypair, axon, { signal: parseJson(signal), miner_order_uuid: uuid });
}
