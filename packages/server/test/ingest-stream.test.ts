import { makePtnRoot, startServer, waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { WebSocket } from 'ws';
import { trade } from './feed-fixture.ts';
import { IngestSender } from './ingest-fixture.ts';

const keys = { user: { key: 'the-key', tier: 100 } };

interface StreamedOrder {
  readonly sequence: number;
  readonly data: { readonly position: { readonly position_uuid: string } };
}

await t.test('an order that is handed in reaches a client before it is in a file, and once', async (t) => {
  const root = makePtnRoot(t, { positions: [trade({ uuid: 'old', times: [Date.now() - 3_600_000] })], keys });
  const server = await startServer(t, { root: root.path });
  const received: string[] = [];
  let isSubscribed = false;
  const client = new WebSocket(server.wsUrl);
  t.teardown(() => {
    client.terminate();
  });
  client.on('open', () => {
    client.send(JSON.stringify({ api_key: 'the-key' }));
    client.send(JSON.stringify({ type: 'subscribe', all: true }));
  });
  client.on('message', (bytes: Buffer) => {
    const message = JSON.parse(bytes.toString()) as Partial<StreamedOrder> & {
      type?: string;
      messages?: StreamedOrder[];
    };
    if (message.type === 'subscription_status') isSubscribed = true;
    for (const { data } of message.messages ??
      (message.sequence === undefined ? [] : [message as StreamedOrder]))
      received.push(data.position.position_uuid);
  });
  await waitFor(() => isSubscribed, { what: 'the client is subscribed' });

  const sender = await IngestSender.connect(t, root.join('.ptn-api', 'ingest.sock'));
  const handedIn = trade({ uuid: 'handed-in', times: [Date.now()] });
  sender.put(handedIn);
  await waitFor(() => received.length === 1, { what: 'the client has it' });
  t.same(await sender.answered(1), [{ ok: true, sequence: 1, duplicate: false }]);
  const snapshot = async () => {
    const response = await fetch(`${server.url}/miner-positions`, {
      headers: { Authorization: 'Bearer the-key' },
    });
    return { sequence: response.headers.get('x-sequence'), text: await response.text() };
  };
  const before = await snapshot();
  t.equal(before.sequence, '0');
  t.notMatch(before.text, 'handed-in');

  root.writePosition(handedIn);
  root.writePosition(trade({ uuid: 'next', times: [Date.now()] }));
  await waitFor(() => received.includes('next'), { what: 'an order that came after it' });
  t.same(received, ['handed-in', 'next']);
  await waitFor(async () => (await snapshot()).sequence === '2', { what: 'the positions are complete' });
  t.match((await snapshot()).text, 'handed-in');
  t.match(server.output(), '"event":"ingest-socket"');
});
