// Connections that are lost, refused or silent, and what the client does then.
import { PtnStreamError } from '@ptn-api/client';
import { waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { startFakeServer } from './fake-server.ts';
import type { FakeSession } from './fake-server.ts';
import { apiKey, follow } from './stream-fixture.ts';

const start = { sequence: 0, epoch: 'log-1' };

await t.test('a connection that breaks: every order once, in order', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      const last = session.authentication.last_sequence ?? -1;
      session.accept({ currentSequence: 100 });
      // It repeats one, as a server that is not sure would.
      session.orders(...(last > 0 ? [last] : []), last + 1, last + 2, last + 3);
      if (session.index < 3) session.socket.terminate();
    },
  });
  const followed = follow(t, { url: server.url, start });
  await followed.client.start();
  for (let count = 0; count < 3; count++) {
    await waitFor(() => server.sessions.length === count + 1, { what: `connection ${count + 1}` });
    followed.clock.advance(await followed.backoffMs());
  }
  await waitFor(() => server.sessions.length === 4 && followed.client.state === 'subscribed', {
    what: 'the last connection',
  });
  const last = server.sessions[3]?.authentication.last_sequence ?? 0;
  await followed.received(last + 3);
  t.same(
    followed.sequences(),
    Array.from({ length: last + 3 }, (_, index) => index + 1),
  );
  t.same(followed.gaps, []);
});

await t.test('authentication alone does not reset the backoff', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept();
      session.socket.close(1011, 'broken');
    },
  });
  const followed = follow(t, { url: server.url, start });
  void followed.client.start();
  const delays: number[] = [];
  for (let count = 1; count <= 8; count++) {
    await waitFor(() => server.sessions.length === count, { what: `connection ${count}` });
    delays.push(await followed.backoffMs());
    followed.clock.advance(delays.at(-1) ?? 0);
  }
  t.same(delays, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
});

await t.test('the backoff is random over its whole span', async (t) => {
  const server = await startFakeServer(t, {
    onSession: ({ socket }) => {
      socket.terminate();
    },
  });
  const followed = follow(t, { url: server.url, start, random: () => 0.25 });
  void followed.client.start().catch(() => undefined);
  t.equal(await followed.backoffMs(), 250);
});

await t.test('the first order resets the backoff', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept({ currentSequence: 1 });
      if (session.index === 2) session.orders(1);
      session.socket.close(1011);
    },
  });
  const followed = follow(t, { url: server.url, start });
  void followed.client.start();
  const delays: number[] = [];
  for (let count = 1; count <= 4; count++) {
    await waitFor(() => server.sessions.length === count, { what: `connection ${count}` });
    delays.push(await followed.backoffMs());
    followed.clock.advance(delays.at(-1) ?? 0);
  }
  t.same(delays, [1000, 2000, 1000, 2000]);
});

await t.test('so does a subscription that stood for 30 s', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept();
      if (session.index < 2) session.socket.close(1011);
    },
  });
  const followed = follow(t, { url: server.url, start });
  void followed.client.start();
  followed.clock.advance(await followed.backoffMs());
  await waitFor(() => server.sessions.length === 2, { what: 'the second connection' });
  t.equal(await followed.backoffMs(), 2000);
  followed.clock.advance(2000);
  await waitFor(() => server.sessions.length === 3 && followed.client.state === 'subscribed', {
    what: 'the third connection',
  });
  followed.clock.advance(30_000);
  server.sessions[2]?.socket.terminate();
  t.equal(await followed.backoffMs(), 1000);
});

await t.test('a server that never answers the authentication is left after 15 s', async (t) => {
  const server = await startFakeServer(t, { onSession: () => undefined });
  const followed = follow(t, { url: server.url, start });
  void followed.client.start().catch(() => undefined);
  await waitFor(() => server.sessions.length === 1, { what: 'the connection' });
  followed.clock.advance(14_999);
  t.equal(followed.client.state, 'connecting');
  followed.clock.advance(1);
  t.equal(await followed.backoffMs(), 1000);
  t.match(followed.errors[0], {
    message: /did not answer the authentication within 15 s/,
    isTerminal: false,
  });
});

await t.test('a connection on which nothing comes for 45 s is given up', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept();
    },
    onPing: () => undefined,
  });
  const followed = follow(t, { url: server.url, start });
  await followed.client.start();
  followed.clock.advance(30_000);
  await waitFor(() => server.pings.length === 3, { what: 'a ping at first and every 15 s' });
  t.equal(followed.client.state, 'subscribed');
  followed.clock.advance(15_000);
  await followed.backoffMs();
  t.match(followed.errors[0], /nothing came from the server for 45 s/);
});

await t.test('answers to pings keep it', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept();
    },
  });
  let pongs = 0;
  const followed = follow(t, { url: server.url, start });
  await followed.client.start();
  for (let count = 0; count < 6; count++) {
    followed.clock.advance(15_000);
    const expected = count + 2;
    await waitFor(() => server.pings.length === expected, { what: `ping ${expected}` });
    // An order after the pong: once it is there, the pong is, too.
    pongs += 1;
    server.sessions[0]?.orders(pongs);
    await followed.received(pongs);
  }
  t.equal(followed.client.state, 'subscribed');
  t.equal(server.sessions.length, 1);
});

