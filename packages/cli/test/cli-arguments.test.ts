import t from 'tap';
import { nearest } from '../dist/nearest.js';
import { parseArguments } from '../dist/parse-arguments.js';
import type { Command } from '../dist/parse-arguments.js';
import { parseServeRequest } from '../dist/serve.js';
import type { ServeRequest } from '../dist/serve.js';
import { VALIDATOR_FLAGS, withoutValidatorFlags } from '../dist/validator-flags.js';

function parse(...args: string[]): Promise<Command> {
  return parseArguments(args, { version: '1.2.3', nowMs: 1_750_000_000_000 });
}

/** The options of `--serve`, by name. */
async function options(...args: string[]): Promise<Record<string, string>> {
  const command = await parse('--serve', ...args);
  if (command.kind !== 'server') throw new Error(JSON.stringify(command));
  return Object.fromEntries([...command.given].map(([name, { value }]) => [name, value]));
}

async function request(args: string[], env: Record<string, string> = {}): Promise<ServeRequest> {
  const command = await parse(...args);
  if (command.kind !== 'server') throw new Error(JSON.stringify(command));
  return parseServeRequest(command.given, env);
}

void t.test('options come with a space or with =, and the last of several counts', async (t) => {
  t.same(await options('--api-host', '0.0.0.0', '--api-rest-port=1', '--api-rest-port', '2'), {
    serve: 'true',
    'api-host': '0.0.0.0',
    'api-rest-port': '2',
  });
});

void t.test(
  'an option without its value is given as empty, and does not take the next option for it',
  async (t) => {
    t.same(await options('--api-rest-port', '--netuid', '8'), {
      serve: 'true',
      'api-rest-port': '',
      netuid: '8',
    });
  },
);

void t.test('values are taken as they are written', async (t) => {
  t.match(await options('--api-rest-port', '010', '--api-keys', '5'), {
    'api-rest-port': '010',
    'api-keys': '5',
  });
});

// --- arguments of the validator -------------------------------------------------------------------------------------

