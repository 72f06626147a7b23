// What Node and browsers get alike.
export { NetworkReplica } from './replica-client.ts';
export type { PtnReplicaOptions, ReplicaStreamClient, ReplicaStreamOptions } from './replica-client.ts';
export type { ReplicaSettings } from './replica-parts.ts';
export * from './rest-answer.ts';
export { PtnRestClient } from './rest-client.ts';
export type { PtnRestClientOptions, RequestOptions, StatisticsOptions } from './rest-client.ts';
export { PtnRestError } from './rest-error.ts';
export type { PositionsUpdate, WatchPositionsOptions } from './rest-watch.ts';
export type { StreamClock } from './stream-clock.ts';
export { MemoryCursorStore } from './stream-cursor.ts';
export type { Cursor, CursorStore } from './stream-cursor.ts';
export { PtnStreamError } from './stream-error.ts';
export type {
  ReceivedOrder,
  StreamClientOptions,
  StreamFilter,
  StreamGap,
  StreamState,
} from './stream-options.ts';
