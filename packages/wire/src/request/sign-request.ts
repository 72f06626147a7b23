import { floatText, JsonNumber, writeJson } from '@ptn-api/positions';
import type { JsonValue } from '@ptn-api/positions';
import { bodyHash } from '../body-hash.ts';
import type { Keypair } from '../keys/keypair.ts';
import { SYNAPSES, synapseBody, terminal } from '../synapses.ts';
import type { SynapseName } from '../synapses.ts';

/** What the signer says of its bittensor version, 9.0.0. From 7.2.0 on validators check how old a request is. */
const VERSION = '9000000';

/** The validator that is asked, as the metagraph has it. */
export interface AxonAddress {
  readonly ip: string;
  readonly port: number;
  readonly hotkey: string;
}

export interface RequestToSign {
  readonly synapse: SynapseName;
  /** Fields of the synapse that are not in their initial state. */
  readonly fields: Readonly<Record<string, JsonValue>>;
  readonly axon: AxonAddress;
  readonly keypair: Keypair;
  /** Unix time in nanoseconds; rises from request to request that bears the same `uuid`. */
  readonly nonceNs: bigint;
  /** Names the sender's run, by custom a UUID of version 1. */
  readonly uuid: string;
  readonly timeoutMs: number;
  /** The sender's external address; validators put the peer's in its place. */
  readonly ip: string;
}

export interface SignedRequest {
  readonly method: 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The text that a signature is made over. */
export function signedText(
  nonce: bigint,
  senderHotkey: string,
  axonHotkey: string,
  uuid: string,
  hash: string,
): string {
  return `${nonce}.${senderHotkey}.${axonHotkey}.${uuid}.${hash}`;
}

/** The request to a validator: what bittensor's dendrite 9.0.0 sends. */
export function signRequest(request: RequestToSign): SignedRequest {
  const { synapse, axon, keypair, nonceNs, uuid, ip } = request;
  const timeout = JsonNumber.float(request.timeoutMs / 1000);
  const ownFields = synapseBody(synapse, request.fields);
  const hash = bodyHash([ownFields.get(SYNAPSES[synapse].hashed) ?? null]);
  const signature = keypair.sign(signedText(nonceNs, keypair.address, axon.hotkey, uuid, hash));
  const body = writeJson(
    new Map<string, JsonValue>([
      ...ownFields,
      ['name', synapse],
      ['timeout', timeout],
      [
        'dendrite',
        terminal({
          ip,
          version: new JsonNumber(VERSION),
          nonce: new JsonNumber(String(nonceNs)),
          uuid,
          hotkey: keypair.address,
          signature,
        }),
      ],
      ['axon', terminal({ ip: axon.ip, port: new JsonNumber(String(axon.port)), hotkey: axon.hotkey })],
    ]),
  );
  return {
    method: 'POST',
    path: `/${synapse}`,
    headers: {
      name: synapse,
      timeout: floatText(timeout.value),
      bt_header_axon_ip: axon.ip,
      bt_header_axon_port: String(axon.port),
      bt_header_axon_hotkey: axon.hotkey,
      bt_header_dendrite_ip: ip,
      bt_header_dendrite_version: VERSION,
      bt_header_dendrite_nonce: String(nonceNs),
      bt_header_dendrite_uuid: uuid,
      bt_header_dendrite_hotkey: keypair.address,
      bt_header_dendrite_signature: signature,
      // Python sends its own memory sizes; validators only check that these are integers.
      header_size: '0',
      total_size: String(Buffer.byteLength(body)),
      computed_body_hash: hash,
      'content-type': 'application/json',
    },
    body,
  };
}
