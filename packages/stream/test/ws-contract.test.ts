/** Every exchange that existing clients rely on, as it was recorded of the Python servers. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { makeTemporaryFolder } from '@ptn-api/testkit';
import type { TestScope } from '@ptn-api/testkit';
import { noDifference, runServerVectors, runTranscript } from '@ptn-api/testkit/vectors';
import t from 'tap';

const FIXTURES = fileURLToPath(new URL('../fixtures', import.meta.url));

void t.test('recorded transcripts are answered the same, but for what differs on purpose', async (t) => {
  const results = [];
  for await (const result of runServerVectors(FIXTURES)) results.push(result);
  t.same(
    results.map(({ path, cases, difference }) => [path, cases, difference.unequal]),
    [
      ['ws/2025.json.gz', 72, []],
      ['ws/account-size.json.gz', 72, []],
      ['ws/quantity.json.gz', 27, []],
    ],
  );
  t.same(
    results.map(({ difference }) => difference.expected.filter((line) => /not replayed/.test(line)).length),
    [5, 5, 0],
    'scenarios that are no contract',
  );
});

// --- transcripts that differ ----------------------------------------------------------------------------------------

type Draft = readonly [conn: string, dir: 'c' | 's' | '-', kind: string, more?: object];

const OPEN: object = { line: 'GET / HTTP/1.1' };
const LOGGED_IN = {
  status: 'success',
  message: 'Authentication successful.',
  current_sequence: 0,
  tier: 100,
};
const SUBSCRIBED = {
  type: 'subscription_status',
  status: 'success',
  all: true,
  action: 'subscribe',
  sender_timestamp: 0,
  received_timestamp: 1,
};

function json(value: unknown): object {
  return { json: value };
}

function order(sequence: unknown, data: unknown = { type: 'test' }): object {
  return json({ sequence, timestamp: 5, data });
}

function login(conn: string, more: object = {}): Draft[] {
  return [
    [conn, 'c', 'http', OPEN],
    [conn, 'c', 'text', json({ api_key: 'key-tier100', ...more })],
    [conn, 's', 'text', json(LOGGED_IN)],
  ];
}

/** More than a server reads. */
function tooLarge(conn: string, code: number): Draft[] {
  return [
    [conn, 'c', 'http', OPEN],
    [conn, 'c', 'text', { raw: 'x'.repeat(1_100_000) }],
    [conn, 's', 'close', { code }],
  ];
}

function subscriber(conn: string): Draft[] {
  return [
    ...login(conn),
    [conn, 'c', 'text', json({ type: 'subscribe', all: true })],
    [conn, 's', 'text', json(SUBSCRIBED)],
  ];
}

function writeText(scope: TestScope, text: string): string {
  const folder = join(makeTemporaryFolder(scope), 'ws');
  mkdirSync(folder);
  writeFileSync(join(folder, 'one.json'), text);
  return folder;
}

function textOf(drafts: readonly Draft[], scenario = 'made up'): string {
  const events = drafts.map(([conn, dir, kind, more]) => ({ scenario, conn, dir, kind, ...more }));
  return JSON.stringify({ events });
}

/** What `npm run vectors` finds in a file of this text. */
async function differenceOf(scope: TestScope, text: string) {
  for await (const { difference } of runServerVectors(writeText(scope, text))) return difference;
  throw new Error('it was not recognised');
}

void t.test('a position that does not follow from what its file held later differs', async (t) => {
  const text = gunzipSync(readFileSync(join(FIXTURES, 'ws/quantity.json.gz'))).toString();
  const damaged = text.replace(/("net_value": ?)20000/, '$17');
  const { unequal } = await differenceOf(t, damaged);
  t.equal(unequal.length, 1, unequal.join('\n'));
  t.match(unequal[0], /^orders: market, new position: data\/position\/net_value: 20000.* for 7/);
});

void t.test('batches, and numbers that nobody received, are the same orders', async (t) => {
  const batch = json({
    type: 'batch',
    messages: [
      { sequence: 3, timestamp: 5, data: null },
      { sequence: 4, timestamp: 5, data: 'four' },
    ],
    count: 2,
  });
  const { unequal } = await differenceOf(t, textOf([...subscriber('a'), ['a', 's', 'text', batch]]));
  t.same(unequal, []);
});

void t.test('who wants to go on after an order that is yet to come is told so, on purpose', async (t) => {
  const drafts: Draft[] = [
    ...login('a', { last_sequence: 9 }),
    ['a', 'c', 'text', json({ type: 'subscribe', all: true })],
    ['a', 's', 'text', json(SUBSCRIBED)],
  ];
  const { unequal, expected } = await differenceOf(t, textOf(drafts));
  t.same(unequal, []);
  t.match(expected.join('\n'), /^1 times: resumed: /m);
});

void t.test('a key in the recorded handshake logs in, and the server speaks first', async (t) => {
  const headers = { upgrade: 'websocket', authorization: 'Bearer key-tier100' };
  const drafts: Draft[] = [
    ['a', 'c', 'http', { ...OPEN, headers }],
    ['a', 's', 'text', json(LOGGED_IN)],
  ];
  t.same((await differenceOf(t, textOf(drafts))).unequal, []);
  const none = textOf([['a', 'c', 'http', { ...OPEN, headers: null }], ...drafts]);
  t.same((await differenceOf(t, none)).unequal, [], 'a request without an upgrade opens nothing');
});

