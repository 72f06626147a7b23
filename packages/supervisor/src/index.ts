export type { ByRole } from './listeners.ts';
export { readKeysInForce } from './keys-in-force.ts';
export type { KeysInForce } from './keys-in-force.ts';
export { probePort } from './listener.ts';
export type { ListenAddress } from './listener.ts';
export type { ServerStatus } from './monitoring/server-status.ts';
export { RestartBudget } from './restart-budget.ts';
export { runSupervisor } from './run.ts';
export { serverWorkers } from './worker-spec.ts';
