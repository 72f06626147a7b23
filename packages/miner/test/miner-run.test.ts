import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning, waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { API_KEY, makeMinerWorld, postSignal } from './miner-fixture.ts';

const BTC = { trade_pair: 'BTCUSD', order_type: 'LONG', leverage: 0.1 };
const QUICK = [
  '--second-attempt-after-ms',
  '100',
  '--third-attempt-after-ms',
  '100',
  '--order-timeout-ms',
  '600',
];

void t.test('a signal becomes an order at every validator, and its file a processed one', async (t) => {
  const world = await makeMinerWorld(t, [() => 'accept', () => 'accept']);
  const miner = world.start();
  await miner.ready();
  const sent = await world.command(
    'send',
    'btcusd',
    'long',
    '0.1',
    '--url',
    `http://127.0.0.1:${world.port}`,
  );
  t.match(sent.stdout, /^Signal .* received successfully\n$/);
  t.equal(sent.code, 0);
  await waitFor(() => world.filesOf('processed').length === 1, { what: 'the signal is processed' });
  const [uuid = ''] = world.filesOf('processed');
  await waitFor(() => world.filesOf('received').length === 0, { what: 'its own file is removed' });
  const orders = world.validators.map((validator) => validator.orders);
  t.same(
    orders.map((list) => list.map((order) => [order.uuid, order.sender])),
    [[[uuid, world.keypair.address]], [[uuid, world.keypair.address]]],
  );
  t.match(orders[0]?.[0]?.signal, /"trade_pair_id": "BTCUSD".*"order_type": "LONG", "leverage": 0\.1}$/);
  t.same(
    Object.keys(world.processed(uuid).created_orders).sort(),
    world.validators.map(({ hotkey }) => hotkey).sort(),
  );
  t.same(
    world.validators.flatMap(({ refusals }) => refusals),
    [],
  );

  await waitFor(() => existsSync(join(world.mining, 'miner_status.json')), { what: 'the status is written' });
  await waitFor(
    async () => {
      const { stdout } = await world.command('status', '--json');
      const status = JSON.parse(stdout) as {
        isRunning: boolean;
        sent: number;
        validators: { accepted: number }[];
      };
      return (
        status.isRunning && status.sent === 1 && status.validators.every(({ accepted }) => accepted === 1)
      );
    },
    { what: 'the status shows it' },
  );
  t.match((await world.command('status')).stdout, /^sent {5}1$/m);
  t.equal(await miner.stop(), 0);
  t.match((await world.command('status')).stdout, /does not run/);
  t.notMatch(world.output, API_KEY);
  t.notMatch(world.output, /"?0101010101/, 'the seed is nowhere');
});

void t.test(
  'a refused signal has failed with its reasons, and can be sent again to those that refused',
  async (t) => {
    const world = await makeMinerWorld(t, [() => 'accept', () => 'refuse']);
    const miner = world.start(...QUICK);
    await miner.ready();
    t.equal((await postSignal(world.port, BTC)).status, 200);
    await waitFor(() => world.filesOf('failed').length === 1, { what: 'the signal has failed' });
    const [uuid = ''] = world.filesOf('failed');
    const file = JSON.parse(
      JSON.parse(readFileSync(join(world.mining, 'failed_signals', uuid), 'utf8')) as string,
    ) as {
      error_messages_dict: Record<string, string[]>;
    };
    const [good, bad] = world.validators;
    t.same(file.error_messages_dict, {
      [bad?.hotkey ?? '']: Array<string>(3).fill('Error processing order for [x] with error [no]'),
    });
    t.match(
      (await world.command('failed')).stdout,
      new RegExp(`${uuid}.*\\n.*with error \\[no\\]\\n.*taken by`),
    );
    if (bad !== undefined) bad.behaviour = () => 'accept';
    t.equal((await world.command('failed', '--resend', uuid)).code, 0);
    await waitFor(() => world.filesOf('processed').length === 1, { what: 'it is processed now' });
    // Its other files are removed once the outcome is on disk.
    const left = (): string[] => [...world.filesOf('failed'), ...world.filesOf('received')];
    await waitFor(() => left().length === 0, { what: 'no other file of it is left' });
    t.equal(good?.requests, 1, 'who has it is not asked again');
    t.same(Object.keys(world.processed(uuid).created_orders).length, 2);
    const absent = await world.command('failed', '--resend', uuid);
    t.equal(absent.code, 1);
    t.match(absent.stderr, /no failed signal is called/);
  },
);

