/**
 * Program: the order log from another process. Arguments: what to do, the log's folder.
 *
 * `append`: appends three orders at a time, forever, and says of each that it is in. `hold`: opens it for writing.
 * `read`: opens it for reading. `lock-openings`: keeps all others from opening it and from committing, forever.
 * `fill`: appends large orders until the disk is full, then, told to, once more.
 */
import { writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import pino from 'pino';
import { openOrderLogWriter } from '../../dist/open-order-log-writer.js';
import { OpeningLock } from '../../dist/opening-lock.js';
import { openOrderLogReader } from '../../dist/order-log-reader.js';
import type { OrderEvent, OrderLogWriter, PositionParts } from '../../dist/order-log.js';

const [, , task, path = ''] = process.argv;
const lists: string[] = [];

function openWriter(): Promise<OrderLogWriter> {
  return openOrderLogWriter({ path, startAfter: 0, log: pino({ level: 'silent' }) });
}

function order(orderUuid: string, position: OrderEvent['position']): OrderEvent {
  return { orderUuid, hotkey: 'miner', tradePairId: 'BTCUSD', timestampMs: 1, position };
}

function say(words: object): Promise<void> {
  return new Promise((said) => {
    if (!process.send) throw new Error('to be forked');
    process.send(words, () => {
      said();
    });
  });
}

function grownPosition(index: number, round: number, newest: string): PositionParts {
  lists[index] = round % 100 === 0 ? '' : `${lists[index] ?? ''}{"n":${round}}, `;
  const list = Buffer.from(lists[index] ?? '');
  return {
    positionUuid: String(index),
    head: '{"orders": [',
    list,
    listBytes: list.length,
    tail: `${newest}]}`,
  };
}

async function appendForEver(): Promise<void> {
  const writer = await openWriter();
  for (let round = 0; ; round++) {
    const uuids = [0, 1, 2].map((index) => `${process.pid}-${round}-${index}`);
    // Three positions that grow: each message goes on from the one of the round before.
    const { last } = await writer.append(
      uuids.map((uuid, index) => order(uuid, grownPosition(index, round, `{"uuid":"${uuid}"}`))),
    );
    await say({ last, uuids });
    await setImmediate();
  }
}

async function fill(): Promise<void> {
  const writer = await openWriter();
  const position = JSON.stringify('x'.repeat(50_000));
  let appended = 0;
  try {
    for (; appended < 1_000; appended++) await writer.append([order(`order-${appended}`, position)]);
  } catch (error) {
    await say({
      failed: (error as Error).name,
      message: (error as Error).message,
      ...writer.state(),
      appended,
    });
  }
  process.once('message', () => {
    void writer.append([order(`order-${appended}`, position)]).then(async (state) => {
      await say({ ...state });
      await writer.close();
      process.disconnect();
    });
  });
}

async function hold(): Promise<void> {
  await openWriter();
  await say({ opened: process.pid });
  process.on('message', () => undefined);
}

async function read(): Promise<void> {
  const reader = openOrderLogReader({ path });
  await say(reader.state());
  await reader.close();
}

function lockOpenings(): void {
  new OpeningLock(path, { readOnly: true }).hold(() => {
    writeSync(1, 'locked');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
}

const tasks: Record<string, () => void | Promise<void>> = {
  append: appendForEver,
  fill,
  hold,
  read,
  'lock-openings': lockOpenings,
};
await tasks[task ?? '']?.();
