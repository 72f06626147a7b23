export { generateHistory } from './history.ts';
export type { HistoryOptions, World } from './history.ts';
export { RootInUseError, SimulatedValidator } from './live/simulated-validator.ts';
export type { ValidatorOptions } from './live/simulated-validator.ts';
export type { OrderWish, PlacedOrder } from './live/trading-floor.ts';
export { positionsOf } from './records/miners.ts';
export type { Generation } from './generation.ts';
export type { Elimination, Miner } from './records/miners.ts';
export type { Action } from './records/trading.ts';
