#!/usr/bin/env node
import { once } from 'node:events';
import { PtnStreamClient } from '../node/stream-client.ts';
import { orderLine, orderText } from './print-order.ts';
import { parseStreamArguments, USAGE, UsageError } from './stream-arguments.ts';
import type { StreamArguments } from './stream-arguments.ts';

/** Exit codes: 1 the stream ended by an error, 2 the command line is wrong. */
function fail(exitCode: 1 | 2, text: string): void {
  process.stderr.write(`ptn-stream: ${text.replaceAll('\n', ' ')}\n`);
  process.exitCode = exitCode;
}

/** Waits where the reader of a pipe is slow. */
async function print(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

async function follow({ apiKey, url, restUrl, since, isJson }: StreamArguments): Promise<void> {
  const note = (text: string): void => {
    process.stderr.write(`${text.replaceAll('\n', ' ')}\n`);
  };
  const format = isJson ? orderLine : orderText;
  const client = new PtnStreamClient({
    apiKey,
    url,
    ...(restUrl !== undefined && { restUrl }),
    ...(since !== undefined && { start: { sequence: since, epoch: null } }),
    onOrders: async (orders) => {
      for (const order of orders) await print(format(order));
    },
    onGap: ({ from, to, reason }) => {
      note(
        reason === 'new-log'
          ? `The server has another order log: going on after order ${to}`
          : `Orders ${from} to ${to} are missing (${reason})`,
      );
    },
    onState: (state) => {
      if (state === 'connecting') note(`Connecting to ${url}`);
      if (state === 'subscribed') note('Subscribed');
    },
    onError: (error) => {
      // The one that ends it is reported once, at the end.
      if (client.state !== 'failed') note(`${error.message}; trying again`);
    },
  });
  // `finished` says the same as a rejection of `start`.
  const [, ended] = await Promise.all([client.start().catch(() => undefined), client.finished]);
  if (ended !== null) fail(1, ended.message);
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader of the pipe has ended, as `head` does.
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});
try {
  const given = parseStreamArguments(process.argv.slice(2), process.env['PTN_API_KEY']);
  if (given === null) process.stdout.write(USAGE);
  else await follow(given);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  fail(2, `${error.message}. See ptn-stream --help`);
}
