export type { ConnectionsTransaction } from './connection-registry.ts';
export type { StreamLimits } from './limits.ts';
export { StreamKeys } from './stream-keys.ts';
export { StreamServer } from './stream-server.ts';
export type { StreamServerOptions } from './stream-server.ts';
export { UpgradeServer } from './upgrade-server.ts';
export type { UpgradeLimits } from './upgrade-server.ts';
