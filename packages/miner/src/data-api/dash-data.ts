import { randomUUID } from 'node:crypto';
import { isJsonObject } from '@ptn-api/positions';
import type { JsonValue } from '@ptn-api/positions';
import { boolOf, signRequest } from '@ptn-api/wire';
import type { AnswerRead, Keypair, Metagraph, Neuron } from '@ptn-api/wire';
import { OWN_IP, nonceNs } from '../sender/send-order.ts';
import type { ValidatorClient } from '../sender/validator-client.ts';
import type { Network } from '../sender/validators.ts';
import { validatorsOf } from '../sender/validators.ts';

const TIMEOUT_MS = 15_000;
/** On the main network this validator alone is asked, so that the page costs the others nothing. */
const MAINNET_VALIDATOR = '5FFApaS75bv5pJHfAp2FVLBj9ZaXuFDjEypsaBNc1wCfe52v';
/** Texts come from validators: they are not trusted. */
const MAX_TEXT_LENGTH = 300;

/** What one validator answered. */
export interface DashAnswer {
  /** Of the validator that was asked. */
  readonly hotkey: string;
  readonly result: 'answered' | 'refused' | 'unanswered';
  /** Why it refused, or has not answered. */
  readonly text: string;
  /** Also with a refusal: of a miner without statistics validators send what they have. */
  readonly data: JsonValue | undefined;
}

/** Whom to ask for this miner's data: that one validator where the metagraph has it, else all that serve. */
export function dataSources(metagraph: Metagraph, network: Network): readonly Neuron[] {
  const serving = validatorsOf(metagraph, network);
  const known = serving.filter(({ hotkey }) => hotkey === MAINNET_VALIDATOR);
  return network === 'mainnet' && known.length > 0 ? known : serving;
}

function dashAnswer(hotkey: string, { answered, fields, statusCode, statusMessage }: AnswerRead): DashAnswer {
  const clipped = (text: string): string => text.slice(0, MAX_TEXT_LENGTH);
  if (!answered) {
    const text = clipped(statusMessage ?? `it answered ${statusCode ?? 'nothing that could be read'}`);
    return { hotkey, result: 'unanswered', text, data: undefined };
  }
  const data = fields.get('data');
  const sent = isJsonObject(data) && data.size > 0 ? data : undefined;
  if (boolOf(fields.get('successfully_processed')))
    return { hotkey, result: 'answered', text: '', data: data ?? null };
  const said = fields.get('error_message');
  return { hotkey, result: 'refused', text: clipped(typeof said === 'string' ? said : ''), data: sent };
}

/** What the validators say of this miner. @throws only what aborts `abort` */
export function askForData(
  client: ValidatorClient,
  keypair: Keypair,
  sources: readonly Neuron[],
  abort: AbortSignal,
): Promise<DashAnswer[]> {
  return Promise.all(
    sources.map(async ({ axon, hotkey }) => {
      const request = signRequest({
        synapse: 'GetDashData',
        fields: {},
        axon: { ip: axon.ip, port: axon.port, hotkey },
        keypair,
        nonceNs: nonceNs(),
        uuid: randomUUID(),
        timeoutMs: TIMEOUT_MS,
        ip: OWN_IP,
      });
      const { answer } = await client.ask('GetDashData', axon, request, TIMEOUT_MS, abort);
      return dashAnswer(hotkey, answer);
    }),
  );
}
