import {
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parseKeyFile } from '@ptn-api/access';
import type { TestScope } from '@ptn-api/testkit';
import type { ServerConfig } from '../../runtime/dist/config.js';
import { parseCommandLine } from '../dist/command-line.js';
import { OPTION_NAMES, OPTIONS } from '../dist/options/options.js';
import type { OptionName } from '../dist/options/options.js';
import { resolveConfig } from '../dist/options/resolve-config.js';
import { StartError } from '../../runtime/dist/start-error.js';
import { prepareStateDir } from '../dist/options/state-dir.js';

type Flags = Partial<Record<OptionName, string>>;

/** A folder with another in it, `checkout`, that holds `validation/`. */
function makeFolder(scope: TestScope): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ptn-config-')));
  scope.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  mkdirSync(join(folder, 'checkout', 'validation'), { recursive: true });
  return folder;
}

function resolveIn(cwd: string, flags: Flags = {}, env: Record<string, string> = {}): ServerConfig {
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const command = parseCommandLine(['--serve', ...args], { version: '1.2.3', env, nowMs: 0 });
  if (command.kind !== 'serve') throw new Error(`asked for ${command.kind}`);
  return resolveConfig(command.values, { cwd, version: '1.2.3' });
}

function errorOf(run: () => unknown): StartError {
  try {
    run();
  } catch (error) {
    if (error instanceof StartError) return error;
    throw error;
  }
  throw new Error('there was no error');
}

void t.test('without options everything has its default', (t) => {
  const checkout = join(makeFolder(t), 'checkout');
  t.same(resolveIn(checkout), {
    host: '127.0.0.1',
    restPort: 48888,
    wsPort: 8765,
    adminPort: 48890,
    maxStalenessMs: 180_000,
    netuid: 8,
    ptnRoot: checkout,
    apiKeysPaths: [join(checkout, 'vanta_api', 'api_keys.json'), join(checkout, 'ptn_api', 'api_keys.json')],
    stateDir: join(checkout, '.ptn-api'),
    restWorkers: 2,
    wsWorkers: 1,
    orderRetentionMs: 604_800_000,
    orderRetentionCount: 1_000_000,
    orderRetentionBytes: 4 * 2 ** 30,
    legacyReplayMs: 900_000,
    inspect: false,
    positionsSource: 'auto',
    limits: {
      requestsPerMinute: 600,
      authFailuresPerMinute: 20,
      connectionsPerAddress: 200,
      unauthenticated: 1000,
      trustedProxies: [],
      corsOrigins: [],
    },
    logLevel: 'info',
    watch: 'auto',
    isTakeover: false,
    version: '1.2.3',
  });
  t.end();
});

