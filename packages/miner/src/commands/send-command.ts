import type { CommandModule, InferredOptionTypes, Options } from 'yargs';
import { request } from 'undici';
import { CannotStartError } from '../parts/cannot-start.ts';
import { miningFolder } from '../folder/mining-folder.ts';
import { readApiKey } from '../signals/read-api-key.ts';
import { SIGNAL_PATH } from '../signals/receive-signal.ts';
import { DEFAULT_SIGNALS_PORT, MINING_DIR, fullPath } from './options.ts';

const TIMEOUT_MS = 10_000;

const OPTIONS = {
  ...MINING_DIR,
  url: {
    type: 'string',
    default: `http://127.0.0.1:${DEFAULT_SIGNALS_PORT}`,
    describe: 'Where the miner takes signals',
  },
  value: { type: 'number', describe: 'Vanta: size in USD, in place of the leverage' },
  quantity: { type: 'number', describe: 'Vanta: size in units, in place of the leverage' },
  'execution-type': {
    type: 'string',
    choices: ['MARKET', 'LIMIT', 'BRACKET', 'LIMIT_CANCEL'],
    describe: 'Vanta',
  },
  'limit-price': { type: 'number', describe: 'Vanta: of LIMIT' },
  'stop-loss': { type: 'number', describe: 'Vanta: of LIMIT and BRACKET' },
  'take-profit': { type: 'number', describe: 'Vanta: of LIMIT and BRACKET' },
  'order-uuid': { type: 'string', describe: 'Vanta: name of the order, or of the one to cancel' },
} as const satisfies Record<string, Options>;

interface Arguments extends InferredOptionTypes<typeof OPTIONS> {
  readonly pair: string;
  readonly order: string;
  readonly leverage: number | undefined;
}

const VANTA_FIELDS = [
  'value',
  'quantity',
  'execution-type',
  'limit-price',
  'stop-loss',
  'take-profit',
  'order-uuid',
] as const;

/** The request's body, with the key. */
function bodyOf(args: Arguments, apiKey: string): string {
  const vanta = VANTA_FIELDS.flatMap((name) => {
    const value = args[name];
    return value === undefined ? [] : [[name.replaceAll('-', '_'), value] as const];
  });
  return JSON.stringify({
    trade_pair: args.pair.toUpperCase(),
    order_type: args.order.toUpperCase(),
    ...(args.leverage === undefined ? {} : { leverage: args.leverage }),
    ...Object.fromEntries(vanta),
    api_key: apiKey,
  });
}

/** `ptn-miner send`. */
export const sendCommand: CommandModule<object, Arguments> = {
  command: 'send <pair> <order> [leverage]',
  describe: 'Send a signal to the miner that runs, such as: send BTCUSD LONG 0.1',
  builder: (yargs) =>
    yargs
      .positional('pair', { type: 'string', demandOption: true, describe: 'Trade pair, such as BTCUSD' })
      .positional('order', {
        type: 'string',
        demandOption: true,
        choices: ['LONG', 'SHORT', 'FLAT'],
        coerce: (order: string) => order.toUpperCase(),
        describe: 'What to do',
      })
      .positional('leverage', { type: 'number', describe: 'Size as a share of the portfolio' })
      .options(OPTIONS),
  handler: async (args) => {
    const apiKey = readApiKey(miningFolder(fullPath(args['mining-dir'])).secretsFile);
    let status: number;
    let text: string;
    try {
      const answer = await request(new URL(SIGNAL_PATH, args.url), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: bodyOf(args, apiKey),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      status = answer.statusCode;
      text = await answer.body.text();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const reason = code ?? (error as Error).name;
      throw new CannotStartError(`no miner answers at ${args.url} (${reason}): is ptn-miner run started?`, {
        cause: error,
      });
    }
    if (status !== 200)
      throw new CannotStartError(`the miner refused the signal (${status}): ${text.trim()}`);
    process.stdout.write(`${(JSON.parse(text) as { message: string }).message}\n`);
  },
};
