import t from 'tap';
import { StartError } from '../../runtime/dist/start-error.js';
import { parseCommandLine } from '../dist/command-line.js';
import type { Command } from '../dist/command-line.js';
import { OPTIONS } from '../dist/options/options.js';
import { VALIDATOR_FLAGS, withoutValidatorFlags } from '../dist/validator-flags.js';

type Environment = Readonly<Record<string, string>>;

function parse(args: readonly string[], env: Environment = {}): Command {
  return parseCommandLine(args, { version: '1.2.3', env, nowMs: 1_750_000_000_000 });
}

/** The options of `--serve` that are not at their default, by name. */
function options(...args: string[]): Record<string, unknown> {
  const command = parse(['--serve', ...args]);
  if (command.kind !== 'serve') throw new Error(JSON.stringify(command));
  return Object.fromEntries(
    Object.entries(OPTIONS).flatMap(([name, row]) => {
      const value = command.values[name as keyof typeof OPTIONS];
      return value === ('default' in row ? row.default : undefined) ? [] : [[name, value]];
    }),
  );
}

/** The message of the usage error that a command line is refused with. */
function refusalOf(args: readonly string[], env: Environment = {}): string {
  try {
    return JSON.stringify(parse(args, env));
  } catch (error) {
    if (error instanceof StartError && error.exitCode === 2) return error.message;
    throw error;
  }
}

void t.test('options come with a space or with =, and the last of several counts', (t) => {
  t.same(options('--serve', '--api-host', '0.0.0.0', '--api-rest-port=1', '--api-rest-port', '2'), {
    serve: true,
    'api-host': '0.0.0.0',
    'api-rest-port': '2',
  });
  t.end();
});

void t.test('values are taken as they are written', (t) => {
  t.match(options('--api-rest-port', '010', '--api-keys', '5'), {
    'api-rest-port': '010',
    'api-keys': '5',
  });
  t.end();
});

// --- arguments of the validator -------------------------------------------------------------------------------------

void t.test('the arguments of a validator are ignored in every form', (t) => {
  const line =
    '--wallet.name validator --wallet.hotkey=default --subtensor.network test --axon.port 8095 --logging.debug ' +
    '--autosync --netuid 116 --start-generate --slack-webhook-url https://example.org/x --neuron.axon_off True ' +
    '--logging.trace --subtensor.chain_endpoint ws://127.0.0.1:9944 --priority.max_workers -1 --strict';
  t.same(options(...line.split(' ')), {
    serve: true,
    netuid: '116',
    'alert-webhook-url': 'https://example.org/x',
  });
  t.end();
});

void t.test('a validator flag before one of ours takes nothing from it', (t) => {
  for (const { names } of VALIDATOR_FLAGS) {
    for (const name of names) {
      const flag = `--${name.endsWith('.') ? `${name}x` : name}`;
      t.same(withoutValidatorFlags([flag, '--serve']), ['--serve'], flag);
      t.same(withoutValidatorFlags([flag, 'value', '--serve']), ['--serve'], flag);
      t.same(withoutValidatorFlags([`${flag}=value`, '--serve']), ['--serve'], flag);
    }
  }
  t.end();
});

void t.test('what only resembles a validator flag is not ignored', (t) => {
  for (const name of ['wallets', 'wallet', 'autosyncs', 'subtensornetwork']) {
    t.match(refusalOf(['--serve', `--${name}`]), new RegExp(`^Unknown argument: ${name} `));
  }
  t.end();
});

void t.test('after filter, the arguments of a validator are unknown', (t) => {
  t.match(
    refusalOf(['filter', '--tier', '30', '--logging.debug', 'file.json']),
    /^Unknown argument: logging.debug /,
  );
  t.end();
});

// --- usage errors ----------------------------------------------------------------------------------------------------

