import type { ServerConfig } from '../dist/config.js';

/** A server of free ports, without limits, that logs nothing. */
export function testConfig(over: Partial<ServerConfig> = {}): ServerConfig {
  return {
    host: '127.0.0.1',
    restPort: 0,
    wsPort: 0,
    adminPort: null,
    maxStalenessMs: 120_000,
    netuid: 8,
    ptnRoot: '/nowhere',
    apiKeysPaths: ['/nowhere/api_keys.json'],
    stateDir: '/nowhere/state',
    restWorkers: 1,
    wsWorkers: 1,
    orderRetentionMs: 604_800_000,
    orderRetentionCount: 1_000_000,
    orderRetentionBytes: 4 * 2 ** 30,
    legacyReplayMs: 900_000,
    inspect: false,
    isTakeover: false,
    positionsSource: 'auto',
    limits: {
      requestsPerMinute: 0,
      authFailuresPerMinute: 0,
      connectionsPerAddress: 0,
      unauthenticated: 1000,
      trustedProxies: [],
      corsOrigins: [],
    },
    logLevel: 'silent',
    watch: 'auto',
    version: '0.0.0',
    ...over,
  };
}