void t.test('the arguments of a validator are ignored in every form', async (t) => {
  const line =
    '--wallet.name validator --wallet.hotkey=default --subtensor.network test --axon.port 8095 --logging.debug ' +
    '--autosync --netuid 116 --start-generate --slack-webhook-url https://example.org/x --neuron.axon_off True ' +
    '--logging.trace --subtensor.chain_endpoint ws://127.0.0.1:9944 --priority.max_workers -1 --strict';
  t.same(await options(...line.split(' ')), {
    serve: 'true',
    netuid: '116',
    'alert-webhook-url': 'https://example.org/x',
  });
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

void t.test('what only resembles a validator flag is not ignored', async (t) => {
  for (const argument of ['--wallets', '--wallet', '--autosyncs', '--subtensornetwork']) {
    t.match(await parse('--serve', argument), { kind: 'usage-error', detail: `unknown option ${argument}` });
  }
});

void t.test('after filter, the arguments of a validator are unknown', async (t) => {
  t.match(await parse('filter', '--tier', '30', '--logging.debug', 'file.json'), {
    kind: 'usage-error',
    detail: 'unknown option --logging.debug',
  });
});

// --- usage errors ----------------------------------------------------------------------------------------------------

const MISTAKES: readonly (readonly [args: string, detail: string])[] = [
  ['--serve --api-rest-prt 5', 'unknown option --api-rest-prt, did you mean --api-rest-port?'],
  ['--serv', 'unknown option --serv, did you mean --serve?'],
  ['--SERVE', 'unknown option --SERVE, did you mean --serve?'],
  ['--serve --apiHost 0.0.0.0', 'unknown option --apiHost, did you mean --api-host?'],
  ['--no-serve', 'unknown option --no-serve'],
  ['--serve --frobnicate', 'unknown option --frobnicate'],
  ['-p 80', 'unknown option -p'],
  ['serve', 'unknown command "serve", did you mean --serve?'],
  ['fitler', 'unknown command "fitler", did you mean filter?'],
  ['filter', '--tier is missing, allowed are 0, 30, 50, 100'],
  ['filter --tier 31', '--tier is "31", allowed are 0, 30, 50, 100'],
  ['filter --tier', '--tier is "", allowed are 0, 30, 50, 100'],
  ['filter --teir 30', 'unknown option --teir, did you mean --tier?'],
  ['filter --tier 30 --now noon', '--now is "noon", allowed is a time in Unix ms such as 1750000000000'],
  ['filter --tier 30 a b', 'filter takes one file, given were "a", "b"'],
];
for (const [args, detail] of MISTAKES) {
  void t.test(`refused: ptn-api ${args}`, async (t) => {
    t.same(await parse(...args.split(' ')), { kind: 'usage-error', detail });
  });
}

void t.test('the nearest of several is suggested, and nothing that is far', (t) => {
  t.equal(nearest('api-ws-prot', ['api-rest-port', 'api-ws-port']), 'api-ws-port');
  t.equal(nearest('xyz', ['api-rest-port', 'api-ws-port']), undefined);
  t.end();
});

// --- what is asked for ----------------------------------------------------------------------------------------------

void t.test(
  'filter has a tier, a time and a file; without them the present and standard input',
  async (t) => {
    t.same(await parse('filter', '--tier', '0', '--now', '1714156813363', 'output.json'), {
      kind: 'filter',
      tier: 0,
      now: 1_714_156_813_363,
      file: 'output.json',
    });
    t.same(await parse('filter', '--tier=100'), {
      kind: 'filter',
      tier: 100,
      now: 1_750_000_000_000,
      file: undefined,
    });
  },
);

void t.test('a server is asked for on the command line or in the environment', async (t) => {
  t.equal((await request(['--serve'])).kind, 'serve');
  t.equal((await request(['--serve=1'])).kind, 'serve');
  t.equal((await request([], { PTN_API_SERVE: '1' })).kind, 'serve');
  t.equal((await request(['--serve', '--demo'])).kind, 'demo');
  t.equal((await request([])).kind, 'nothing');
  t.equal((await request(['--api-host', '0.0.0.0'])).kind, 'nothing');
  t.equal((await request(['--serve=false'], { PTN_API_SERVE: '1' })).kind, 'nothing');
});

const REFUSED_WISHES: readonly (readonly [args: string, env: Record<string, string>, detail: RegExp])[] = [
  ['--demo', {}, /^--demo needs --serve$/],
  ['--serve --demo --ptn-root x', {}, /^--demo and --ptn-root exclude each other/],
  ['--serve --demo --api-keys x', {}, /^--demo and --api-keys exclude each other/],
  ['--serve --demo', { PTN_API_PTN_ROOT: 'x' }, /^--demo and PTN_API_PTN_ROOT exclude each other/],
  ['--serve', { PTN_API_DEMO: 'maybe' }, /^PTN_API_DEMO is "maybe"/],
  ['--serve=maybe', {}, /^--serve is "maybe", allowed are true, 1, false or 0$/],
  ['--serve 48888', {}, /^--serve is "48888"/],
];
for (const [args, env, detail] of REFUSED_WISHES) {
  void t.test(`refused: ${args} ${JSON.stringify(env)}`, async (t) => {
    t.match(await request(args.split(' '), env), { kind: 'usage-error', detail });
  });
}

void t.test('an option that is a list may stand several times', async (t) => {
  const args = ['--cors-origin', 'https://a.example', '--serve', '--cors-origin=https://b.example'];
  const command = await parseArguments(args, { version: '1.2.3', nowMs: 0 });
  const given = command.kind === 'server' ? command.given.get('cors-origin')?.value : undefined;
  t.equal(given, 'https://a.example,https://b.example');
});

void t.test('help fits the terminal, and each command shows its own options', async (t) => {
  for (const command of [[], ['doctor'], ['keys'], ['status'], ['filter']]) {
    const help = await parseArguments([...command, '--help'], { version: '0', nowMs: 0 });
    if (help.kind !== 'text') throw new Error('no help');
    const longest = Math.max(...help.text.split('\n').map((line) => line.length));
    t.ok(longest <= 80, `${command.join('')}: ${longest} columns`);
  }
  const doctor = await parseArguments(['doctor', '--help'], { version: '0', nowMs: 0 });
  t.match(doctor, { text: /--state-dir/ });
  t.notMatch(doctor, { text: /--rate-limit|--demo/ });
});
