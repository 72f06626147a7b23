import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Position } from '@ptn-api/protocol';
import { createLogger } from '@ptn-api/runtime';
import { Keypair } from '@ptn-api/wire';
import { makeTemporaryFolder, waitFor } from '@ptn-api/testkit';
import type { TestScope } from '@ptn-api/testkit';
import t from 'tap';
import { parseRunOptions } from '../dist/commands/run-options.js';
import { runValidator } from '../dist/validator/run-validator.js';
import { runDevnet } from './devnet-process.ts';
import type { DevnetProcess } from './devnet-process.ts';
import { sendOrder, sendSigned } from './signing-miner.ts';
import { LONG, MINER, WEDNESDAY_MS, contentsOf } from './validator-fixture.ts';

interface Ready {
  readonly type: 'ready';
  readonly hotkey: string;
  readonly port: number;
  readonly metagraph: string;
}

async function start(scope: TestScope, root: string, ...args: string[]): Promise<DevnetProcess & Ready> {
  const devnet = runDevnet(scope, ['run', '--root', root, '--axon-port', '0', ...args]);
  return { ...devnet, ...((await devnet.ready()) as Ready) };
}

async function stop(devnet: DevnetProcess): Promise<void> {
  devnet.child.kill('SIGTERM');
  t.equal(await devnet.ended(), 0, devnet.stderr());
}

function ownMiner(folder: string, hotkey = MINER.address): string {
  const path = join(folder, 'own.json');
  writeFileSync(path, JSON.stringify({ netuid: 8, neurons: [{ hotkey }] }));
  return path;
}

const positionsIn = (root: string): Position[] =>
  Object.values(contentsOf(root)).map((text) => JSON.parse(text) as Position);

void t.test('simulated miners trade by signed orders, in simulated time that goes on', async (t) => {
  const root = join(makeTemporaryFolder(t), 'root');
  const fast = ['--speed', '7200', '--start-ms', String(WEDNESDAY_MS), '--miners', '3', '--seed', '5'];
  const first = await start(t, root, ...fast);
  await waitFor(() => positionsIn(root).length > 1, { what: () => `orders come in ${first.stderr()}` });
  await stop(first);
  const positions = positionsIn(root);
  const { clockMs } = JSON.parse(readFileSync(join(root, 'devnet/state.json'), 'utf8')) as {
    clockMs: number;
  };
  for (const { open_ms: openMs } of positions) t.ok(openMs > WEDNESDAY_MS && openMs <= clockMs);

  const second = await start(t, root, '--speed', '7200', '--miners', '3');
  t.equal(second.hotkey, first.hotkey, 'the folder has its seed');
  await waitFor(() => positionsIn(root).length > positions.length, { what: 'more orders come in' });
  const other = runDevnet(t, ['run', '--root', root]);
  t.equal(await other.ended(), 1);
  t.equal(other.stderr(), `ptn-devnet: another validator runs in ${root}: choose another --root\n`);
  await stop(second);
  const known = new Set(positions.map(({ position_uuid: uuid }) => uuid));
  const added = positionsIn(root).filter(({ position_uuid: uuid }) => !known.has(uuid));
  for (const { open_ms: openMs } of added) t.ok(openMs > clockMs, 'time has not gone back');
});

void t.test('an order of an own miner is answered, and its metagraph may change', async (t) => {
  const folder = makeTemporaryFolder(t);
  const root = join(folder, 'root');
  const own = ownMiner(folder, Keypair.fromSeed(new Uint8Array(32).fill(9)).address);
  const devnet = await start(t, root, '--miners', '0', '--metagraph', own);
  const axon = { ip: '127.0.0.1', port: devnet.port, hotkey: devnet.hotkey };
  t.match(await sendOrder(MINER, axon, LONG, 'one'), {
    isAnswered: false,
    error: `Forbidden. Key is blacklisted: ${MINER.address}.`,
  });
  ownMiner(folder);
  await waitFor(async () => (await sendOrder(MINER, axon, LONG, 'one')).isAccepted, {
    what: 'the new metagraph counts',
  });
  t.match(await sendSigned(MINER, axon, { version: '1' }, 'GetPositions'), { isAccepted: true });
  t.match(await sendSigned(MINER, axon, {}, 'GetDashData'), {
    error: / has no stats for miner /,
  });
  const [position] = positionsIn(root);
  t.ok(
    Math.abs((position?.open_ms ?? 0) - Date.now()) < 60_000,
    'without a speed it is the time of the world',
  );
  t.match(readFileSync(devnet.metagraph, 'utf8'), MINER.address);
  await stop(devnet);
});

void t.test('candles are replayed, and orders refused when they are over', async (t) => {
  const folder = makeTemporaryFolder(t);
  const prices = join(folder, 'prices.csv');
  const starts = Array.from({ length: 10 }, (_, minute) => WEDNESDAY_MS + minute * 60_000);
  const rows = starts.map((startMs) => `BTCUSD,${startMs},100,100,100,100`);
  writeFileSync(prices, ['trade_pair,start_ms,open,high,low,close', ...rows].join('\n'));
  const root = join(folder, 'root');
  const args = ['--miners', '0', '--metagraph', ownMiner(folder), '--prices', prices];
  const devnet = await start(t, root, ...args, '--speed', '300');
  const axon = { ip: '127.0.0.1', port: devnet.port, hotkey: devnet.hotkey };
  t.equal((await sendOrder(MINER, axon, LONG, 'one')).error, '');
  t.equal(positionsIn(root)[0]?.orders[0]?.price, 100);
  let [error, sent] = ['', 0];
  const isOver = async (): Promise<boolean> => {
    ({ error } = await sendOrder(MINER, axon, LONG, `order-${++sent}`));
    return error.includes('no live prices being found');
  };
  await waitFor(isOver, { what: () => `the prices are over, not ${error}` });
  await stop(devnet);
  const other = runDevnet(t, ['run', '--root', root]);
  t.equal(await other.ended(), 2);
  t.equal(
    other.stderr(),
    'ptn-devnet: the folder needs the --prices that it was made with; give the same, or choose a new folder\n',
  );
});

