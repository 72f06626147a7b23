export { MinerData } from './data-api/miner-data.ts';
export { miningFolder } from './folder/mining-folder.ts';
export { parseMetagraph } from './metagraph/parse-metagraph.ts';
export { afterAttempt, newDelivery, nextAttemptAfterMs } from './sender/delivery.ts';
export { outcomeOf, unsentOutcome } from './sender/outcome.ts';
export { readSignalFile } from './sender/signal-file.ts';
export { validatorsOf } from './sender/validators.ts';
export { keyDigest, receiveSignal } from './signals/receive-signal.ts';
