import { mkdirSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseJson, plainValue } from '@ptn-api/positions';
import { makeTemporaryFolder, waitFor } from '@ptn-api/testkit';
import type { TestScope } from '@ptn-api/testkit';
import { parseMetagraph } from '@ptn-api/wire';
import t from 'tap';
import { Sender, makeMiningFolder, miningFolder, validatorsOf } from '../dist/index.js';
import type { AttemptResult, MiningFolder, SenderOptions } from '../dist/index.js';

const [V0, V1] = [
  '5HYtb3BJDfjhZmkni4hN5xsVzNtf9HrAYcUpQmSQxLKiumkp',
  '5FntUfpakvz4NF4UWjD89pgvEiBRmPA1aaCHbxrsTD5tSrma',
];
const METAGRAPH = parseMetagraph(
  JSON.stringify({
    netuid: 8,
    neurons: [V0, V1].map((hotkey, index) => ({
      hotkey,
      stake_rao: 2000,
      validator_trust: 0.9,
      axon: { ip: `192.0.2.${index + 1}`, port: 8091 },
    })),
  }),
);
const OK: AttemptResult = { kind: 'accepted', orderJson: 'an order' };
const signal = (pair: string, more = ''): string =>
  `{"trade_pair": {"trade_pair_id": "${pair}"}, "order_type": "LONG", "leverage": 0.1${more}}`;

interface SenderWorld {
  readonly folder: MiningFolder;
  /** `hotkey uuid` of each attempt, in their order. */
  readonly attempts: string[];
  readonly faults: string[];
  readonly put: (name: string, text: string, seconds?: number) => void;
  readonly sender: (changes?: Partial<SenderOptions>) => Sender;
  readonly names: (of: 'received' | 'processed' | 'failed' | 'attempts') => string[];
  readonly failed: (name: string) => { error_messages_dict: Record<string, string[]> };
}

async function makeWorld(
  scope: TestScope,
  answer: (hotkey: string, uuid: string) => AttemptResult | Promise<AttemptResult>,
): Promise<SenderWorld> {
  const folder = miningFolder(join(makeTemporaryFolder(scope), 'mining'));
  await makeMiningFolder(folder);
  const attempts: string[] = [];
  const faults: string[] = [];
  return {
    folder,
    attempts,
    faults,
    put: (name, text, seconds = 100) => {
      writeFileSync(join(folder.received, name), text);
      utimesSync(join(folder.received, name), seconds, seconds);
    },
    names: (of) => readdirSync(folder[of]).sort(),
    failed: (name) =>
      JSON.parse(JSON.parse(readFileSync(join(folder.failed, name), 'utf8')) as string) as never,
    sender: (changes = {}) => {
      const sender = new Sender({
        folder,
        validators: () => validatorsOf(METAGRAPH, 'mainnet'),
        attempt: async ({ hotkey }, _signal, uuid, abort) => {
          attempts.push(`${hotkey} ${uuid}`);
          const aborted = new Promise<never>((_resolve, reject) => {
            abort.addEventListener('abort', () => {
              reject(new Error('aborted'));
            });
          });
          return Promise.race([answer(hotkey, uuid), aborted]);
        },
        clock: { nowMs: Date.now, sleep: () => Promise.resolve() },
        retryTimes: { secondAfterMs: 20_000, thirdAfterMs: 40_000 },
        retryWithinMs: 96_000,
        writeFailed: true,
        recentlyAcked: new Set(),
        onAttempt: () => undefined,
        onOutcome: () => undefined,
        onFault: (error, text) => faults.push(`${text}: ${String(error)}`),
        ...changes,
      });
      scope.teardown(() => sender.close());
      return sender;
    },
  };
}