await t.test('a program that was suspended asks before it gives the connection up', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept();
    },
  });
  const followed = follow(t, { url: server.url, start });
  await followed.client.start();
  followed.clock.sleep(3_600_000);
  followed.clock.advance(0);
  await waitFor(() => server.pings.length === 2, { what: 'a ping' });
  t.equal(followed.client.state, 'subscribed');
  t.equal(server.sessions.length, 1);
});

await t.test('the clock offset is that of the ping that came back soonest', async (t) => {
  const aheadMs = 5000;
  let answer: () => void = () => undefined;
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept({ currentSequence: 1 });
      session.orders(1);
    },
    onPing: (timestamp, _session, socket) => {
      answer = () => {
        const serverMs = timestamp + aheadMs + 10;
        socket.send(
          JSON.stringify({
            type: 'pong',
            client_timestamp: timestamp,
            server_timestamp: serverMs,
            timestamp,
          }),
        );
      };
    },
  });
  const followed = follow(t, { url: server.url, start });
  await followed.client.start();
  await followed.received(1);
  t.equal(followed.client.clockOffsetMs, 0);
  const roundTrips = [400, 20, 100];
  for (const [index, roundTripMs] of roundTrips.entries()) {
    if (index > 0) {
      followed.clock.advance(15_000 - (roundTrips[index - 1] ?? 0));
      await waitFor(() => server.pings.length === index + 1, { what: `ping ${index + 1}` });
    }
    followed.clock.advance(roundTripMs);
    answer();
    server.sessions[0]?.orders(index + 2);
    await followed.received(index + 2);
  }
  t.equal(followed.client.clockOffsetMs, aheadMs, 'by the one of 20 ms, which was 10 ms under way');
  const order = followed.orders.at(-1);
  if (order === undefined) throw new Error('there are orders');
  t.equal(order.lagFromQueueMs, order.receivedAtMs + aheadMs - order.message.timestamp);
  t.equal(order.lagFromOrderMs, order.receivedAtMs + aheadMs - order.order.processed_ms);
});

await t.test('serverShutdown: comes back soon', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept();
      if (session.index === 0) session.send({ type: 'serverShutdown' });
    },
  });
  const followed = follow(t, { url: server.url, start });
  await followed.client.start();
  t.equal(await followed.backoffMs(), 1000);
  t.same(followed.errors, [], 'that is no error');
  followed.clock.advance(1000);
  await waitFor(() => server.sessions.length === 2, { what: 'the second connection' });
});

await t.test('a port that nobody listens on is tried again', async (t) => {
  const followed = follow(t, { url: 'ws://127.0.0.1:1', start });
  void followed.client.start().catch(() => undefined);
  t.equal(await followed.backoffMs(), 1000);
  t.match(followed.errors[0], { name: 'PtnStreamError', message: /ECONNREFUSED/, closeCode: 1006 });
});

const refusals: Record<string, (session: FakeSession) => void> = {
  'a terminal close code': ({ socket }) => {
    socket.close(4777, `no to ${apiKey}`);
  },
  'an invalid key': ({ send, socket }) => {
    send({ status: 'error', message: 'Invalid API key. Authentication failed.' });
    socket.close(1000);
  },
  'too low a tier': ({ send }) => {
    send({ status: 'error', message: `no to ${apiKey}`, code: 'INSUFFICIENT_TIER' });
  },
  'too many connections': ({ accept, send, socket }) => {
    accept();
    send({ status: 'error', message: 'Disconnected', code: 'MAX_CONNECTIONS_EXCEEDED' });
    socket.close(4504);
  },
};
for (const [name, refuse] of Object.entries(refusals)) {
  await t.test(`${name} ends the client for good`, async (t) => {
    const server = await startFakeServer(t, { onSession: refuse });
    const followed = follow(t, { url: server.url, start });
    const starting = followed.client.start().then(
      () => null,
      (error: unknown) => error,
    );
    const ended = await followed.client.finished;
    const thrown = await starting;
    if (!(ended instanceof PtnStreamError)) throw new Error('it ends by a PtnStreamError', { cause: ended });
    t.equal(ended.isTerminal, true);
    t.match(ended.message, /^the server refused the connection: /);
    t.notMatch(JSON.stringify([ended.message, ended]), apiKey);
    t.same(followed.errors, [ended]);
    t.ok(thrown === null || thrown === ended, 'start rejects by the same, if it had not resolved');
    t.equal(followed.client.state, 'failed');
    t.same(followed.clock.delays, [], 'nothing waits any more');
    t.equal(server.sessions.length, 1);
  });
}

await t.test('a refusal for now is tried again', async (t) => {
  const server = await startFakeServer(t, {
    onSession: ({ send, socket }) => {
      send({ status: 'error', message: 'The order log was replaced', code: 'PTN_ERR_WS_LOG_REPLACED' });
      socket.close(4009);
    },
  });
  const followed = follow(t, { url: server.url, start });
  void followed.client.start().catch(() => undefined);
  await followed.backoffMs();
  t.match(followed.errors[0], { closeCode: 4009, code: 'PTN_ERR_WS_LOG_REPLACED', isTerminal: false });
});