void t.test('each part is started again by itself, and without their parent they end', async (t) => {
  const world = await makeMinerWorld(t, [() => 'accept']);
  const miner = world.start();
  await miner.ready();
  const before = miner.partPids();
  t.equal(before.length, 3);
  for (const pid of before) {
    process.kill(pid, 'SIGKILL');
    await waitFor(() => miner.partPids().length === 3 && !isRunning(pid), { what: 'it is there again' });
  }
  t.equal(miner.partPids().filter((pid) => before.includes(pid)).length, 0);
  await waitFor(async () => (await postSignal(world.port, BTC)).status === 200, {
    what: 'signals are taken again',
  });
  await waitFor(() => world.filesOf('processed').length === 1, { what: 'and sent' });
  const parts = miner.partPids();
  process.kill(miner.pid, 'SIGKILL');
  await waitFor(() => parts.every((pid) => !isRunning(pid)), { what: 'the parts have ended' });
});

void t.test('a part that is killed while the miner starts is started again', async (t) => {
  const world = await makeMinerWorld(t, [() => 'accept']);
  const miner = world.start();
  await waitFor(() => miner.partPids().length > 0, { what: 'the first part starts' });
  for (const pid of miner.partPids()) process.kill(pid, 'SIGKILL');
  await miner.ready();
  t.match(miner.printed(), /sender ended before it was ready \(SIGKILL\)/);
  t.equal((await postSignal(world.port, BTC)).status, 200);
  await waitFor(() => world.filesOf('processed').length === 1, { what: 'the signal is sent' });
});

void t.test('two miners on one machine have a page each, of what validators say of them', async (t) => {
  const world = await makeMinerWorld(t, [() => 'accept']);
  const mining = join(world.folder, 'other-mining');
  mkdirSync(mining);
  copyFileSync(join(world.mining, 'miner_secrets.json'), join(mining, 'miner_secrets.json'));
  const others = ['--wallet.hotkey', 'other', '--mining-dir', mining, '--signals-port', '0'];
  const miners = [
    { miner: world.start('--start-dashboard'), hotkey: world.keypair.address },
    { miner: world.start('--start-dashboard', ...others), hotkey: world.otherKeypair.address },
  ];
  const urls = await Promise.all(
    miners.map(async ({ miner, hotkey }) => {
      await miner.ready();
      const url = /its page at (http:\S+\/), its data at/.exec(miner.printed())?.[1] ?? '';
      const page = await fetch(url);
      t.match(await page.text(), '<div id="page">');
      t.match(page.headers.get('content-security-policy'), /^default-src 'self'; connect-src 'self'; /);
      const status = async () =>
        (await (await fetch(`${url}status.json`)).json()) as { hotkey: string; answered_ms: number | null };
      t.equal((await status()).hotkey, hotkey);
      await waitFor(async () => (await status()).answered_ms !== null, {
        what: 'the validator has answered',
      });
      const data = (await (await fetch(`${url}miner-data`)).json()) as { positions: object };
      t.same(data.positions, { [hotkey]: { n_positions: null } });
      return url;
    }),
  );
  t.not(urls[0], urls[1]);
});

void t.test('a miner that cannot start says why in one line', async (t) => {
  const world = await makeMinerWorld(t, [() => 'accept']);
  const refused = async (expected: RegExp, ...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await world.command('run', ...args);
    t.equal(code, 1);
    t.match(stderr, expected);
    t.equal(stderr.split('\n').length, 2, 'one line');
  };
  const wallet = ['--wallet.path', join(world.folder, 'wallets'), '--wallet.name', 'w', '--wallet.hotkey'];
  await refused(/hotkey .*x: there is none/, ...wallet, 'x');
  await refused(/"\.\." is no name/, ...wallet, '..');
  writeFileSync(join(world.folder, 'metagraph.json'), '{"netuid": 8, "neurons": []}');
  await refused(/Your miner is not registered\. Please register and try again\./, ...wallet, 'h');
  writeFileSync(join(world.folder, 'metagraph.json'), '{"netuid": 116, "neurons": []}');
  await refused(/netuid is 116, and the miner was started with --netuid 8/, ...wallet, 'h');
  world.writeMetagraph();
  writeFileSync(join(world.mining, 'miner_secrets.json'), '{"api_kez": "x"}');
  await refused(/has no api_key/, ...wallet, 'h');
  writeFileSync(join(world.mining, 'miner_secrets.json'), JSON.stringify({ api_key: API_KEY }));

  const miner = world.start();
  await miner.ready();
  const second = world.start('--signals-port', '0');
  t.equal(await second.exited, 1);
  t.match(world.output, /another miner sends the signals in .*--mining-dir/);
  const other = join(world.folder, 'other');
  const twice = await world.command('run', '--netuid', '8', '--netuid', '116');
  t.equal(twice.code, 2);
  t.match(twice.stderr, /--netuid is given twice/);
  t.equal((await world.command('send', 'BTCUSD', 'LONG', '1', '--mining-dir', other)).code, 1);
});