void t.test('what is in the way of a start is named', async (t) => {
  const folder = makeTemporaryFolder(t);
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  t.teardown(
    () =>
      new Promise<void>((resolve) =>
        taken.close(() => {
          resolve();
        }),
      ),
  );
  const { port } = taken.address() as AddressInfo;
  const metagraph = join(folder, 'broken.json');
  writeFileSync(metagraph, '{"netuid": 8, "neurons": [{}]}');
  const csv = join(folder, 'broken.csv');
  writeFileSync(csv, 'trade_pair,start_ms,open,high,low,close\nBTCUSD,x,1,1,1,1\n');
  const broken = join(folder, 'broken');
  mkdirSync(join(broken, 'validation'), { recursive: true });
  writeFileSync(join(broken, 'validation/eliminations.json'), '[]');
  const root = join(folder, 'root');
  const cases: [args: readonly string[], name: string, message: RegExp][] = [
    [
      ['--axon-port', String(port)],
      'UsageError',
      /^orders cannot be taken at 127.0.0.1, port \d+ \(EADDRINUSE\): choose another --axon-host or --axon-port$/,
    ],
    [['--metagraph', metagraph], 'MetagraphError', /broken.json: neurons\[0\]: hotkey must be a text$/],
    [['--metagraph', join(folder, 'none')], 'MetagraphError', /none cannot be read \(ENOENT/],
    [['--prices', csv], 'PricesFileError', /broken.csv, line 2: start_ms is "x", not Unix ms$/],
    [['--root', broken], 'BadFolderError', /^validation\/eliminations.json holds no list of eliminations/],
  ];
  const log = createLogger({ name: 'test', level: 'info', destination: { write: () => undefined } });
  for (const [index, [args, name, message]] of cases.entries()) {
    const place = args.includes('--root') ? [] : ['--root', join(root, String(index))];
    await t.rejects(
      runValidator(parseRunOptions([...place, ...args]), log),
      { name, message },
      String(message),
    );
  }
});

void t.test('the process says so and ends', async (t) => {
  const folder = makeTemporaryFolder(t);
  writeFileSync(join(folder, 'file'), '');
  const cases: [args: readonly string[], code: number, line: RegExp][] = [
    [[], 2, /^ptn-devnet: Missing required argument: root\n$/],
    [['--root', join(folder, 'file', 'root')], 1, /^ptn-devnet: cannot go on: ENOTDIR[^\n]*\n$/],
    [
      ['--root', folder, '--metagraph', join(folder, 'none')],
      1,
      /^ptn-devnet: \S+none cannot be read[^\n]*\n$/,
    ],
  ];
  for (const [args, code, line] of cases) {
    const devnet = runDevnet(t, ['run', ...args]);
    t.equal(await devnet.ended(), code, devnet.stderr());
    t.match(devnet.stderr(), line);
  }
});

void t.test('what a command line asks for is taken, or said to be impossible', (t) => {
  t.match(parseRunOptions(['--root', '/r']), {
    ...{
      root: '/r',
      seed: undefined,
      generation: undefined,
      miners: 8,
      founders: undefined,
      metagraph: undefined,
    },
    ...{ prices: undefined, speed: 1, startMs: undefined, axonHost: '127.0.0.1', axonPort: 8091 },
    isVerbose: false,
  });
  t.match(
    parseRunOptions([
      ...['--root=/r', '--seed=3', '--generation=2025-06', '--miners=0', '--metagraph=/m', '--prices=/p'],
      ...['--speed=0.5', `--start-ms=${WEDNESDAY_MS}`, '--axon-host=::1', '--axon-port=0'],
    ]),
    {
      ...{ seed: 3, generation: '2025-06', miners: 0, metagraph: '/m', prices: '/p', speed: 0.5 },
      ...{ startMs: WEDNESDAY_MS, axonHost: '::1', axonPort: 0 },
    },
  );
  const wrong: [arg: string, message: RegExp][] = [
    ['--miners=257', /^--miners needs a whole number from 0 to 256, given once$/],
    ['--miners=x', /^--miners needs a whole number/],
    ['--founders=-1', /^--founders needs a whole number from 0 to 256, given once$/],
    ['--speed=0', /^--speed needs a number from 0.1 to 86400, given once$/],
    ['--start-ms=1747231200', /^--start-ms needs a whole number from 1577836800000/],
    ['--axon-port=70000', /^--axon-port needs a whole number from 0 to 65535/],
    ['--axon-host=localhost', /^--axon-host localhost is no address, such as 127.0.0.1 or 0.0.0.0$/],
    ['--root=/s', /^--root needs one value, given once$/],
    ['--prices=', /^--prices needs one value, given once$/],
    ['--generation=2024-04', /^Invalid values: Argument: generation, Given: "2024-04", Choices:/],
    ['--nothing', /^Unknown argument: nothing$/],
  ];
  for (const [arg, message] of wrong) {
    t.throws(() => parseRunOptions(['--root=/r', arg]), { name: 'UsageError', message }, arg);
  }
  t.end();
});
