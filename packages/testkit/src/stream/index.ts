export { MemoryLog } from './memory-log.ts';
export { grant, KEY, serveStream } from './serve-stream.ts';
export type { RunningStream, StreamOptions } from './serve-stream.ts';
export { StreamClient } from './stream-client.ts';
export type { Json } from './stream-client.ts';