void t.test(
  'of one pair each validator gets signals in their order, and a slow one holds up nobody else',
  async (t) => {
    let release: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => (release = resolve));
    const world = await makeWorld(t, async (hotkey, uuid) => {
      if (hotkey === V1 && uuid === 'first') await slow;
      return OK;
    });
    world.put('second', signal('BTCUSD'), 200);
    world.put('first', signal('BTCUSD'), 100);
    world.put('other', signal('EURUSD'), 300);
    const sender = world.sender();
    await sender.scan();
    await waitFor(() => world.attempts.length >= 5, { what: 'all that can be sent is sent' });
    t.same(
      world.attempts.filter((text) => text.startsWith(V0) && !text.endsWith('other')),
      [`${V0} first`, `${V0} second`],
    );
    t.same(world.attempts.filter((text) => text.startsWith(V1)).sort(), [`${V1} first`, `${V1} other`]);
    release();
    await sender.idle();
    t.same(world.attempts.at(-1), `${V1} second`);
    t.same(
      [world.names('processed'), world.names('received'), world.names('attempts')],
      [['first', 'other', 'second'], [], []],
    );
  },
);

void t.test('bad files are set aside with their reason, and the others are sent', async (t) => {
  const world = await makeWorld(t, () => OK);
  world.put('bad-json', '{"trade_pair":');
  world.put('no-pair', '{"leverage": 1}');
  world.put('no-id', '{"trade_pair": "BTCUSD"}');
  world.put('a list', '[]');
  world.put('large', 'x'.repeat(70_000));
  world.put('under_score', signal('BTCUSD'));
  world.put('good', signal('BTCUSD'));
  world.put('twice', JSON.stringify(signal('EURUSD')));
  world.put('quotes', signal('ETHUSD').replaceAll('"', "'"));
  world.put('.hidden.swp', 'junk');
  writeFileSync(join(world.folder.received, 'unfinished'), '{"trade');
  mkdirSync(join(world.folder.received, 'open'));
  writeFileSync(join(world.folder.received, 'open', 'below'), signal('SOLUSD'));
  const sender = world.sender();
  await sender.scan();
  await sender.idle();
  t.same(world.names('processed'), ['below', 'good', 'quotes', 'twice']);
  t.same(world.names('received'), ['.hidden.swp', 'open', 'unfinished'], 'what is being written waits');
  const reasons = world
    .names('failed')
    .map((name) => [name, world.failed(name).error_messages_dict['miner']?.[0]]);
  t.match(reasons, [
    ['a list', 'it holds no object'],
    ['bad-json', /^it is no JSON: Expecting value: line 1 column 15/],
    ['large', /70000 bytes/],
    ['no-id', /has no 'trade_pair_id'/],
    ['no-pair', "it has no 'trade_pair'"],
    ['under_score', /letters, digits and dashes/],
  ]);
});

void t.test('a uuid is used once; what cancels an order bears its uuid', async (t) => {
  const world = await makeWorld(t, () => OK);
  const sender = world.sender();
  const send = async (text: string): Promise<void> => {
    world.put('u-1', text);
    await sender.scan();
    await sender.idle();
  };
  await send(signal('BTCUSD'));
  await send(signal('BTCUSD'));
  t.equal(world.attempts.length, 2, 'nobody was asked again');
  t.match(world.failed('u-1').error_messages_dict, { miner: ['Duplicate miner order uuid u-1'] });
  await send(signal('BTCUSD', ', "execution_type": "LIMIT_CANCEL"'));
  t.equal(world.attempts.length, 4);
  t.same(world.names('processed'), ['u-1', 'u-1.2']);
});

void t.test('an order whose answer was lost is in when the validator says that it has it', async (t) => {
  let asked = 0;
  const world = await makeWorld(t, (hotkey, uuid) => {
    if (hotkey === V0) return OK;
    asked += 1;
    if (asked === 1) return { kind: 'unknown', text: 'Request timeout after 12.0 seconds' };
    return {
      kind: 'refused',
      text: `Order with uuid [${uuid}] has already been processed. Please try again with a new order.`,
    };
  });
  world.put('lost', signal('BTCUSD'));
  const sender = world.sender();
  await sender.scan();
  await sender.idle();
  t.equal(asked, 2);
  const file = plainValue(parseJson(readFileSync(join(world.folder.processed, 'lost'), 'utf8')));
  t.same((file as { created_orders: object }).created_orders, { [V0]: 'an order', [V1]: '' });

  asked = 1;
  world.put('used-elsewhere', signal('BTCUSD'));
  await sender.scan();
  await sender.idle();
  t.same(world.names('failed'), ['used-elsewhere'], 'without a lost answer it is a refusal');
});

