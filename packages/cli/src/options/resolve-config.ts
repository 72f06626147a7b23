import cluster from 'node:cluster';
import type { ServerConfig } from '@ptn-api/runtime';
import { readForwardTarget } from './forward-target.ts';
import { optionLabel, OPTIONS, quoted } from './options.ts';
import type { OptionDefinition, OptionName, OptionValues } from './options.ts';
import { givenPath, keyFilePaths, pathProblem, rootOf, stateDirPath } from './places.ts';
import type { PathOption } from './places.ts';
import { parseProxy } from '@ptn-api/access';
import { StartError } from '@ptn-api/runtime';

const HOST = /^[\w.:%-]+$/;
const WHOLE_NUMBER = /^\d{1,15}$/;
const DECIMAL_NUMBER = /^\d{1,5}(\.\d{1,6})?$/;
const DAY_MS = 86_400_000;
const MAX_DAYS = 36_500;
const MEGABYTE = 1_000_000;

/** The options that have a text. */
type TextOption = Exclude<OptionName, 'serve' | 'demo' | 'inspect'>;

/** The value that a text means, or what is allowed in its place. */
type Reading<T> = { readonly value: T } | { readonly allowed: string };
type Reader<T> = (text: string) => Reading<T>;

function wholeNumber(least: number, most: number): Reader<number> {
  return (text) => {
    const value = WHOLE_NUMBER.test(text) ? Number(text) : NaN;
    return value >= least && value <= most
      ? { value }
      : { allowed: `allowed is a whole number from ${least} to ${most}` };
  };
}

/** Gives milliseconds. */
const readDays: Reader<number> = (text) => {
  const days = DECIMAL_NUMBER.test(text) ? Number(text) : NaN;
  return days > 0 && days <= MAX_DAYS
    ? { value: Math.round(days * DAY_MS) }
    : { allowed: `allowed is a number of days above 0 and up to ${MAX_DAYS}, such as 7 or 0.5` };
};

const readPort = wholeNumber(0, 65_535);

/** `null` for none. */
const readAdminPort: Reader<number | null> = (text) => {
  if (text === 'off') return { value: null };
  const reading = readPort(text);
  return 'value' in reading ? reading : { allowed: `${reading.allowed}, or off` };
};

const MIN_STALENESS_S = 15;
const MAX_STALENESS_S = 86_400;
/** Below the time after which a silent connection of a client is closed. */
const MAX_FORWARD_TIMEOUT_S = 110;

const readHost: Reader<string> = (text) =>
  HOST.test(text)
    ? { value: text }
    : { allowed: 'allowed is an address or a host name such as 127.0.0.1 or 0.0.0.0' };

/** Parts with commas between them; nothing given is no part. */
function listOf(isAllowed: (part: string) => boolean, allowed: string): Reader<readonly string[]> {
  return (text) => {
    const parts = text === '' ? [] : text.split(',').map((part) => part.trim());
    return parts.every(isAllowed) ? { value: parts } : { allowed };
  };
}

function isOrigin(part: string): boolean {
  return part === '*' || (/^https?:/.test(part) && URL.canParse(part) && new URL(part).origin === part);
}

const readProxies = listOf(
  (part) => parseProxy(part).length > 0,
  'allowed are addresses, CIDR blocks such as 10.0.0.0/8, and loopback, with commas between them',
);
const readOrigins = listOf(
  isOrigin,
  'allowed are origins such as https://app.example.com (no path, no slash at the end), or *, with commas between them',
);

/**
 * The admin port; `null` for `off`.
 *
 * @throws StartError `PTN_ERR_CLI_USAGE`
 */
export function resolveAdminPort(text: string): number | null {
  const reading = readAdminPort(text);
  if ('value' in reading) return reading.value;
  throw new StartError('PTN_ERR_CLI_USAGE', {
    detail: `${optionLabel('admin-port')} is ${quoted(text)}, ${reading.allowed}`,
  });
}

/** Of characters that mean nothing else in a header: the address becomes part of a content security policy. */
const readStreamUrl: Reader<string | undefined> = (text) => {
  if (text === '') return { value: undefined };
  return /^wss?:\/\/[\w.-]+(:\d{1,5})?(\/[\w.~/-]*)?$/.test(text) && URL.canParse(text)
    ? { value: text }
    : { allowed: 'allowed is an address such as wss://ptn.example.com/stream' };
};

export interface ConfigContext {
  /** The folder that relative paths start from. */
  readonly cwd: string;
  readonly version: string;
}

/**
 * The configuration of the server from its options: values checked, paths made absolute.
 *
 * @throws StartError `PTN_ERR_CLI_USAGE`, with one line for each bad value; `PTN_ERR_START_NO_ROOT`.
 */
