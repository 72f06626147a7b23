export * from './api.ts';
export { PtnReplica, PtnStreamClient } from './browser-stream-client.ts';
