export * from './api.ts';
export { FileCursorStore } from './node/file-cursor-store.ts';
export { PtnReplica, PtnStreamClient } from './node/stream-client.ts';