export function resolveConfig(values: OptionValues, { cwd, version }: ConfigContext): ServerConfig {
  const problems: string[] = [];

  function read<T>(name: TextOption, reader: Reader<T>): T {
    const text = values[name] ?? '';
    const reading = reader(text);
    if ('value' in reading) return reading.value;
    problems.push(`${optionLabel(name)} is ${quoted(text)}, ${reading.allowed}`);
    // Stands in until all problems are found, which are thrown below.
    const { default: fallback = '' }: OptionDefinition = OPTIONS[name];
    const standIn = reader(fallback);
    if ('value' in standIn) return standIn.value;
    throw new Error(`the default of ${name} is not allowed: ${standIn.allowed}`);
  }
  function readPath(name: PathOption): string | undefined {
    const problem = pathProblem(name, values);
    if (problem === undefined) return givenPath(name, values, cwd);
    problems.push(problem);
    return undefined;
  }

  /** The value, a secret, stands in no error. */
  function readWebhook(): string | undefined {
    const text = values['alert-webhook-url'];
    if (text === undefined || text === '') return undefined;
    if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
    problems.push(
      `${optionLabel('alert-webhook-url')} is no URL that begins with https:// or http:// (its value is not shown)`,
    );
    return undefined;
  }

  const netuid: ServerConfig['netuid'] = values.netuid === '116' ? 116 : 8;
  const options = {
    host: read('api-host', readHost),
    restPort: read('api-rest-port', readPort),
    wsPort: read('api-ws-port', readPort),
    adminPort: read('admin-port', readAdminPort),
    netuid,
    restWorkers: read('rest-workers', wholeNumber(1, 16)),
    wsWorkers: read('ws-workers', wholeNumber(1, 16)),
    orderRetentionMs: read('order-retention-days', readDays),
    orderRetentionCount: read('order-retention-count', wholeNumber(1000, 1_000_000_000)),
    orderRetentionBytes: read('order-retention-bytes', wholeNumber(64 * 2 ** 20, 200 * 2 ** 30)),
    legacyReplayMs: 60_000 * read('legacy-replay-minutes', wholeNumber(0, 1_000_000)),
    positionsSource: values['positions-source'],
    maxStalenessMs: 1000 * read('max-staleness', wholeNumber(MIN_STALENESS_S, MAX_STALENESS_S)),
    limits: {
      requestsPerMinute: read('rate-limit', wholeNumber(0, 1_000_000)),
      authFailuresPerMinute: read('auth-failure-limit', wholeNumber(0, 1_000_000)),
      connectionsPerAddress: read('max-connections-per-address', wholeNumber(0, 1_000_000)),
      unauthenticated: read('max-unauthenticated', wholeNumber(1, 1_000_000)),
      trustedProxies: read('trust-proxy', readProxies),
      corsOrigins: read('cors-origin', readOrigins),
    },
    logLevel: values['log-level'],
    watch: values.watch,
  };
  // Only for their problems: where these files are is worked out below, for the commands too.
  for (const name of ['ptn-root', 'api-keys', 'state-dir'] as const) readPath(name);
  const publicWsUrl = read('public-ws-url', readStreamUrl);
  const forwardText = values['forward-to'] ?? '';
  const target =
    forwardText === '' ? undefined : readForwardTarget(forwardText, optionLabel('forward-to'), options);
  if (target !== undefined && 'problem' in target) problems.push(target.problem);
  const timeoutMs = 1000 * read('forward-timeout', wholeNumber(1, MAX_FORWARD_TIMEOUT_S));
  const logFilePath = readPath('log-file');
  const logFile = {
    sizeBytes: read('log-file-mb', wholeNumber(1, 10_000)) * MEGABYTE,
    count: read('log-file-count', wholeNumber(2, 100)),
  };
  const alertWebhookUrl = readWebhook();
  if (options.restPort !== 0 && options.restPort === options.wsPort) {
    problems.push(
      `--api-rest-port and --api-ws-port are both ${options.restPort}, two different ports are needed`,
    );
  }
  if (options.adminPort !== null && options.adminPort !== 0) {
    for (const [name, port] of [
      ['--api-rest-port', options.restPort],
      ['--api-ws-port', options.wsPort],
    ] as const) {
      if (port === options.adminPort)
        problems.push(`--admin-port and ${name} are both ${port}, two different ports are needed`);
    }
  }
  if (problems.length > 0) throw new StartError('PTN_ERR_CLI_USAGE', { detail: problems.join('\n') });

  const ptnRoot = rootOf(values, cwd);
  return {
    ...options,
    ...(publicWsUrl === undefined ? {} : { publicWsUrl }),
    ...(target !== undefined && 'origin' in target && { forward: { origin: target.origin, timeoutMs } }),
    ...(logFilePath === undefined ? {} : { logFile: { path: logFilePath, ...logFile } }),
    ...(alertWebhookUrl === undefined ? {} : { alertWebhookUrl }),
    ptnRoot,
    apiKeysPaths: keyFilePaths({ ...values, 'ptn-root': ptnRoot }, cwd),
    stateDir: stateDirPath({ ...values, 'ptn-root': ptnRoot }, cwd),
    // Only pm2's cluster mode starts a server as a cluster worker; alone at its start, it has nothing to wait for.
    inspect: values.inspect === true,
    isTakeover: cluster.isWorker,
    version,
  };
}
