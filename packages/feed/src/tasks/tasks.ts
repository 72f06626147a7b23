/** What the pool's threads can do, by name. Plain functions: tests call them directly too. */
export { encodeMiner } from '@ptn-api/positions';
export { loadCheckpoint } from './load-checkpoint.ts';
export { loadJsonDocument, loadMinerCopying } from './load-document.ts';
export { listLimitOrders, loadLimitOrders } from './limit-orders.ts';
export { loadMembers } from './load-members.ts';
export { loadMiner } from './load-miner.ts';
export { loadOutputs } from './load-outputs.ts';
export { loadStatistics } from './load-statistics.ts';
export { readPositions } from './read-positions.ts';
export { splitPositions } from './split-positions.ts';

/** Makes the pool start a thread. */
export function nothing(input: null): null {
  return input;
}