const OTHER_ANSWERS: readonly (readonly [
  name: string,
  drafts: readonly Draft[],
  unequal: readonly RegExp[],
])[] = [
  [
    'another member',
    [...login('a').slice(0, 2), ['a', 's', 'text', json({ ...LOGGED_IN, tier: 500, more: 1 })]],
    [/^made up: tier: 100 for 500$/, /^made up: more: absent for 1$/],
  ],
  [
    'a member that was not recorded',
    [...login('a').slice(0, 2), ['a', 's', 'text', json({ status: 'success' })]],
    [/message: "Auth.* for absent$/, /current_sequence: 0 for absent$/, /tier: 100 for absent$/],
  ],
  [
    'the content of an order that two clients received',
    [
      ...subscriber('a'),
      ...subscriber('b'),
      ['a', 's', 'text', order(1, 'one')],
      ['b', 's', 'text', order(1, 'other')],
    ],
    [/order 1 was there before, as another one$/, /data: "one" for "other"$/],
  ],
  [
    'an order that one of two did not receive',
    [...subscriber('a'), ...subscriber('b'), ['a', 's', 'text', order(1)]],
    [/^at the end: b got \{"sequence":1,.* for nothing$/],
  ],
  [
    'a position that cannot be accounted',
    [...subscriber('a'), ['a', 's', 'text', order(1, { position: { orders: [] } })]],
    [/^made up: data\/position: "an error" for \{"orders":\[\]\}$/],
  ],
  [
    'the code of a closing',
    [
      ['a', 'c', 'http', OPEN],
      ['a', 'c', 'text', { raw: 'hello' }],
      ['a', 's', 'close', { code: 1011 }],
      ['b', 'c', 'http', OPEN],
      ['b', 'c', 'text', json({ api_key: 'key-legacy' })],
      ['b', 's', 'text', json(LOGGED_IN)],
    ],
    [/^made up: a was closed with 4\d\d\d for 1011$/],
  ],
  [
    'a closing without a word',
    [...tooLarge('a', 1009), ...tooLarge('b', 1000), ...login('c')],
    [/^made up: b was closed with 1009 for 1000$/, /^made up: b got no reason for its close$/],
  ],
  [
    'the status of plain HTTP',
    [...login('a'), ['-', 's', 'plain-http', { text: 'HTTP/1.1 400 Bad Request' }]],
    [/^made up: HTTP 426 for 400$/],
  ],
  ['nothing at all', [], [/^no exchange to compare$/]],
];
for (const [name, drafts, wanted] of OTHER_ANSWERS) {
  void t.test(`${name} differs`, async (t) => {
    const { unequal } = await differenceOf(t, textOf(drafts));
    t.equal(unequal.length, wanted.length, unequal.join('\n'));
    for (const [index, line] of wanted.entries()) t.match(unequal[index], line);
  });
}

void t.test('a message or a closing that does not come differs', async (t) => {
  const drafts: Draft[] = [
    ...login('a'),
    ['a', 'c', 'text', json({ type: 'ping' })],
    ['a', 's', 'text', json({ type: 'pong', client_timestamp: 0, server_timestamp: 1, timestamp: 1 })],
    ['a', 's', 'text', json({ type: 'pong', client_timestamp: 0, server_timestamp: 1, timestamp: 1 })],
    ...login('b'),
    ['b', 's', 'close', { code: 1011 }],
  ];
  const difference = noDifference();
  const path = join(writeText(t, textOf(drafts)), 'one.json');
  t.equal(await runTranscript(path, difference, 1500), 4);
  t.match(difference.unequal, [
    /^made up: nothing came to a for \{"type":"pong"/,
    /^made up: b was not closed$/,
  ]);
});

void t.test('a scenario that is no contract is not replayed, and said to be so', async (t) => {
  const { unequal, expected } = await differenceOf(t, textOf(login('a'), 'auth: Authorization header only'));
  t.same(unequal, ['no exchange to compare']);
  t.match(expected, [/^auth: Authorization header only: not replayed: /]);
});

void t.test('a damaged transcript differs, with what is damaged', async (t) => {
  const cases: readonly (readonly [text: string, unequal: RegExp])[] = [
    ['{"events": [', /JSON/],
    ['null', /no list of events/],
    ['{"events": 5}', /no list of events/],
    ['{"events": [null]}', /^event 0: no scenario/],
    ['{"events": [{"scenario": "x", "conn": "a", "dir": "up", "kind": "text"}]}', /^event 0: no scenario/],
    [textOf([['a', 'c', 'smoke']]), /^event 0: an unknown kind "smoke"$/],
    [textOf([['a', 's', 'close']]), /^event 0: a closing without a code$/],
    [textOf([['a', 'c', 'http', { line: 'POST /' }]]), /^event 0: a handshake without a path$/],
    [textOf([['-', 's', 'plain-http', { text: 'hello' }]]), /^event 0: an HTTP answer without a status$/],
    [textOf([['a', 'c', 'text']]), /^event 0: a message without its text$/],
    [textOf([['a', 's', 'text', json([])]]), /^event 0: a message of the server that is no object$/],
    [textOf([['a', 's', 'text', json(LOGGED_IN)]]), /^made up: a was never opened$/],
    [textOf([...subscriber('a'), ['a', 's', 'text', order('1')]]), /an order with the number "1"$/],
    [textOf([...subscriber('a'), ['a', 's', 'text', order(1e12)]]), /^a jump of 999999999999 orders/],
    [
      textOf([...subscriber('a'), ['a', 's', 'text', order(1)], ['a', 's', 'text', order(3)]]),
      /^made up: order 3 after 1$/,
    ],
    [
      textOf([...subscriber('a'), ['a', 's', 'text', order(1, { position: {} })]]),
      /a position without orders$/,
    ],
  ];
  for (const [text, unequal] of cases) {
    const found = (await differenceOf(t, text)).unequal;
    t.equal(found.length, 1, found.join('\n'));
    t.match(found[0], unequal, text.slice(0, 200));
  }
});
