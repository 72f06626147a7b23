import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Position } from '@ptn-api/protocol';
import { freePort, makeTemporaryFolder, waitFor } from '@ptn-api/testkit';
import type { TestScope } from '@ptn-api/testkit';
import { Keypair } from '@ptn-api/wire';
import { runDevnet } from './devnet-process.ts';
import type { DevnetProcess } from './devnet-process.ts';
import { sendOrder } from './signing-miner.ts';
import { WEDNESDAY_MS, contentsOf, signalText } from './validator-fixture.ts';

const PAIRS = ['BTCUSD', 'ETHUSD', 'SOLUSD', 'XRPUSD', 'DOGEUSD', 'EURUSD', 'GBPUSD'];
/** Every so many kills the validator is killed while it starts. */
const STARTING_EVERY = 4;
/** Otherwise it is killed at any time after so many orders were acknowledged since its start. */
const ORDERS_BEFORE = 5;

export interface KillOptions {
  readonly kills: number;
  readonly miners: number;
  readonly random: () => number;
  readonly onKill?: (kills: number, acknowledged: number) => void;
}

export interface KillReport {
  readonly acknowledged: number;
  /** Orders whose answer a kill took away, and that were there when they were sent again. */
  readonly foundAgain: number;
  readonly refused: ReadonlyMap<string, number>;
  /** Uuids of acknowledged orders that are in no file. */
  readonly missing: readonly string[];
  /** Uuids that are in the files more than once. */
  readonly twice: readonly string[];
  /** Uuids of orders that were refused, and are in a file. */
  readonly refusedButThere: readonly string[];
  /** Killed while orders arrived, and while it started. */
  readonly kills: { readonly underLoad: number; readonly starting: number };
}

class Crowd {
  readonly acknowledged = new Set<string>();
  readonly refusedUuids = new Set<string>();
  readonly refused = new Map<string, number>();
  foundAgain = 0;
  isOver = false;

  /** One miner, which sends one order after the other, each until it is answered. */
  async send(keypair: Keypair, axon: { ip: string; port: number; hotkey: string }): Promise<void> {
    const isLong = new Set<string>();
    for (let index = 0; !this.isOver; index += 1) {
      const pair = PAIRS[index % PAIRS.length] ?? '';
      const size = pair.length === 6 && pair.endsWith('USD') && index % PAIRS.length < 5 ? 0.02 : 0.2;
      const type = isLong.has(pair) ? 'FLAT' : 'LONG';
      if (await this.#sendOne(keypair, axon, signalText(pair, type, size))) {
        if (type === 'LONG') isLong.add(pair);
        else isLong.delete(pair);
      }
    }
  }

  async #sendOne(
    keypair: Keypair,
    axon: { ip: string; port: number; hotkey: string },
    signal: string,
  ): Promise<boolean> {
    const uuid = randomUUID();
    for (let attempt = 0; ; attempt += 1) {
      const { isAnswered, isAccepted, error, orderJson } = await sendOrder(keypair, axon, signal, uuid);
      if (isAccepted) {
        // A FLAT where nothing is open is accepted, and is no order.
        if (orderJson !== '') this.acknowledged.add(uuid);
        return true;
      }
      if (isAnswered) {
        if (attempt > 0 && error.includes('has already been processed')) {
          this.foundAgain += 1;
          this.acknowledged.add(uuid);
          return true;
        }
        const kind = error.replaceAll(/\[5\w+\]|\d+/g, '#').slice(0, 100);
        this.refused.set(kind, (this.refused.get(kind) ?? 0) + 1);
        this.refusedUuids.add(uuid);
        return false;
      }
      if (this.isOver && attempt > 100) throw new Error(`no answer: ${error}`);
      await delay(20);
    }
  }
}

function ordersIn(root: string): string[] {
  return Object.values(contentsOf(root)).flatMap((text) => {
    const { orders } = JSON.parse(text) as Position;
    return orders.map(({ order_uuid: uuid }) => uuid);
  });
}

/** Kills a validator again and again, with SIGKILL, while miners send it orders, and looks what became of these. */
export async function killValidator(scope: TestScope, options: KillOptions): Promise<KillReport> {
  const { kills, miners, random, onKill } = options;
  const folder = makeTemporaryFolder(scope);
  const root = join(folder, 'root');
  const port = await freePort();
  const keypairs = Array.from({ length: miners }, (_, index) =>
    Keypair.fromSeed(new Uint8Array(32).fill(index + 10)),
  );
  const metagraph = join(folder, 'own.json');
  const neurons = keypairs.map(({ address }) => ({ hotkey: address }));
  writeFileSync(metagraph, JSON.stringify({ netuid: 8, neurons }));
  const start = (): DevnetProcess =>
    runDevnet(scope, [
      ...['run', '--root', root, '--metagraph', metagraph, '--miners', '0'],
      ...['--axon-port', String(port), '--speed', '600', '--start-ms', String(WEDNESDAY_MS)],
    ]);

  let devnet = start();
  const ready = (await devnet.ready()) as { hotkey: string };
  const axon = { ip: '127.0.0.1', port, hotkey: ready.hotkey };
  const crowd = new Crowd();
  const sending = Promise.all(keypairs.map((keypair) => crowd.send(keypair, axon)));
  const done = { underLoad: 0, starting: 0 };
  for (let number = 1; number <= kills; number += 1) {
    if (number % STARTING_EVERY === 0) {
      await delay(random() * 400);
      done.starting += 1;
    } else {
      const before = crowd.acknowledged.size;
      await waitFor(() => crowd.acknowledged.size >= before + ORDERS_BEFORE, {
        what: () => `orders are acknowledged\n${devnet.stderr()}`,
      });
      await delay(random() * 300);
      done.underLoad += 1;
    }
    devnet.child.kill('SIGKILL');
    await devnet.ended();
    onKill?.(number, crowd.acknowledged.size);
    devnet = start();
  }
  await devnet.ready();
  crowd.isOver = true;
  await sending;
  devnet.child.kill('SIGTERM');
  const code = await devnet.ended();
  if (code !== 0) throw new Error(`the validator ended with ${code}: ${devnet.stderr()}`);

  const uuids = ordersIn(root);
  const stored = new Set(uuids);
  return {
    acknowledged: crowd.acknowledged.size,
    foundAgain: crowd.foundAgain,
    refused: crowd.refused,
    missing: [...crowd.acknowledged].filter((uuid) => !stored.has(uuid)),
    twice: uuids.filter((uuid, index) => uuids.indexOf(uuid) !== index),
    refusedButThere: [...crowd.refusedUuids].filter((uuid) => stored.has(uuid)),
    kills: done,
  };
}
