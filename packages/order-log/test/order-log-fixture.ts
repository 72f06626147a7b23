import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import type { Test } from 'tap';
import { openOrderLogWriter } from '../dist/open-order-log-writer.js';
import type { OrderLogWriterOptions } from '../dist/open-order-log-writer.js';
import { openOrderLogReader } from '../dist/order-log-reader.js';
import type { OrderEvent, OrderLogReader, OrderLogWriter } from '../dist/order-log.js';

export const LOG_PROCESS = fileURLToPath(new URL('./workers/order-log-process.js', import.meta.url));

/** A folder of its own state directory, removed after the test. */
export function logPath(t: Test): string {
  const stateDir = mkdtempSync(join(tmpdir(), 'ptn-order-log-'));
  t.teardown(() => {
    rmSync(stateDir, { recursive: true });
  });
  return join(stateDir, 'orders');
}

export function order(orderUuid: string, more: Partial<OrderEvent> = {}): OrderEvent {
  const position = `{"position_uuid":"of ${orderUuid}"}`;
  return { orderUuid, hotkey: 'miner-ä', tradePairId: 'BTCUSD', timestampMs: 1_000, position, ...more };
}

export function orders(prefix: string, count: number, more: Partial<OrderEvent> = {}): OrderEvent[] {
  return Array.from({ length: count }, (_, index) => order(`${prefix}-${index}`, more));
}

export interface Opened {
  readonly writer: OrderLogWriter;
  /** Lines that were logged while opening. */
  readonly lines: readonly Record<string, unknown>[];
}

export async function openWriter(
  path: string,
  startAfter = 0,
  more: Partial<OrderLogWriterOptions> = {},
): Promise<Opened> {
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    { base: null },
    { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  return { writer: await openOrderLogWriter({ path, startAfter, log, ...more }), lines };
}

export function openReader(t: Test, path: string): OrderLogReader {
  const reader = openOrderLogReader({ path });
  t.teardown(() => reader.close());
  return reader;
}

/** A process that is killed when the test ends, if it runs then. */
export function startProcess(t: Test, task: string, path: string): ChildProcess {
  const child = fork(LOG_PROCESS, [task, path]);
  t.teardown(() => killed(child));
  return child;
}

export async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

export async function message<T>(child: ChildProcess): Promise<T> {
  const [said] = (await once(child, 'message')) as [T];
  return said;
}
