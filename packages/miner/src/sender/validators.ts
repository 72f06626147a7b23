import type { Metagraph, Neuron } from '@ptn-api/wire';

export type Network = 'mainnet' | 'testnet';

/** The two networks that there are, by netuid. */
export const NETWORKS: Readonly<Record<number, Network>> = { 8: 'mainnet', 116: 'testnet' };

/** In rao: the network's own miner compares a whole number with stakes that count in rao, not in TAO. */
const MIN_STAKE_RAO = 1000n;
/** An axon that serves nothing. */
const NOT_SERVING = '0.0.0.0';
const HIGH_TRUST = 0.75;

/** A validator that a signal goes to. */
export interface Validator extends Neuron {
  /** Whether the outcome of a signal depends on it. */
  readonly isHighTrust: boolean;
}

/**
 * Whom signals are sent to, the most trusted first. Where none has a trust of 0.75 all count as highly trusted. A hotkey
 * that is listed twice is asked once.
 */
export function validatorsOf(metagraph: Metagraph, network: Network): Validator[] {
  const isServing = ({ axon, stakeRao }: Neuron): boolean =>
    axon.ip !== NOT_SERVING && (network === 'testnet' || stakeRao > MIN_STAKE_RAO);
  const once = new Map<string, Neuron>();
  for (const neuron of metagraph.neurons) {
    if (isServing(neuron) && !once.has(neuron.hotkey)) once.set(neuron.hotkey, neuron);
  }
  const sorted = [...once.values()].sort((a, b) => b.validatorTrust - a.validatorTrust);
  const someAreHigh = sorted.some(({ validatorTrust }) => validatorTrust >= HIGH_TRUST);
  return sorted.map((neuron) => ({
    ...neuron,
    isHighTrust: !someAreHigh || neuron.validatorTrust >= HIGH_TRUST,
  }));
}
