import type { LogLevel } from '@ptn-api/runtime';
import type { RetryTimes } from '../sender/delivery.ts';
import type { SignalGeneration } from '../signals/receive-signal.ts';

/** The programs that a miner consists of, in the order in which they start. */
export const PART_NAMES = ['sender', 'signals', 'data'] as const;
export type PartName = (typeof PART_NAMES)[number];

/** What `ptn-miner run` was started with, as it is handed to its parts. */
export interface RunConfig {
  readonly miningDir: string;
  readonly hotkeyFile: string;
  readonly netuid: number;
  readonly metagraphFile: string;
  readonly generation: SignalGeneration;
  readonly logLevel: LogLevel;
  readonly signals: {
    readonly host: string;
    readonly port: number;
    readonly allowedAddresses: readonly string[];
    readonly trustedProxies: readonly string[];
    readonly requestsPerMinute: number;
  };
  readonly sending: RetryTimes & {
    readonly timeoutMs: number;
    readonly writeFailed: boolean;
  };
  readonly slackWebhookUrl: string | undefined;
  readonly slackErrorWebhookUrl: string | undefined;
  readonly startDashboard: boolean;
}

/** What a part says of itself. */
export type FromPart =
  | { readonly type: 'ready'; readonly text: string }
  /** It cannot start, and says why in one line. */
  | { readonly type: 'refused'; readonly text: string };

/** A part that runs. */
export interface RunningPart {
  /** What it does, for the operator. */
  readonly text: string;
  readonly stop: () => Promise<void>;
}