const MISTAKES: readonly (readonly [args: string, message: RegExp, env?: Environment])[] = [
  ['--serve --api-rest-prt 5', /^Unknown argument: api-rest-prt /],
  ['--serv', /^Unknown argument: serv /],
  ['--SERVE', /^Unknown argument: SERVE /],
  ['--serve --apiHost 0.0.0.0', /^Unknown argument: apiHost /],
  ['--no-serve', /^Unknown argument: no-serve /],
  ['--serve --api-rest-port --netuid 8', /^Not enough arguments following: api-rest-port /],
  ['--serve --trust-proxy', /^Not enough arguments following: trust-proxy /],
  ['-p 80', /^Unknown (argument|command)s?: .*\b(p|80)\b/],
  ['serve', /^Unknown command: serve /],
  ['fitler', /^Did you mean filter\? /],
  ['key list', /^Did you mean keys\? /],
  ['filter', /^Missing required argument: tier /],
  ['filter --tier 31', /Argument: tier, Given: "31", Choices: "0", "30", "50", "100"/],
  ['filter --tier', /Argument: tier, Given: "", Choices: /],
  ['filter --teir 30', /^Missing required argument: tier /],
  ['filter --tier 30 --teir 30', /^Unknown argument: teir /],
  ['filter --tier 30 --now noon', /^--now is "noon", allowed is a time in Unix ms such as 1750000000000 /],
  ['filter --tier 30 a b', /^Unknown (argument|command): b /],
  ['status now', /^Unknown (argument|command): now /],
  ['status --rate-limit 5', /^Unknown argument: rate-limit /],
  ['doctor --frobnicate', /^Unknown argument: frobnicate /],
  ['--serve --netuid 1', /Argument: netuid, Given: "1", Choices: "8", "116"/],
  ['--serve', /Argument: netuid, Given: "1", Choices: "8", "116"/, { PTN_API_NETUID: '1' }],
  ['--serve --positions-source disk', /positions-source, Given: "disk", Choices: "auto", "tree", "outputs"/],
  ['--serve --watch inotify', /watch, Given: "inotify", Choices: "auto", "poll"/],
  ['--serve --log-level verbose', /log-level, Given: "verbose", Choices: "trace", "debug", "info", "warn", /],
  ['--demo', /^--demo \(PTN_API_DEMO\) needs --serve /],
  ['--serve --demo --ptn-root x', /^Arguments demo and ptn-root are mutually exclusive /],
  ['--serve --demo --api-keys x', /^Arguments demo and api-keys are mutually exclusive /],
  ['--serve --demo', /^Arguments demo and ptn-root are mutually exclusive /, { PTN_API_PTN_ROOT: 'x' }],
  [
    '--serve',
    /^--demo \(PTN_API_DEMO\) is "maybe", allowed are true, 1, false or 0 /,
    { PTN_API_DEMO: 'maybe' },
  ],
  ['--serve=maybe', /^--serve \(PTN_API_SERVE\) is "maybe", allowed are true, 1, false or 0 /],
  ['--serve 48888', /^--serve \(PTN_API_SERVE\) is "48888", /],
  ['--serve --inspect=on', /^--inspect \(PTN_API_INSPECT\) is "on", /],
  ['keys', /^keys: the action is missing, there are add, list, rotate, revoke and check /],
  ['keys lsit', /^Did you mean list\? /],
  ['keys add --tier 30', /^Not enough non-option arguments: got 0, need at least 1 /],
  ['keys add amy', /^Missing required argument: tier /],
  ['keys add amy bob --tier 30', /^Unknown (argument|command): bob /],
  ['keys add amy --tier 20', /Argument: tier, Given: "20", Choices: /],
  ['keys add amy --tier 0 --json', /^Unknown argument: json /],
  ['keys add amy --tier 0 --rate-limit 0', /^--rate-limit is "0", allowed is a whole number of at least 1 /],
  ['keys add amy --tier 0 --max-connections x', /^--max-connections is "x", allowed is a whole number /],
  ['keys add amy --tier 0 --expires soon', /^--expires is "soon", allowed are dates such as /],
  ['keys add amy --tier 0 --expires 2020-01-31', /^--expires is "2020-01-31", which is over already /],
  ['keys rotate amy --grace 5', /^--grace is "5", allowed are durations such as 30m, 24h, 7d, or 0 /],
  ['keys list amy', /^Unknown (argument|command): amy /],
  // A key that somebody gives where it does not belong is not repeated.
  [
    'keys check the-key',
    /^keys check takes nothing more; the key comes from PTN_API_KEY or standard input \(/,
  ],
];
for (const [args, message, env] of MISTAKES) {
  void t.test(`refused: ptn-api ${args} ${JSON.stringify(env ?? {})}`, (t) => {
    const refusal = refusalOf(args.split(' '), env);
    t.match(refusal, message);
    t.match(refusal, / \(ptn-api --help lists what there is\)$/);
    t.end();
  });
}

void t.test('a user is one readable line', (t) => {
  for (const user of ['', 'a\nb', 'x'.repeat(129)]) {
    t.match(refusalOf(['keys', 'revoke', user]), /^the user is "[^\n]*", allowed are 1 to 128 characters/);
  }
  t.end();
});

// --- what is asked for ----------------------------------------------------------------------------------------------

void t.test('filter has a tier, a time and a file; without them the present and standard input', (t) => {
  t.same(parse(['filter', '--tier', '0', '--now', '1714156813363', 'output.json']), {
    kind: 'filter',
    tier: 0,
    now: 1_714_156_813_363,
    file: 'output.json',
  });
  t.same(parse(['filter', '--tier=100']), {
    kind: 'filter',
    tier: 100,
    now: 1_750_000_000_000,
    file: undefined,
  });
  t.end();
});

void t.test('a server is asked for on the command line or in the environment', (t) => {
  t.equal(parse(['--serve']).kind, 'serve');
  t.equal(parse(['--serve=1']).kind, 'serve');
  t.equal(parse([], { PTN_API_SERVE: '1' }).kind, 'serve');
  t.equal(parse(['--serve', '--demo']).kind, 'demo');
  t.equal(parse(['--serve', '--ptn-root', 'x'], { PTN_API_DEMO: '0' }).kind, 'serve');
  t.equal(parse([]).kind, 'nothing');
  t.equal(parse(['--api-host', '0.0.0.0']).kind, 'nothing');
  t.equal(parse(['--serve=false'], { PTN_API_SERVE: '1' }).kind, 'nothing');
  t.equal(parse(['--serve'], { PTN_API_KEY: 'a key', PTN_API_OTHER: 'x' }).kind, 'serve');
  t.end();
});

void t.test('doctor takes the line of the server', (t) => {
  const command = parse(['doctor', '--wallet.name', 'v', '--serve', '--rate-limit', '5']);
  t.match(command, { kind: 'doctor', values: { serve: true, 'rate-limit': '5' } });
  t.end();
});

void t.test('status has a port, which may come from the environment', (t) => {
  t.same(parse(['status']), { kind: 'status', adminPort: '48890', isJson: false });
  t.same(parse(['status', '--json'], { PTN_API_ADMIN_PORT: '7', PTN_API_HOST: 'x' }), {
    kind: 'status',
    adminPort: '7',
    isJson: true,
  });
  t.end();
});

void t.test('each action of keys has its request, and the places of the files', (t) => {
  const request = (...args: string[]): unknown => {
    const command = parse(['keys', ...args], { PTN_API_KEYS: 'k.json' });
    if (command.kind !== 'keys') throw new Error(JSON.stringify(command));
    t.equal(command.places['api-keys'], 'k.json');
    return command.request;
  };
  t.same(request('add', '7', '--tier', '50', '--hashed', '--expires', '2d', '--rate-limit', '3'), {
    action: 'add',
    user: '7',
    tier: 50,
    isHashed: true,
    expires: '2025-06-17T15:06:40.000Z',
    rateLimit: 3,
    maxConnections: undefined,
  });
  t.same(request('list', '--json'), { action: 'list', isJson: true });
  t.same(request('rotate', 'amy'), { action: 'rotate', user: 'amy', graceMs: 86_400_000 });
  t.same(request('rotate', 'amy', '--grace=0'), { action: 'rotate', user: 'amy', graceMs: 0 });
  t.same(request('revoke', 'amy'), { action: 'revoke', user: 'amy' });
  t.same(request('check'), { action: 'check' });
  t.end();
});

void t.test('an option that is a list may stand several times', (t) => {
  const args = ['--cors-origin', 'https://a.example', '--cors-origin=https://b.example,http://c.example'];
  t.equal(options(...args)['cors-origin'], 'https://a.example,https://b.example,http://c.example');
  t.end();
});

void t.test('help fits the terminal, and each command shows its own options', (t) => {
  const help = (...args: string[]): string => {
    const command = parse([...args, '--help'], { SLACK_WEBHOOK_URL: 'https://hooks.example/secret' });
    if (command.kind !== 'text') throw new Error('no help');
    return command.text;
  };
  for (const command of [[], ['doctor'], ['keys'], ['keys', 'add'], ['status'], ['filter']]) {
    const text = help(...command);
    const longest = Math.max(...text.split('\n').map((line) => line.length));
    t.ok(longest <= 80, `${command.join(' ')}: ${longest} columns`);
    t.notMatch(text, /hooks\.example/);
  }
  t.match(help('doctor'), /--state-dir/);
  t.notMatch(help('doctor'), /--rate-limit|--demo/);
  t.match(help('keys'), /keys rotate <user>/);
  t.notMatch(help('filter'), /--api-host/);
  t.end();
});