const GOOD: readonly (readonly [OptionName, string, Partial<ServerConfig>])[] = [
  ['api-host', '0.0.0.0', { host: '0.0.0.0' }],
  ['api-host', '::1', { host: '::1' }],
  ['api-host', 'localhost', { host: 'localhost' }],
  ['api-rest-port', '0', { restPort: 0 }],
  ['api-rest-port', '65535', { restPort: 65535 }],
  ['api-ws-port', '1', { wsPort: 1 }],
  ['admin-port', 'off', { adminPort: null }],
  ['admin-port', '0', { adminPort: 0 }],
  ['max-staleness', '15', { maxStalenessMs: 15_000 }],
  ['public-ws-url', 'wss://ptn.example.com/stream', { publicWsUrl: 'wss://ptn.example.com/stream' }],
  ['public-ws-url', 'ws://192.0.2.1:8765', { publicWsUrl: 'ws://192.0.2.1:8765' }],
  ['netuid', '116', { netuid: 116 }],
  ['rest-workers', '1', { restWorkers: 1 }],
  ['rest-workers', '16', { restWorkers: 16 }],
  ['ws-workers', '1', { wsWorkers: 1 }],
  ['ws-workers', '16', { wsWorkers: 16 }],
  ['order-retention-days', '30', { orderRetentionMs: 2_592_000_000 }],
  ['order-retention-days', '0.5', { orderRetentionMs: 43_200_000 }],
  ['legacy-replay-minutes', '0', { legacyReplayMs: 0 }],
  ['order-retention-count', '1000', { orderRetentionCount: 1000 }],
  ['order-retention-count', '1000000000', { orderRetentionCount: 1_000_000_000 }],
  ['order-retention-bytes', '67108864', { orderRetentionBytes: 67_108_864 }],
  ['order-retention-bytes', '214748364800', { orderRetentionBytes: 214_748_364_800 }],
  ['positions-source', 'tree', { positionsSource: 'tree' }],
  ['log-level', 'silent', { logLevel: 'silent' }],
  ['watch', 'poll', { watch: 'poll' }],
  ['api-keys', '/etc/keys.json', { apiKeysPaths: ['/etc/keys.json'] }],
  ['state-dir', '/var/lib/ptn-api', { stateDir: '/var/lib/ptn-api' }],
  ['state-dir', '/tmp/off', { stateDir: '/tmp/off' }],
];
for (const [name, value, expected] of GOOD) {
  void t.test(`${name} ${value}, on the command line and in the environment`, (t) => {
    const checkout = join(makeFolder(t), 'checkout');
    t.match(resolveIn(checkout, { [name]: value }), expected);
    t.match(resolveIn(checkout, {}, { [OPTIONS[name].env]: value }), expected);
    t.end();
  });
}

const BAD: readonly (readonly [OptionName, string, string])[] = [
  ['api-host', '', 'an address or a host name'],
  ['api-host', 'http://0.0.0.0', 'an address or a host name'],
  ['api-host', 'two words', 'an address or a host name'],
  ['api-rest-port', '', 'a whole number from 0 to 65535'],
  ['api-rest-port', '-1', 'a whole number from 0 to 65535'],
  ['api-rest-port', '65536', 'a whole number from 0 to 65535'],
  ['api-rest-port', '80.5', 'a whole number from 0 to 65535'],
  ['api-rest-port', '0x50', 'a whole number from 0 to 65535'],
  ['api-ws-port', 'http', 'a whole number from 0 to 65535'],
  ['public-ws-url', 'ptn.example.com', 'an address such as wss://'],
  ['public-ws-url', 'https://ptn.example.com', 'an address such as wss://'],
  ['public-ws-url', 'wss://x;script-src *', 'an address such as wss://'],
  ['public-ws-url', 'wss://ptn.example.com/?key=1', 'an address such as wss://'],
  ['rest-workers', '0', 'a whole number from 1 to 16'],
  ['rest-workers', '17', 'a whole number from 1 to 16'],
  ['ws-workers', '0', 'a whole number from 1 to 16'],
  ['ws-workers', '17', 'a whole number from 1 to 16'],
  ['order-retention-days', '0', 'a number of days above 0'],
  ['order-retention-days', '-1', 'a number of days above 0'],
  ['order-retention-days', '36501', 'up to 36500'],
  ['order-retention-days', '1e2', 'a number of days above 0'],
  ['order-retention-count', '999', 'a whole number from 1000 to 1000000000'],
  ['order-retention-count', '1000000001', 'a whole number from 1000 to 1000000000'],
  ['order-retention-bytes', '67108863', 'a whole number from 67108864 to 214748364800'],
  ['order-retention-bytes', '4GB', 'a whole number from 67108864 to 214748364800'],
  ['ptn-root', ' ', 'a path'],
  ['api-keys', ' ', 'a path'],
  ['state-dir', ' ', 'a path'],
  ['ptn-root', 'off', 'a path is needed: ./off is one'],
  ['api-keys', 'off', 'a path is needed: ./off is one'],
  ['state-dir', 'off', 'a path is needed: ./off is one'],
  ['log-file', 'off', 'a path is needed: ./off is one'],
];
for (const [name, value, allowed] of BAD) {
  void t.test(`${name} "${value}" is refused by a line that says what is allowed`, (t) => {
    const checkout = join(makeFolder(t), 'checkout');
    const error = errorOf(() => resolveIn(checkout, { [name]: value }));
    t.equal(error.code, 'PTN_ERR_CLI_USAGE');
    t.equal(error.exitCode, 2);
    t.ok(
      error.message.startsWith(`--${name} (${OPTIONS[name].env}) is ${JSON.stringify(value)}, `),
      error.message,
    );
    t.ok(error.message.includes(allowed), error.message);
    t.notMatch(error.message, /\n/);
    t.end();
  });
}

