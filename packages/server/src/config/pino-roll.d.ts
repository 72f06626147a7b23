/** The part of pino-roll that is used; it comes without types. */
declare module 'pino-roll' {
  import type { EventEmitter } from 'node:events';
  import type { DestinationStream } from 'pino';

  interface RollingOptions {
    /** A number is put before its extension. */
    readonly file: string;
    /** `50m`, `20k`, `100b`. */
    readonly size: string;
    readonly limit: { readonly count: number; readonly removeOtherLogFiles: boolean };
    readonly sync: boolean;
    /** What waits to be written, in bytes; what comes beyond is dropped. */
    readonly maxLength: number;
    readonly mode: number;
  }

  export default function openRolling(
    options: RollingOptions,
  ): Promise<DestinationStream & EventEmitter & { end(): void }>;
}
