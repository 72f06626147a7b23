import { once } from 'node:events';
import t from 'tap';
import { grant, KEY, serve, until } from './ws-fixture.ts';

for (const [what, send, answer] of [
  [
    'messages',
    (socket) => {
      socket.send('{"type":"ping"}');
    },
    'message',
  ],
  [
    'texts that are no JSON',
    (socket) => {
      socket.send('{');
    },
    'message',
  ],
  [
    'protocol pings',
    (socket) => {
      socket.ping();
    },
    'pong',
  ],
] as const satisfies readonly (readonly [
  string,
  (socket: { send: (text: string) => void; ping: () => void }) => void,
  string,
])[]) {
  await t.test(`${what} beyond the budget of a key wait, and all are answered`, async (t) => {
    const { client } = await serve(t, { grants: [grant(KEY, 100), grant('other', 100)] });
    const [flooding, other] = [await client(), await client({ api_key: 'other' })];
    let answers = 0;
    flooding.socket.on(answer, () => (answers += 1));
    const startedMs = performance.now();
    for (let message = 0; message < 3000; message++) send(flooding.socket);
    other.socket.ping();
    await once(other.socket, 'pong');
    const byThenMs = performance.now() - startedMs;
    t.ok(answers <= 2100 + byThenMs, `${answers} answers when another client has its own`);
    while (answers < 3000) await once(flooding.socket, answer);
    const tookMs = performance.now() - startedMs;
    // 1,000 of them.
    t.ok(tookMs >= 900, `${tookMs.toFixed(0)} ms`);
    t.equal(answers, 3000);
  });
}

await t.test('pongs that nobody asked for count as messages', async (t) => {
  const { client } = await serve(t);
  const flooding = await client();
  const startedMs = performance.now();
  for (let pong = 0; pong < 3000; pong++) flooding.socket.pong('nobody asked');
  flooding.socket.send('{"type":"ping"}');
  await once(flooding.socket, 'message');
  const tookMs = performance.now() - startedMs;
  t.ok(tookMs >= 900, `${tookMs.toFixed(0)} ms`);
});

await t.test('what is held up goes with its connection', async (t) => {
  const { client, streams } = await serve(t);
  const flooding = await client();
  for (let message = 0; message < 5000; message++) flooding.socket.send('{"type":"ping"}');
  await once(flooding.socket, 'message');
  flooding.socket.terminate();
  await streams.drain(5000);
  t.equal(streams.openCount, 0);
});

await t.test('a key whose connections come and go fills no log', async (t) => {
  const { client, streams, logged } = await serve(t);
  for (let connection = 0; connection < 50; connection++) (await client()).socket.terminate();
  await until(() => streams.openCount === 0);
  const lines = logged
    .map((line) => JSON.parse(line) as { event: string; level: number })
    .filter(({ event }) => event === 'ws-authenticated' || event === 'ws-closed');
  t.equal(lines.length, 100);
  t.equal(lines.filter(({ level }) => level === 30).length, 60);
});