void t.test('every bad value has its line, wherever it came from', (t) => {
  const checkout = join(makeFolder(t), 'checkout');
  const { message } = errorOf(() =>
    resolveIn(checkout, { 'rest-workers': '99' }, { PTN_API_REST_PORT: 'x' }),
  );
  t.same(message.split('\n'), [
    '--api-rest-port (PTN_API_REST_PORT) is "x", allowed is a whole number from 0 to 65535',
    '--rest-workers (PTN_API_REST_WORKERS) is "99", allowed is a whole number from 1 to 16',
  ]);
  t.end();
});

void t.test('one port cannot serve both', (t) => {
  const checkout = join(makeFolder(t), 'checkout');
  t.match(errorOf(() => resolveIn(checkout, { 'api-rest-port': '8765' })).message, /both 8765/);
  t.equal(resolveIn(checkout, { 'api-rest-port': '0', 'api-ws-port': '0' }).restPort, 0);
  t.end();
});

void t.test('the command line goes before the environment, an empty variable is none', (t) => {
  const checkout = join(makeFolder(t), 'checkout');
  const env = { PTN_API_REST_PORT: '1000', PTN_API_WS_PORT: '2000', PTN_API_HOST: '' };
  t.match(resolveIn(checkout, { 'api-rest-port': '3000' }, env), {
    restPort: 3000,
    wsPort: 2000,
    host: '127.0.0.1',
  });
  t.end();
});

void t.test('variables are named after their options', (t) => {
  for (const name of OPTION_NAMES) {
    const expected = `PTN_API_${name.replace(/^api-/, '').toUpperCase().replaceAll('-', '_')}`;
    t.equal(OPTIONS[name].env, expected);
  }
  t.end();
});

void t.test('a switch is on or off', (t) => {
  const checkout = join(makeFolder(t), 'checkout');
  for (const [value, isOn] of Object.entries({ 1: true, true: true, 0: false, false: false, '': false })) {
    t.equal(resolveIn(checkout, {}, { PTN_API_INSPECT: value }).inspect, isOn, value);
  }
  t.end();
});

// --- PTN_ROOT -------------------------------------------------------------------------------------------------------

void t.test('the validator is found in the folders beside the current one', (t) => {
  const folder = makeFolder(t);
  const here = join(folder, 'ptn-api');
  mkdirSync(here);
  mkdirSync(join(folder, 'vanta-network', 'validation'), { recursive: true });
  t.equal(resolveIn(here).ptnRoot, join(folder, 'vanta-network'));
  mkdirSync(join(folder, 'proprietary-trading-network', 'validation'), { recursive: true });
  t.equal(resolveIn(here).ptnRoot, join(folder, 'proprietary-trading-network'));
  mkdirSync(join(here, 'validation'));
  t.equal(resolveIn(here).ptnRoot, here);
  t.end();
});

void t.test('no validator anywhere names the places that were looked at', (t) => {
  const here = join(makeFolder(t), 'ptn-api');
  mkdirSync(here);
  const error = errorOf(() => resolveIn(here));
  t.equal(error.code, 'PTN_ERR_START_NO_ROOT');
  t.match(error.message, /validation\/.*proprietary-trading-network.*vanta-network.*--ptn-root/);
  t.ok(error.message.includes(here));
  t.end();
});