void t.test('a miner that was ended goes on where it was', async (t) => {
  let hangs = true;
  const world = await makeWorld(t, async (hotkey, uuid) => {
    if (hotkey === V0) return OK;
    if (hangs) await new Promise(() => undefined);
    return {
      kind: 'refused',
      text: `Order with uuid [${uuid}] has already been processed. Please try again with a new order.`,
    };
  });
  world.put('held', signal('BTCUSD'));
  const first = world.sender();
  await first.scan();
  await waitFor(() => world.attempts.length === 2, { what: 'both were asked' });
  await waitFor(() => /"hotkey"/.test(readFileSync(join(world.folder.attempts, 'held.jsonl'), 'utf8')), {
    what: 'an answer is noted',
  });
  // As after a loss of power in the middle of a line.
  writeFileSync(join(world.folder.attempts, 'held.jsonl'), '{"hotkey": "5H', { flag: 'a' });
  rmSync(join(world.folder.received, 'held'));
  hangs = false;
  const second = world.sender();
  await second.resume();
  await second.idle();
  t.same(world.attempts.slice(2), [`${V1} held`], 'who had answered is not asked again');
  t.same([world.names('processed'), world.names('attempts')], [['held'], []]);
});

void t.test('an outcome that a crash kept from its place is put there', async (t) => {
  const world = await makeWorld(t, () => OK);
  world.put('late', signal('BTCUSD'));
  rmSync(world.folder.processed, { recursive: true });
  const first = world.sender();
  await first.scan();
  await first.idle();
  t.match(world.faults.join(), /signal late stays where it is: its outcome could not be written/);
  t.same(world.names('received'), ['late']);
  mkdirSync(world.folder.processed);
  const second = world.sender();
  await second.resume();
  await second.idle();
  t.equal(world.attempts.length, 2, 'it is not sent again');
  t.same([world.names('processed'), world.names('received'), world.names('attempts')], [['late'], [], []]);
});

void t.test('a signal that takes the place of one on its way stays', async (t) => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const world = await makeWorld(t, async () => {
    await held;
    return OK;
  });
  world.put('name', signal('BTCUSD'));
  const sender = world.sender();
  await sender.scan();
  await waitFor(() => world.attempts.length === 2, { what: 'it is on its way' });
  rmSync(join(world.folder.received, 'name'));
  world.put('name', signal('BTCUSD', ', "execution_type": "LIMIT_CANCEL"'), 500);
  release();
  await sender.idle();
  t.same([world.names('processed'), world.names('received')], [['name'], ['name']]);
  await sender.scan();
  await sender.idle();
  t.same([world.names('processed'), world.names('received')], [['name', 'name.2'], []]);
});

void t.test('who waited too long behind others is asked once, and not again', async (t) => {
  let nowMs = 0;
  let release: () => void = () => undefined;
  const allTakenUp = new Promise<void>((resolve) => (release = resolve));
  const world = await makeWorld(t, async () => {
    await allTakenUp;
    nowMs += 12_000;
    return { kind: 'unknown', text: 'Request timeout after 12.0 seconds' };
  });
  const clock = {
    nowMs: () => nowMs,
    sleep: (ms: number) => {
      nowMs += ms;
      return Promise.resolve();
    },
  };
  for (let index = 0; index < 5; index += 1) world.put(`s-${index}`, signal('BTCUSD'), 100 + index);
  const sender = world.sender({ clock, validators: () => validatorsOf(METAGRAPH, 'mainnet').slice(0, 1) });
  await sender.scan();
  release();
  await sender.idle();
  const counts = [0, 1, 2, 3, 4].map(
    (index) => world.attempts.filter((text) => text.endsWith(`s-${index}`)).length,
  );
  t.same(counts, [3, 1, 1, 1, 1]);
  t.equal(world.names('failed').length, 5);
});
