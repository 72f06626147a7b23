import { parseProxy } from '@ptn-api/access';
import { createLogger } from '@ptn-api/runtime';
import type { CommandModule, InferredOptionTypes, Options } from 'yargs';
import { runParts } from '../parts/run-parts.ts';
import type { RunConfig } from '../parts/run-config.ts';
import { ORDER_TIMEOUT_MS } from '../sender/send-order.ts';
import { RETRY_TIMES } from '../sender/delivery.ts';
import { allowedBlocks } from '../signals/allowed-blocks.ts';
import { hotkeyPath } from '../wallet/hotkey-path.ts';
import {
  DEFAULT_SIGNALS_PORT,
  GENERATION,
  IGNORED,
  MINING_DIR,
  NETWORK,
  WALLET,
  fullPath,
  walletNames,
} from './options.ts';

const OPTIONS = {
  ...WALLET,
  ...NETWORK,
  ...GENERATION,
  ...MINING_DIR,
  'signals-host': { type: 'string', default: '127.0.0.1', describe: 'Address that signals are taken at' },
  'signals-port': {
    type: 'number',
    default: DEFAULT_SIGNALS_PORT,
    describe: 'Port that signals are taken at',
  },
  'allow-address': {
    type: 'string',
    array: true,
    default: [] as string[],
    describe: 'Who may send signals: addresses, blocks, or tradingview for its four; all without it',
  },
  'trust-proxy': {
    type: 'string',
    array: true,
    default: [] as string[],
    describe: 'Proxies whose X-Forwarded-For is believed: addresses, blocks, loopback',
  },
  'signals-per-minute': {
    type: 'number',
    default: 120,
    describe: 'Requests that one address may make in a minute',
  },
  'start-dashboard': { type: 'boolean', default: false, describe: 'Serve the web page of this miner' },
  'write-failed-signal-logs': {
    alias: 'write_failed_signal_logs',
    type: 'boolean',
    describe: 'Keep failed signals apart from the others [default: yes, on the test network no]',
  },
  'slack-webhook-url': { type: 'string', describe: 'Webhook of Slack that gets a message for every signal' },
  'slack-error-webhook-url': { type: 'string', describe: 'Webhook of Slack for errors' },
  'order-timeout-ms': {
    type: 'number',
    default: ORDER_TIMEOUT_MS,
    describe: 'How long a validator may take',
  },
  'second-attempt-after-ms': {
    type: 'number',
    default: RETRY_TIMES.secondAfterMs,
    describe: 'Pause before it',
  },
  'third-attempt-after-ms': {
    type: 'number',
    default: RETRY_TIMES.thirdAfterMs,
    describe: 'Pause before it',
  },
  'logging.debug': { type: 'boolean', default: false, describe: 'Log every order' },
  'logging.trace': { type: 'boolean', default: false, describe: 'The same as --logging.debug' },
  ...IGNORED,
} as const satisfies Record<string, Options>;

type Arguments = InferredOptionTypes<typeof OPTIONS>;

/** What is wrong with the options; undefined where nothing is. */
function problemOf(args: Arguments): string | undefined {
  const lists: readonly string[] = ['allow-address', 'trust-proxy'];
  const twice = Object.entries(args).find(
    ([name, value]) => Array.isArray(value) && name in OPTIONS && !lists.includes(name),
  );
  if (twice !== undefined) return `--${twice[0]} is given twice`;
  const block = [...allowedBlocks(args['allow-address']), ...args['trust-proxy']].find(
    (entry) => parseProxy(entry).length === 0,
  );
  if (block !== undefined) return `${JSON.stringify(block)} is no address and no block of addresses`;
  const port = args['signals-port'];
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    return `--signals-port is ${port}, allowed are 0 to 65535`;
  const amounts = [
    'signals-per-minute',
    'order-timeout-ms',
    'second-attempt-after-ms',
    'third-attempt-after-ms',
  ] as const;
  const wrong = amounts.find((name) => !(args[name] >= 1));
  if (wrong !== undefined) return `--${wrong} is ${args[wrong]}, allowed are numbers from 1`;
  for (const name of ['slack-webhook-url', 'slack-error-webhook-url'] as const) {
    const url = args[name];
    // The value itself is the secret.
    if (url !== undefined && !(URL.canParse(url) && /^https?:/.test(url)))
      return `--${name} is no web address`;
  }
  return undefined;
}

function configOf(args: Arguments): RunConfig {
  return {
    miningDir: fullPath(args['mining-dir']),
    hotkeyFile: hotkeyPath(walletNames(args)),
    netuid: args.netuid,
    metagraphFile: fullPath(args.metagraph),
    generation: args.generation,
    logLevel: args['logging.debug'] || args['logging.trace'] ? 'debug' : 'info',
    signals: {
      host: args['signals-host'],
      port: args['signals-port'],
      allowedAddresses: args['allow-address'],
      trustedProxies: args['trust-proxy'],
      requestsPerMinute: args['signals-per-minute'],
    },
    sending: {
      timeoutMs: args['order-timeout-ms'],
      secondAfterMs: args['second-attempt-after-ms'],
      thirdAfterMs: args['third-attempt-after-ms'],
      writeFailed: args['write-failed-signal-logs'] ?? args.netuid === 8,
    },
    slackWebhookUrl: args['slack-webhook-url'],
    slackErrorWebhookUrl: args['slack-error-webhook-url'],
    startDashboard: args['start-dashboard'],
  };
}

/** `ptn-miner run`. */
export const runCommand: CommandModule<object, Arguments> = {
  command: 'run',
  describe: 'Take signals, send them to the validators, show what became of them',
  builder: (yargs) =>
    yargs
      .options(OPTIONS)
      .env('PTN_MINER')
      .check((args) => {
        const problem = problemOf(args);
        if (problem !== undefined) throw new Error(problem);
        return true;
      }),
  handler: async (args) => {
    const config = configOf(args);
    const log = createLogger({ name: 'miner', level: config.logLevel });
    const { texts, stop } = await runParts(config, log);
    let isStopping = false;
    const onSignal = (): void => {
      if (isStopping) process.exit(1);
      isStopping = true;
      log.info('the miner stops; what is on its way goes on at the next start');
      void stop().finally(() => process.exit(0));
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
    // A parent that forked it, if any, is sent where it listens, and ends it when it ends itself.
    process.once('disconnect', () => {
      if (!isStopping) onSignal();
    });
    process.send?.({ type: 'ready', ...texts });
  },
};