void t.test('a given folder that is no validator is refused with the reason', (t) => {
  const folder = makeFolder(t);
  writeFileSync(join(folder, 'file'), '');
  mkdirSync(join(folder, 'empty'));
  mkdirSync(join(folder, 'odd'));
  writeFileSync(join(folder, 'odd', 'validation'), '');
  const reasons = {
    missing: /there is nothing of that name/,
    file: /it is not a folder/,
    empty: /it holds no validation\//,
    odd: /its validation is not a folder/,
  };
  for (const [name, reason] of Object.entries(reasons)) {
    const error = errorOf(() => resolveIn(folder, { 'ptn-root': name }));
    t.equal(error.code, 'PTN_ERR_START_NO_ROOT');
    t.ok(error.message.includes(join(folder, name)), error.message);
    t.match(error.message, reason);
  }
  t.end();
});

void t.test('given paths are relative to the current folder', (t) => {
  const folder = makeFolder(t);
  const config = resolveIn(folder, { 'ptn-root': 'checkout', 'api-keys': 'keys.json', 'state-dir': 'state' });
  t.match(config, {
    ptnRoot: join(folder, 'checkout'),
    apiKeysPaths: [join(folder, 'keys.json')],
    stateDir: join(folder, 'state'),
  });
  t.end();
});

// --- state directory ------------------------------------------------------------------------------------------------

void t.test('the state directory is made for its owner only, and may be there already', (t) => {
  const path = join(makeFolder(t), 'a', 'b');
  prepareStateDir(path);
  t.equal(statSync(path).mode & 0o777, 0o700);
  t.doesNotThrow(() => {
    prepareStateDir(path);
  });
  t.end();
});

void t.test('a state directory that cannot be is an error that names it', (t) => {
  const folder = makeFolder(t);
  writeFileSync(join(folder, 'file'), '');
  for (const path of [join(folder, 'file'), join(folder, 'file', 'state')]) {
    const error = errorOf(() => {
      prepareStateDir(path);
    });
    t.equal(error.code, 'PTN_ERR_START_STATE_DIR');
    t.ok(error.message.includes(path));
  }
  t.end();
});

const NOBODY = 65_534;

