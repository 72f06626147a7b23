import { randomUUID } from 'node:crypto';
import { boolOf, signRequest } from '@ptn-api/wire';
import type { JsonValue, Keypair, Metagraph, Neuron } from '@ptn-api/wire';
import { OWN_IP, nonceNs } from '../sender/send-order.ts';
import type { ValidatorClient } from '../sender/validator-client.ts';
import type { Network } from '../sender/validators.ts';
import { validatorsOf } from '../sender/validators.ts';

const TIMEOUT_MS = 15_000;
/** On the main network this validator alone is asked, so that the page costs the others nothing. */
const MAINNET_VALIDATOR = '5FFApaS75bv5pJHfAp2FVLBj9ZaXuFDjEypsaBNc1wCfe52v';

/** Whom to ask for this miner's data: that one validator where the metagraph has it, else all that serve. */
export function dataSources(metagraph: Metagraph, network: Network): readonly Neuron[] {
  const serving = validatorsOf(metagraph, network);
  const known = serving.filter(({ hotkey }) => hotkey === MAINNET_VALIDATOR);
  return network === 'mainnet' && known.length > 0 ? known : serving;
}

/** What the validators say of this miner; those that refuse or do not answer are left out. */
export async function askForData(
  client: ValidatorClient,
  keypair: Keypair,
  sources: readonly Neuron[],
  abort: AbortSignal,
): Promise<JsonValue[]> {
  const answers = await Promise.all(
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
      const isGood = answer.answered && boolOf(answer.fields.get('successfully_processed'));
      return isGood ? [answer.fields.get('data') ?? null] : [];
    }),
  );
  return answers.flat();
}
