import { isJsonObject, JsonNumber, JsonTextError, parseJson } from '@ptn-api/positions';
import type { JsonObject, JsonValue } from '@ptn-api/positions';
import { decodeAddress } from '../keys/ss58.ts';

/** What is known of a participant of the network. */
export interface Neuron {
  readonly uid: number;
  readonly hotkey: string;
  readonly coldkey: string;
  readonly stakeRao: bigint;
  readonly validatorTrust: number;
  readonly axon: {
    readonly ip: string;
    readonly port: number;
    readonly ipType: number;
    readonly protocol: number;
  };
}

export interface Metagraph {
  readonly netuid: number;
  readonly neurons: readonly Neuron[];
}

/** A metagraph file that is none, with what to do about it. */
export class MetagraphError extends Error {
  override readonly name = 'MetagraphError';
}

function number(of: JsonObject, name: string, place: string, fallback?: number): number {
  const value = of.get(name);
  if (value === undefined && fallback !== undefined) return fallback;
  if (value instanceof JsonNumber && Number.isFinite(value.value)) return value.value;
  throw new MetagraphError(`${place}: ${name} must be a number`);
}

function text(of: JsonObject, name: string, place: string, fallback?: string): string {
  const value = of.get(name);
  if (value === undefined && fallback !== undefined) return fallback;
  if (typeof value === 'string') return value;
  throw new MetagraphError(`${place}: ${name} must be a text`);
}

/** In rao, as an integer or a text of digits: the stakes of a network are beyond what every JSON parser reads exactly. */
function stake(of: JsonObject, place: string): bigint {
  const value = of.get('stake_rao');
  const digits = value instanceof JsonNumber ? value.lexeme : value;
  if (value === undefined) return 0n;
  if (typeof digits === 'string' && /^\d{1,30}$/.test(digits)) return BigInt(digits);
  throw new MetagraphError(`${place}: stake_rao must be a whole number of rao (1 TAO is 1000000000)`);
}

function neuron(value: JsonValue, index: number): Neuron {
  const place = `neurons[${index}]`;
  if (!isJsonObject(value)) throw new MetagraphError(`${place} must be an object`);
  const hotkey = text(value, 'hotkey', place);
  if (decodeAddress(hotkey) === undefined) {
    throw new MetagraphError(`${place}: hotkey ${JSON.stringify(hotkey)} is no SS58 address`);
  }
  const axon = value.get('axon') ?? new Map<string, JsonValue>();
  if (!isJsonObject(axon)) throw new MetagraphError(`${place}: axon must be an object`);
  const port = number(axon, 'port', `${place}.axon`, 0);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new MetagraphError(`${place}.axon: port must be from 0 to 65535`);
  }
  return {
    uid: number(value, 'uid', place, index),
    hotkey,
    coldkey: text(value, 'coldkey', place, ''),
    stakeRao: stake(value, place),
    validatorTrust: number(value, 'validator_trust', place, 0),
    axon: {
      ip: text(axon, 'ip', `${place}.axon`, '0.0.0.0'),
      port,
      ipType: number(axon, 'ip_type', `${place}.axon`, 4),
      protocol: number(axon, 'protocol', `${place}.axon`, 4),
    },
  };
}

/**
 * Reads a metagraph file: `{"netuid": 8, "neurons": [{"hotkey", "validator_trust", "stake_rao", "axon": {"ip", "port"}}]}`.
 * docs/metagraph.schema.json is its schema.
 *
 * @throws MetagraphError that says what is wrong and where.
 */
export function parseMetagraph(json: string): Metagraph {
  let value: JsonValue;
  try {
    value = parseJson(json);
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    throw new MetagraphError(`no JSON: ${error.message}`, { cause: error });
  }
  if (!isJsonObject(value)) throw new MetagraphError('must be an object');
  const neurons = value.get('neurons');
  if (!Array.isArray(neurons)) throw new MetagraphError('neurons must be a list');
  return {
    netuid: number(value, 'netuid', 'the file'),
    neurons: (neurons as readonly JsonValue[]).map(neuron),
  };
}

/** How many hotkeys of a metagraph are not in a later one. */
export function lostHotkeys(before: Metagraph, after: Metagraph): number {
  const left = new Set(after.neurons.map(({ hotkey }) => hotkey));
  const known = new Set(before.neurons.map(({ hotkey }) => hotkey));
  return [...known].filter((hotkey) => !left.has(hotkey)).length;
}

const [MAX_LOST, MAX_LOST_SHARE] = [10, 0.25];

/**
 * Whether a new metagraph has lost so many hotkeys that it was rather cut short than changed: more than 10 and at least
 * a quarter (the rule of the network's own miner).
 */
export function hasLostTooMany(before: Metagraph, after: Metagraph): boolean {
  const lost = lostHotkeys(before, after);
  const known = new Set(before.neurons.map(({ hotkey }) => hotkey));
  return lost > MAX_LOST && lost >= known.size * MAX_LOST_SHARE;
}