void t.test(
  'a state directory of another user is not used, nor through a link of another user',
  { skip: process.getuid?.() === 0 ? false : 'only root can give files to another user' },
  (t) => {
    const folder = makeFolder(t);
    const [own, foreign, link] = [join(folder, 'own'), join(folder, 'foreign'), join(folder, 'link')];
    mkdirSync(own);
    mkdirSync(foreign);
    chownSync(foreign, NOBODY, NOBODY);
    symlinkSync(own, link);
    prepareStateDir(link);
    lchownSync(link, NOBODY, NOBODY);
    for (const path of [foreign, link]) {
      const error = errorOf(() => {
        prepareStateDir(path);
      });
      t.equal(error.code, 'PTN_ERR_START_STATE_DIR');
      t.match(error.message, /belongs to another user \(uid 65534.* with chown/);
    }
    t.end();
  },
);

// --- the example file -----------------------------------------------------------------------------------------------

void t.test('the example file shows the form, and copied as it is lets nobody in', (t) => {
  const example = readFileSync(new URL('../../../api_keys.json.example', import.meta.url), 'utf8');
  const parsed = parseKeyFile(example);
  t.ok(parsed.ok);
  t.strictSame(parsed.ok && parsed.grants, []);

  const filledIn = parseKeyFile(
    example
      .replaceAll('"key": ""', () => `"key": "${crypto.randomUUID()}"`)
      .replace('""', `"${'ab'.repeat(32)}"`),
  );
  if (!filledIn.ok) throw new Error(filledIn.reason);
  t.same(filledIn.warnings, []);
  t.same(
    filledIn.grants.map(({ tier }) => tier),
    [100, 50, 30, 0],
  );
  t.end();
});

void t.test('lists of proxies and origins are read, and what would open all is refused', (t) => {
  const checkout = join(makeFolder(t), 'checkout');
  const { limits } = resolveIn(checkout, {
    'trust-proxy': 'loopback,10.0.0.0/8, fd00::1',
    'cors-origin': 'https://app.example.com,http://localhost:3000',
  });
  t.same(limits.trustedProxies, ['loopback', '10.0.0.0/8', 'fd00::1']);
  t.same(limits.corsOrigins, ['https://app.example.com', 'http://localhost:3000']);
  for (const bad of ['0.0.0.0/0', '10.0.0.0/33', 'proxy.example', '10.0.0.1,']) {
    t.match(
      errorOf(() => resolveIn(checkout, { 'trust-proxy': bad })).message,
      /^--trust-proxy \(PTN_API_TRUST_PROXY\) is .* allowed are/,
    );
  }
  for (const bad of ['https://app.example.com/', 'app.example.com', 'null']) {
    t.match(
      errorOf(() => resolveIn(checkout, { 'cors-origin': bad })).message,
      /^--cors-origin \(PTN_API_CORS_ORIGIN\) is .* allowed are/,
    );
  }
  t.end();
});

void t.test("the Python server's variable for Slack counts where none of ours is set", (t) => {
  const checkout = join(makeFolder(t), 'checkout');
  const read = (env: Record<string, string>) => resolveIn(checkout, {}, env).alertWebhookUrl;
  const url = 'https://hooks.example/old';
  t.equal(read({ SLACK_WEBHOOK_URL: url }), url);
  const ours = 'https://hooks.example/new';
  t.equal(read({ SLACK_WEBHOOK_URL: url, PTN_API_ALERT_WEBHOOK_URL: ours }), ours);
  t.equal(read({ SLACK_WEBHOOK_URL: '' }), undefined);
  const bad = errorOf(() => read({ SLACK_WEBHOOK_URL: 'hooks.example/secret' }));
  t.match(bad.message, /^--alert-webhook-url \(PTN_API_ALERT_WEBHOOK_URL\) is no URL/);
  t.notMatch(bad.message, /secret/);
  t.end();
});

void t.test("the validator's own server is an origin, and not this server", (t) => {
  const checkout = join(makeFolder(t), 'checkout');
  t.equal(resolveIn(checkout).forward, undefined);
  t.equal(resolveIn(checkout, { 'forward-to': '' }).forward, undefined);
  for (const [given, origin] of [
    ['http://127.0.0.1:48880', 'http://127.0.0.1:48880'],
    ['http://127.0.0.1:48880/', 'http://127.0.0.1:48880'],
    ['https://Validator.example', 'https://validator.example'],
    ['http://[::1]:8080', 'http://[::1]:8080'],
  ] as const)
    t.same(resolveIn(checkout, { 'forward-to': given }).forward, { origin, timeoutMs: 60_000 });
  t.same(resolveIn(checkout, { 'forward-to': 'http://a:1', 'forward-timeout': '5' }).forward, {
    origin: 'http://a:1',
    timeoutMs: 5000,
  });
  for (const bad of [
    '127.0.0.1:48880',
    'ftp://127.0.0.1',
    'file:///etc/passwd',
    'http://127.0.0.1/api',
    'http://127.0.0.1/?x',
    'http://127.0.0.1/#x',
    'http://user:password@127.0.0.1:1',
    'http://',
  ]) {
    const { message } = errorOf(() => resolveIn(checkout, { 'forward-to': bad }));
    t.match(message, /^--forward-to \(PTN_API_FORWARD_TO\) is not http/, bad);
    t.notMatch(message, /password/);
  }
  for (const own of [
    'http://127.0.0.1:48888',
    'http://localhost:48888',
    'http://[::1]:48888',
    'http://0.0.0.0:48888',
  ])
    t.match(
      errorOf(() => resolveIn(checkout, { 'forward-to': own, 'api-host': '0.0.0.0' })).message,
      /which is this server itself/,
      own,
    );
  t.match(errorOf(() => resolveIn(checkout, { 'forward-timeout': '111' })).message, /from 1 to 110/);
  t.end();
});
